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

# A restart and no reload: it returns when the new sshd listens, while a reload returns before the
# signal is handled, and a login right after it may still be judged by the former settings. Sessions
# stay (KillMode=process). With socket activation systemd listens, on ports that a generator reads
# from sshd's files, and the next connection starts sshd.
restart() {
    systemctl reset-failed ssh.service ssh.socket 2>/dev/null
    if systemctl -q is-active ssh.socket; then
        systemctl daemon-reload
        systemctl stop ssh.service
        systemctl restart ssh.socket 2>/dev/null
    else
        systemctl restart ssh.service 2>/dev/null
    fi
}

# A copy that is whole after a power cut, too: its data come to the disk some 30 s after its name.
# A full disk has room for another name of the same file, where both lie on one filesystem.
copy() {
    if cp -a -- "$1" "$2" && sync -- "$2"; then return; fi
    rm -f -- "$2"
    ln -- "$1" "$2"
}

# Bring back the former drop-in. What was there before it came may itself be what sshd refuses:
# then, and where there was none, sshd's own files decide.
restore() {
    if [ ! -e "$state/previous" ]; then
        rm -f -- "$dropin"
        return
    fi
    copy "$state/previous" "$dropin.former" || return
    mv -fT -- "$dropin.former" "$dropin" || return
    judge >/dev/null || mv -fT -- "$dropin" "$dropin.bak.$(date -u +%Y%m%d-%H%M%S)"
}

# Renamed once all is done that it stands for: who is cut before that does it again.
claim() {
    mv -T -- "$state/armed" "$state/$1" 2>/dev/null
}

disarm() {
    systemctl -q --no-reload disable --now "$timer"
    rm -f -- "$units/$timer" "$units/$service"
    systemctl daemon-reload
    rm -f -- "$state/previous" "$state/kept" "$state/taken"
}

arm() {
    # A change that still waits for its proof keeps what was there before it.
    if [ ! -e "$state/armed" ]; then
        rm -f -- "$state/previous"
        if [ -e "$dropin" ]; then
            copy "$dropin" "$state/previous" || fail "$dropin cannot be kept"
        fi
    fi
    cat >"$units/$service" <<UNIT
[Unit]
Description=Take back a change to sshd that no second login has proven
[Service]
Type=oneshot
ExecStart=$state/change takeback
Restart=on-failure
RestartSec=30
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
    # The data too, or a power cut would leave empty files that take nothing back.
    sync -- "$units/$service" "$units/$timer" || fail "$units cannot be written"
    systemctl -q --no-reload enable "$timer" || fail "the take-back timer cannot be enabled"
    systemctl daemon-reload
    # It may be about to try an earlier change once more, which this one continues.
    systemctl stop "$service" 2>/dev/null
    systemctl restart "$timer" || fail "the take-back timer does not start"
    : >"$state/armed"
    sync -- "$state/armed" "$state" "$units"
}

put() {
    [ -e "$state/armed" ] || fail "the time for this change ran out before it began; apply again"
    rm -f -- "$dropin".??????
    candidate=$(mktemp "$dropin.XXXXXX") || fail "$dropin cannot be written"
    if ! { base64 -d >"$candidate" && chmod 0644 "$candidate" && sync -- "$candidate" &&
        mv -fT "$candidate" "$dropin"; }; then
        rm -f -- "$candidate"
        takeback
        fail "$dropin cannot be written"
    fi
    if ! said=$(judge); then
        takeback
        fail "its files would be refused: $(echo "$said" | tr '\n' ' ')"
    fi
    if ! restart; then
        said=$(journalctl -q -n 2 -o cat _SYSTEMD_UNIT=ssh.service | tr '\n' ' ')
        takeback
        fail "it did not start ($said), and the former settings are back"
    fi
}

keep() {
    [ -e "$state/armed" ] ||
        fail "the time for the proof ran out, and the former settings are back; apply again"
    if [ -e "$state/previous" ]; then
        kept=$dropin.bak.$(date -u +%Y%m%d-%H%M%S)
        copy "$state/previous" "$kept" || fail "the former $dropin cannot be kept as $kept"
    fi
    claim kept
    disarm
}

takeback() {
    [ -e "$state/armed" ] || return 0
    # On a full disk the room of what is taken back may do; without, sshd's own files let in whom
    # they let in, and the former settings are kept for the next try.
    if ! restore && rm -f -- "$dropin" && ! restore; then
        restart
        logger -t clup "$dropin is away: its former text waits in $state/previous for room"
        fail "$dropin cannot be brought back (is the disk full?); its former text is in \
$state/previous and comes back as soon as there is room; until then sshd's own files decide"
    fi
    restart
    claim taken
    logger -t clup "a change to sshd was taken back: no second login succeeded after it"
    disarm
}

install -d -m 0700 "$state"
exec 9>>"$state/lock"
flock 9
"$@"
