#!/bin/sh
# A change to sshd that takes itself back: `arm SECONDS`, `put` (the drop-in comes as base64 on
# stdin), then `keep` once a second login has succeeded. Without `keep`, a timer runs `takeback`.
#
# The timer is a unit on disk, not a transient one: it survives the run, the connection and a
# reboot. clup puts this program at /var/lib/clup/sshd/change; the next change replaces it.
set -u
export LC_ALL=C

state=/var/lib/clup/sshd
units=/etc/systemd/system
dropin=/etc/ssh/sshd_config.d/10-clup.conf
timer=clup-sshd-takeback.timer
service=clup-sshd-takeback.service

fail() {
    echo "sshd: $1" >&2
    exit 1
}

# sshd refuses to judge its files without the folder that its service makes when it starts.
judge() {
    install -d -m 0755 /run/sshd
    sshd -t 2>&1
}

ports() {
    sshd -T 2>/dev/null | grep -E '^(port|listenaddress) ' | sort
}

# $1 is what `ports` said before the change. With socket activation systemd listens, on the ports
# that a generator reads from sshd's files; without it, a reload has sshd listen anew.
reload() {
    if systemctl -q is-active ssh.socket; then
        systemctl daemon-reload
        [ "$1" = "$(ports)" ] || systemctl restart ssh.socket
        systemctl try-reload-or-restart ssh.service
    else
        systemctl reload-or-restart ssh.service
    fi
}

# The first one to rename the marker decides: the operator's proof, or the timer.
claim() {
    mv -T -- "$state/armed" "$state/$1" 2>/dev/null
}

disarm() {
    systemctl -q disable --now "$timer"
    rm -f -- "$units/$timer" "$units/$service"
    systemctl daemon-reload
    rm -f -- "$state/previous" "$state/kept" "$state/taken"
}

arm() {
    # A change that still waits for its proof keeps what was there before it.
    if [ ! -e "$state/armed" ]; then
        rm -f -- "$state/previous"
        if [ -e "$dropin" ]; then cp -a -- "$dropin" "$state/previous"; fi
    fi
    cat >"$units/$service" <<UNIT
[Unit]
Description=Take back a change to sshd that no second login has proven
[Service]
Type=oneshot
ExecStart=$state/change takeback
UNIT
    cat >"$units/$timer" <<UNIT
[Unit]
Description=Time that a change to sshd has to be proven
[Timer]
OnActiveSec=$1
AccuracySec=1s
[Install]
WantedBy=timers.target
UNIT
    systemctl daemon-reload
    systemctl -q enable "$timer" || fail "the take-back timer cannot be enabled"
    systemctl restart "$timer" || fail "the take-back timer does not start"
    : >"$state/armed"
    sync -- "$state" "$units"
}

put() {
    [ -e "$state/armed" ] || fail "the time for this change ran out before it began; apply again"
    before=$(ports)
    candidate=$(mktemp "$dropin.XXXXXX") || fail "$dropin cannot be written"
    if ! { base64 -d >"$candidate" && chmod 0644 "$candidate" && mv -fT "$candidate" "$dropin"; }; then
        rm -f -- "$candidate"
        takeback
        fail "$dropin cannot be written"
    fi
    if ! said=$(judge); then
        takeback
        fail "its files would be refused: $(echo "$said" | tr '\n' ' ')"
    fi
    reload "$before" || { takeback; fail "it did not reload; the former settings are back"; }
}

keep() {
    claim kept || fail "the time for the proof ran out, and the former settings are back; apply again"
    if [ -e "$state/previous" ]; then
        cp -a -- "$state/previous" "$dropin.bak.$(date -u +%Y%m%d-%H%M%S)"
    fi
    disarm
}

takeback() {
    claim taken || return 0
    before=$(ports)
    if [ -e "$state/previous" ]; then
        cp -a -- "$state/previous" "$dropin.former" && mv -fT -- "$dropin.former" "$dropin"
        # What was there before may itself be what sshd refuses: then sshd's own files decide.
        judge >/dev/null || mv -fT -- "$dropin" "$dropin.bak.$(date -u +%Y%m%d-%H%M%S)"
    else
        rm -f -- "$dropin"
    fi
    reload "$before"
    logger -t clup "a change to sshd was taken back: no second login succeeded after it"
    disarm
}

install -d -m 0700 "$state"
exec 9>>"$state/lock"
flock 9
"$@"
