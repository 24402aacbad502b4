"""Users, groups, their homes and keys, and their user managers, in one command."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from clup.command import script
from clup.facts.paths import PathState, state_of

# The arguments are pairs of a name and its home folder. They are asked for by name too, as a
# directory service need not enumerate its users. The hash of a password never leaves the machine,
# and names travel as base64, since comments hold bytes of any encoding.
# A user may exchange what lies in the home at any moment, also for what only root can read: the
# keys are read with no more power than the account has, and from inside the folder. Until there
# is an account, the home's owner stands for it.
_READ = r"""LC_ALL=C; export LC_ALL
echo "passwd $({ getent passwd; getent passwd -- "$@"; } | base64 -w0)"
echo "group $({ getent group; getent group -- "$@"; } | base64 -w0)"
for file in /var/lib/systemd/linger/*; do [ -e "$file" ] && echo "linger ${file##*/}"; done
systemctl list-units --plain --no-legend --state=active 'user@*.service' 2>/dev/null |
  sed -n 's/^user@\([0-9]*\)\.service .*/manager \1/p'
while [ $# -gt 1 ]; do
  for above in "${2%/*}" "$(cd -P -- "${2%/*}/" 2>/dev/null && pwd)"; do
    while :; do
      case $(stat -L -c %u%A -- "$above/" 2>/dev/null) in
        '' | 0d????-??-? | 0d????????[tT]) ;;
        *) echo "exposed $1 $above"; break 2 ;;
      esac
      if [ -z "$above" ]; then break; fi
      above=${above%/*}
    done
  done
  if entry=$(getent shadow -- "$1"); then
    case $(printf %s "$entry" | cut -d: -f2) in
      '') echo "password $1 empty" ;; '*') echo "password $1 none" ;;
      '!'*) echo "password $1 locked" ;; *) echo "password $1 set" ;;
    esac
  fi
  for part in home:"$2" ssh:"$2/.ssh" keys:"$2/.ssh/authorized_keys"; do
    state=$(stat -c '%f %U %G' -- "${part#*:}" 2>/dev/null) && echo "${part%%:*} $1 $state"
  done
  if home=$(cd -P -- "$2" 2>/dev/null && pwd) && cd -P -- "$2/.ssh" 2>/dev/null &&
    [ "$(pwd)" = "$home/.ssh" ] && [ -f authorized_keys ] && [ ! -L authorized_keys ] &&
    [ "$(stat -c %s authorized_keys)" -le 1000000 ] &&
    uid=$(id -u -- "$1" 2>/dev/null || stat -c %u -- "$home") && [ "$uid" -gt 0 ]; then
    echo "text $1 $(timeout -s KILL 10 \
      setpriv --reuid="$uid" --regid=65534 --clear-groups sh -c '[ -r authorized_keys ] && {
        printf .; dd if=authorized_keys iflag=nofollow,nonblock,fullblock bs=1000000 count=1 \
          status=none; } | base64 -w0' | head -c 2000000 | tr -d '\n')"
  fi
  cd /; shift 2
done
echo end
"""


@dataclass(frozen=True)
class User:
    """A line of passwd, and what kind of password goes with it.

    `password` is "set", "empty" (anybody may log in), "none" (`*`), "locked" (`!...`), or
    "unknown" where the machine did not say.
    """

    name: str
    uid: int
    gid: int
    comment: str
    home: str
    shell: str
    password: str = "unknown"


@dataclass(frozen=True)
class Group:
    """A line of group. `members` has those by list, not those by primary group."""

    name: str
    gid: int
    members: frozenset[str]


@dataclass(frozen=True)
class Home:
    """A home folder, its .ssh and authorized_keys; None for what is not there.

    `text` is None unless the keys are a file, reached without a link, of at most 1 MB, which the
    account itself can read. Bytes that are no UTF-8 come as lone surrogates, so that they can be
    written back. `exposed` is a folder above the home in which somebody but root could exchange
    what leads to it, or "" if there is none.
    """

    folder: PathState | None = None
    ssh: PathState | None = None
    keys: PathState | None = None
    text: str | None = None
    exposed: str = ""


@dataclass(frozen=True)
class AccountsState:
    """All users and groups by name, the homes asked for, and who has a user manager."""

    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    homes: dict[str, Home] = field(default_factory=dict)
    lingering: frozenset[str] = frozenset()
    managers: frozenset[int] = frozenset()

    def members(self, group: str) -> frozenset[str]:
        """Return all members of a group, by list and by primary group; none if it is absent."""
        if group not in self.groups:
            return frozenset()
        gid = self.groups[group].gid
        primary = {user.name for user in self.users.values() if user.gid == gid}
        return self.groups[group].members | primary


class Accounts(FactBase[AccountsState]):
    """Given pairs of a user's name and home folder, whether they exist or not, return the state."""

    default = AccountsState

    def command(self, homes: tuple[tuple[str, str], ...]) -> StringCommand:
        return script(_READ, *(word for pair in homes for word in pair))

    def process(self, output: list[str]) -> AccountsState:
        if output[-1:] != ["end"]:
            raise FactProcessError("the answer about the accounts was cut; try again")
        said = [line.partition(" ")[::2] for line in output]
        rows = {kind: [rest for word, rest in said if word == kind] for kind, _ in said}
        passwords = dict(_pairs(rows.get("password", [])))
        users = [_user(line, passwords) for line in _database(rows["passwd"])]
        groups = [_group(line) for line in _database(rows["group"])]
        parts = {
            kind: {name: state_of(*state.split(" ")) for name, state in _pairs(rows.get(kind, []))}
            for kind in ("home", "ssh", "keys")
        }
        exposed = dict(_pairs(rows.get("exposed", [])))
        texts = {name: _text(encoded) for name, encoded in _pairs(rows.get("text", []))}
        return AccountsState(
            users={user.name: user for user in users},
            groups={group.name: group for group in groups},
            homes={
                name: Home(
                    folder=parts["home"].get(name),
                    ssh=parts["ssh"].get(name),
                    keys=parts["keys"].get(name),
                    text=texts.get(name),
                    exposed=exposed.get(name, ""),
                )
                for name in {*parts["home"], *exposed}
            },
            lingering=frozenset(rows.get("linger", [])),
            managers=frozenset(map(int, rows.get("manager", []))),
        )


def _pairs(lines: list[str]) -> list[tuple[str, str]]:
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def _user(line: str, passwords: dict[str, str]) -> User:
    name, _, uid, gid, comment, home, shell = line.split(":")
    return User(name, int(uid), int(gid), comment, home, shell, passwords.get(name, "unknown"))


def _group(line: str) -> Group:
    name, _, gid, members = line.split(":")
    return Group(name, int(gid), frozenset(filter(None, members.split(","))))


def _database(encoded: list[str]) -> list[str]:
    """Return the lines of passwd or group; bytes that are no UTF-8 become U+FFFD."""
    text = base64.b64decode("".join(encoded)).decode("utf-8", errors="replace")
    return text.removesuffix("\n").split("\n") if text else []


def _text(encoded: str) -> str | None:
    """Return the keys, before which a dot shows that the account could read them."""
    read = base64.b64decode(encoded).decode("utf-8", errors="surrogateescape")
    return read[1:] if read else None
