"""The removal of one thing from a machine, where nothing is lost by it; else it is refused.

Each script judges and acts in one process on the machine. It ends with 0 when the thing is gone,
and prints what stays; else the last line of stderr says what was found, and the cure. Where a tool
failed, that line is the tool's own, which has none.
"""

from __future__ import annotations

import json

from pyinfra.api.host import Host

from clup.managed import Thing
from clup.operations import programs
from clup.operations.files import KEEP
from clup.run import by_whom
from clup.stacks.spec import TREE
from clup.transport import guard, raw

SECONDS = 300
"""How long one removal may take: a disk writes what it still has before it is unmounted."""

CURE = "mend that on the machine, then try again"

# Given process ids, prints them with the names of their programs.
_NAMED = """LC_ALL=C; export LC_ALL
named() {
  said=
  for process; do said="$said, $process ($(cat "/proc/$process/comm" 2>/dev/null))"; done
  echo "${said#, }"
}
"""

# userdel takes the account's own group along, which may be in the settings still.
_ACCOUNT = """set -eu
entry=$(getent passwd -- "$1") || exit 0
uid=$(id -u -- "$1") group=$(getent group -- "$1" | cut -d : -f 3) || group=
home=$(printf %s "$entry" | cut -d : -f 6)
running=$(grep -lsE "^Uid:[[:space:]](.*[[:space:]])?$uid([[:space:]]|$)" /proc/[0-9]*/status |
  cut -d / -f 3 | head -n 5)
if [ -n "$running" ]; then
  echo "account $1: runs the processes $(named $running); end them (a user manager by" \\
    "\\`loginctl disable-linger $1; loginctl terminate-user $1\\`), then try again" >&2
  exit 1
fi
userdel -- "$1"
rm -f -- "/var/lib/systemd/linger/$1"
if [ -n "$group" ] && ! getent group -- "$1" >/dev/null; then groupadd -g "$group" -- "$1"; fi
echo "its home $home stays, and what else belongs to the id $uid"
"""

_GROUP = """set -eu
entry=$(getent group -- "$1") || exit 0
gid=$(printf %s "$entry" | cut -d : -f 3)
users=$(getent passwd | awk -F : -v gid="$gid" '$4 == gid { print $1 }' | paste -s -d ' ')
members=$(printf %s "$entry" | cut -d : -f 4)
if [ -n "$users" ]; then
  echo "group $1: is the primary group of $users; give these another one (usermod -g), or remove" \\
    "them first, then try again" >&2
  exit 1
fi
if [ -n "$members" ]; then
  echo "group $1: has the members $members; take them out (gpasswd -d NAME $1), then try again" >&2
  exit 1
fi
groupdel -- "$1"
echo "what belongs to the id $gid stays"
"""

# A container has the filesystem mounted too, elsewhere or below a root of its own, and would go on
# with it unseen. The services of this machine, which see its own root, let it go.
_MOUNT = f"""{KEEP}
users() {{
  here=$(stat -L -c %d:%i /)
  device=$(mountpoint -d -- "$1")
  grep -sE "^[0-9]+ [0-9]+ $device " /proc/[0-9]*/mountinfo | while read -r file _ _ _ at _; do
    process=${{file#/proc/}} process=${{process%%/*}}
    root=$(stat -L -c %d:%i "/proc/$process/root/" 2>/dev/null) || continue
    [ "$at" = "$1" ] && [ "$root" = "$here" ] || echo "$process"
  done
  find /proc/[0-9]*/cwd /proc/[0-9]*/exe /proc/[0-9]*/fd \\( -lname "$1" -o -lname "$1/*" \\) \\
    2>/dev/null | cut -d / -f 3
}}
if mountpoint -q -- "$1"; then
  using=$(users "$1" | sort -un | head -n 5)
  if [ -n "$using" ] || ! umount -- "$1"; then
    by="${{using:+ by the processes $(named $using)}}"
    echo "mount $1: is in use$by; end what uses it, containers too, then try again" >&2
    exit 1
  fi
fi
if awk -v path="$1" '{{ at = $2; sub("/+$", "", at) }}
    $1 !~ /^#/ && at == path {{ found = 1 }} END {{ exit !found }}' /etc/fstab; then
  keep /etc/fstab
  cp -a /etc/fstab /etc/fstab.clup
  awk -v path="$1" '{{ at = $2; sub("/+$", "", at) }} $1 ~ /^#/ || at != path' \\
    /etc/fstab >/etc/fstab.clup
  sync -- /etc/fstab.clup
  mv -fT -- /etc/fstab.clup /etc/fstab
  systemctl daemon-reload
fi
if [ -d "$1" ]; then
  chattr -i -- "$1" 2>/dev/null || true
  rmdir -- "$1" 2>/dev/null || true
fi
echo "its data stays on its disk"
"""

# A unit of systemd's, but no drop-in, is stopped first. A daemon that was passed its socket keeps
# it open; without its name nobody reaches it. To disable a unit that is a link removes the link.
_FILE = f"""{KEEP}
if [ ! -e "$1" ] && [ ! -L "$1" ]; then exit 0; fi
if [ -d "$1" ] && [ ! -L "$1" ]; then
  echo "file $1: is a directory; see what it is, and remove it by hand" >&2; exit 1
fi
keep "$1"
unit=${{1#/etc/systemd/system/}}
case $unit in
  "$1" | */*) ;;
  *.service | *.socket | *.timer)
    systemctl --quiet disable --now -- "$unit"
    sed -n 's/^ListenStream=\\(\\/.*\\)/\\1/p' "$1" |
      while read -r at; do [ ! -S "$at" ] || rm -- "$at"; done ;;
esac
rm -f -- "$1"
case $1 in /etc/systemd/*) systemctl daemon-reload ;; esac
echo "it lies beside as $kept"
"""

_FOLDER = """set -eu
if [ ! -d "$1" ] || [ -L "$1" ]; then exit 0; fi
held=$(find "$1" -mindepth 1 -maxdepth 1 -printf '%f\\n' | head -n 3 | paste -s -d ' ')
if [ -n "$held" ]; then
  echo "folder $1: holds $held; move away what is in it, then try again" >&2; exit 1
fi
rmdir -- "$1"
"""

_PACKAGE = """state=$(dpkg-query -W -f '${db:Status-Status}' -- "$1" 2>/dev/null) || exit 0
[ "$state" = installed ] || exit 0
echo "package $1: others may depend on it; see \\`apt-get -s remove $1\\` there," \\
  "remove it by hand, then \\`clup forget $1\\`" >&2
exit 1
"""

SCRIPTS = {
    "stack": "",  # a program of its own, see `_stack`
    "account": _ACCOUNT,
    "group": _GROUP,
    "mount": _MOUNT,
    "file": _FILE,
    "folder": _FOLDER,
    "package": _PACKAGE,
}
"""By kind, in the order in which things of one name go: $1 is the name or path."""


class RefusedError(Exception):
    """A thing stays as it is. The message is one line: what, what was found, the cure."""


def ordered(things: frozenset[Thing]) -> list[Thing]:
    """Given things, return them in the order in which they can be removed."""
    return sorted(things, key=lambda thing: (list(SCRIPTS).index(thing.kind), thing.name))


def remove(host: Host, thing: Thing) -> str:
    """Remove a thing from a connected host; return what stays of it, in words.

    Raise RefusedError where that cannot be done safely, OSError when the machine is silent.
    """
    if thing.kind == "stack":
        stdin, inner = _stack(thing.name)
    else:
        stdin, inner = b"", ["sh", "-c", _NAMED + SCRIPTS[thing.kind], "sh", thing.name]
    words = guard.words(f"remove {thing}", *inner, stdin=stdin)
    answer = raw.run(host, raw.as_root(host, *words), stdin=stdin, timeout=SECONDS)
    if answer.status != 0:
        raise RefusedError(_cured(thing, answer.error))
    return answer.stdout.decode(errors="replace").strip()


def _cured(thing: Thing, line: str) -> str:
    """Given the line about why a thing stays, return it with what it is about and a cure.

    What clup words itself is "what: found; cure" already.
    """
    if "; " in line:
        return line
    what = "" if line.startswith(str(thing)) else f"{thing}: "
    return f"{what}{line}; {CURE}"


def _stack(name: str) -> tuple[bytes, list[str]]:
    """Return the input and the words of the program that takes a stack down."""
    order = json.dumps({"name": name, "tree": TREE, **by_whom()})
    return (programs.packed() + order).encode(), programs.words("stack", "remove")
