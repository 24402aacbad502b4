"""What a machine is, as lines that differ when anything on it does.

Files, units, mounts, packages, containers, and when the daemons were started.

Left out, each for a reason:
- clup's own journal, pending markers and locks: every apply writes the journal;
- /var/log, apt's and dpkg's lists and caches, /etc/mtab: they change by themselves;
- states of units, and transient units such as a login's scope: they come and go;
- access times, and the modification times of folders that only hold the above.
"""

from __future__ import annotations

import subprocess

from clup import lab
from tests.lab.command import over_ssh

SCRIPT = r"""
set -eu
export LC_ALL=C
for root in /etc /usr/local /home /root /var/lib/clup /var/lib/systemd/linger /var/spool/cron \
  /opt /srv /srv/data /srv/cache/openclaw; do
  [ -e $root ] || continue
  find $root -xdev \( -path /var/lib/clup/journal.jsonl -o -path /var/lib/clup/pending \
    -o -path '/home/operator/.ssh*' -o -path /etc/mtab \) -prune \
    -o -printf 'path %p %y %m %U %G %s %i %T@ %l\n'
done | sed -E 's#^(path /(home/operator|var/lib/clup|root) .*) [0-9.]+ $#\1#' | sort
find /etc -xdev -type f -print0 | sort -z | xargs -0 sha256sum
systemctl list-unit-files --no-legend --no-pager \
  | awk '$2 != "transient" {print "unit", $1, $2}' | sort
findmnt -rn -o TARGET,SOURCE,FSTYPE,OPTIONS | grep -E '^/(srv|etc|home)?' | grep -v ^/run/user \
  | sed 's/^/mount /' | sort
dpkg-query -W -f 'package ${Package} ${Version} ${db:Status-Status}\n'
hostname
if command -v docker >/dev/null; then
  docker ps -aq --no-trunc | sort | xargs -r \
    docker inspect -f 'container {{.Id}} {{.State.StartedAt}}'
  docker volume ls -q | sed 's/^/volume /'; docker images -q --no-trunc | sort | sed 's/^/image /'
fi
systemctl show -p ActiveEnterTimestampMonotonic,MainPID docker containerd ssh
"""


def fingerprint(box: lab.Lab) -> list[str]:
    """Given a lab, return its fingerprint as sorted lines. Raise CalledProcessError if it fails."""
    argv = over_ssh(box, ["sudo", "sh", "-s"])
    done = subprocess.run(argv, input=SCRIPT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()
