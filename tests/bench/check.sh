#!/bin/sh
# The end state of the lab's site, checked by hand: what a runbook would have. Exit 1 at the first
# difference. Read by the benchmark over one ssh, and by whoever wants to know what clup saves.
set -eu

is() {
    [ "$2" = "$3" ] || {
        echo "$1: found '$2', expected '$3'" >&2
        exit 1
    }
}
folder() { is "$1" "$(stat -c '%U %G %a' "$1")" "$2 $3 $4"; }
account() { is "$1" "$(getent passwd "$1" | cut -d: -f3,4,6,7)" "$2"; }
installed() { is "$1" "$(dpkg-query -W -f '${db:Status-Status}' "$1")" installed; }
ssh() { is "sshd $1" "$(printf '%s\n' "$sshd" | sed -n "s/^$1 //p")" "$2"; }

is hostname "$(hostname)" claw-lab
is '/etc/hostname' "$(cat /etc/hostname)" claw-lab
grep -q '^127.0.1.1.*claw-lab' /etc/hosts
is timezone "$(readlink -f /etc/localtime)" /usr/share/zoneinfo/Etc/UTC
is locale "$(cat /etc/locale.conf)" LANG=C.UTF-8
for package in python3 unattended-upgrades docker.io docker-cli docker-compose; do
    installed "$package"
done
apt-config dump | grep -q '^DPkg::Lock::Timeout "300";'
apt-config dump | grep -q '^APT::Periodic::Unattended-Upgrade "1";'
is journal "$(sed -n 's/^SystemMaxUse=//p' /etc/systemd/journald.conf.d/50-clup.conf)" 1024M
grep -q '^vm.swappiness = 10$' /etc/sysctl.d/zz-clup.conf

sshd=$(/usr/sbin/sshd -T)
ssh passwordauthentication no
ssh permitrootlogin without-password
ssh permitemptypasswords no
ssh x11forwarding no
ssh logingracetime 30

for disk in DATA:/srv/data CACHE:/srv/cache; do
    mount=${disk#*:} label=CLAW_${disk%%:*}
    is "$mount" "$(findmnt -no LABEL,FSTYPE "$mount" | tr -s ' ')" "$label ext4"
    grep -q "^LABEL=$label $mount ext4 .*nofail" /etc/fstab
done

info=$(docker info --format '{{.DockerRootDir}} {{.LiveRestoreEnabled}} {{.LoggingDriver}}')
is docker "$info" '/srv/cache/docker true json-file'
docker compose version >/dev/null
grep -q '^root = "/srv/cache/containerd"' /etc/containerd/config.toml
for unit in docker containerd; do
    is "$unit" "$(systemctl is-active $unit) $(systemctl is-enabled $unit)" 'active enabled'
    is "$unit" "$(systemctl show -P AssertResult $unit)" yes
done

account psy 2000:2000:/home/psy:/bin/bash
account claw-runner 2010:2010:/nonexistent:/usr/sbin/nologin
account claw-guard 2011:2011:/nonexistent:/usr/sbin/nologin
account claw-job 2012:2012:/nonexistent:/usr/sbin/nologin
account claw-trusted 2013:2013:/nonexistent:/usr/sbin/nologin
account gw-admin 2020:2020:/nonexistent:/usr/sbin/nologin
is 'group docker' "$(getent group docker | cut -d: -f4)" ''
[ -e /var/lib/systemd/linger/psy ]
systemctl is-active --quiet user@2000.service
folder /home/psy psy psy 750
folder /home/psy/.ssh psy psy 700
folder /home/psy/.ssh/authorized_keys psy psy 600

data=/srv/data/openclaw cache=/srv/cache/openclaw
for path in "$data" "$data/clup" "$data/runner" "$data/runner/compose" "$data/runner/jobs" \
    "$data/runner/keys" "$data/runner/ledger" "$data/runner/tokens" "$cache" "$cache/runner"; do
    folder "$path" root root 755
done
for path in artifacts repo upstream-openclaw; do
    folder "$data/$path" psy psy 755
done
folder "$data/gw-admin" root gw-admin 750
folder "$data/gw-admin/config" gw-admin gw-admin 700
folder "$data/infra" root psy 750
folder "$data/node-admin" root root 700
folder "$data/runner/audit" claw-runner psy 2750
folder "$data/runner/reports" claw-runner psy 2750
folder "$data/runner/state" claw-runner claw-runner 700
folder "$cache/runner/gradle" claw-trusted claw-trusted 755
folder "$cache/runner/tmp" claw-runner psy 2750
folder "$cache/runner/work" claw-runner psy 2750
