"""What keeps a container apart from the host and from its neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clup.compose.problem import shown
from clup.compose.rule import Fault, Rule
from clup.compose.service import At, Service
from clup.compose.value import is_said, mapping, text

_CIS = "CIS Docker Benchmark 1.6.0"
_ISSUE = "seed 003, section 1.2 (zero-trust execution)"

_JOINED = ("container:", "service:")
_HOSTS = {
    "host": "is the host's own",
    "macvlan": "puts the container on the host's network",
    "ipvlan": "puts the container on the host's network",
}
_ID = re.compile(r"[1-9][0-9]{0,9}")


def _privileged(service: Service) -> Iterator[Fault]:
    for at in service.privileged:
        if is_said(at.value):
            yield Fault(at.path, shown(at.value), "is all of root's power on the host", "remove it")


def _added(service: Service) -> Iterator[Fault]:
    for at in service.added:
        yield Fault(
            at.path,
            shown(_capability(at.value)),
            "is a capability that is added",
            "run as a user who needs none",
        )


def _devices(service: Service) -> Iterator[Fault]:
    for at in service.devices:
        yield Fault(
            at.path, shown(_device(at.value)), "reaches past the container to a device", "remove it"
        )


def _device(value: object) -> object:
    """Return a device's path on the host, as a waiver names it in the file and live alike."""
    said = mapping(value)
    if path := text(said.get("PathOnHost") or said.get("source")):
        return path
    return value.partition(":")[0] if isinstance(value, str) and value.startswith("/") else value


def _namespaces(service: Service) -> Iterator[Fault]:
    for at in service.namespaces:
        word = at.value.lower()
        if word in _HOSTS:
            yield Fault(at.path, shown(at.value), _HOSTS[word], "use a bridge network, and no host")
        elif word.startswith(_JOINED):
            reason = "is another container's"
            yield Fault(at.path, shown(at.value), reason, "join a network that both are on")


def _confinement(service: Service) -> Iterator[Fault]:
    for option in service.security.value:
        if not _confines(option):
            yield Fault(
                service.security.path,
                shown(option),
                "replaces or lifts a confinement that is judged nowhere else",
                "remove it: Docker's own profiles stay on",
            )


def _confines(option: str) -> bool:
    key, value = _split(option)
    if key == "label":
        return not value.startswith("disable")
    if key == "apparmor":
        return value != "unconfined"
    return key == "no-new-privileges" or (key == "seccomp" and value == "builtin")


def _user(service: Service) -> Iterator[Fault]:
    cure = "write user and group as numbers in quotes, such as '10001:10001'"
    for at in service.users:
        user, _, group = at.value.partition(":")
        if not at.value:
            yield Fault(at.path, "", "is missing, and the image may run as root", cure)
        elif not _ID.fullmatch(user):
            yield Fault(at.path, shown(at.value), "is root, or a name that the image gives", cure)
        elif not _ID.fullmatch(group):
            yield Fault(at.path, shown(at.value), "has root's group, or one by name", cure)
    for at in service.groups:
        if at.value in ("0", "root"):
            yield Fault(at.path, shown(at.value), "is root's group", "remove it")


def _dropped(service: Service) -> Iterator[Fault]:
    at = service.dropped
    dropped = [_capability(each) for each in at.value]
    if "ALL" not in dropped:
        value = shown(dropped) if dropped else ""
        reason = "leaves Docker's default capabilities" if value else "is missing"
        yield Fault(at.path, value, reason, "write cap_drop: [ALL]")


def _capability(name: str) -> str:
    """Return a capability's name as compose files have it; Docker adds a prefix."""
    return name.upper().removeprefix("CAP_")


def _new_privileges(service: Service) -> Iterator[Fault]:
    at: At[tuple[str, ...]] = service.security
    said = [value for key, value in map(_split, at.value) if key == "no-new-privileges"]
    if not said or any(value not in ("", "true") for value in said):
        reason = "lets a program gain what its user has not (setuid)"
        cure = "add no-new-privileges:true"
        yield Fault(at.path, shown(list(at.value)) if at.value else "", reason, cure)


def _writable(service: Service) -> Iterator[Fault]:
    if not service.read_only.value:
        cure = "set read_only: true, with tmpfs and volumes for what is written"
        yield Fault(service.read_only.path, "", "leaves the root filesystem writable", cure)


def _split(option: str) -> tuple[str, str]:
    """Split a security option as Docker does, at its first = or else its first colon."""
    key, _, value = option.partition("=" if "=" in option else ":")
    return key.strip().lower(), value.strip().lower()


RULES = (
    Rule(
        "privileged",
        "No container is privileged, and no command in it is",
        "A privileged container has every capability and every device: it is the host.",
        f"{_CIS}, 5.5 and 5.23; {_ISSUE}",
        _privileged,
    ),
    Rule(
        "added-capabilities",
        "No capability is added",
        "Each is a piece of root. What needs one (gosu in an image) is given a user instead, or a"
        " waiver that names it.",
        f"{_CIS}, 5.4; trap 10",
        _added,
    ),
    Rule(
        "dropped-capabilities",
        "All capabilities are dropped",
        "Docker leaves fourteen by default, raw sockets and changing owners among them.",
        f"{_CIS}, 5.4",
        _dropped,
    ),
    Rule(
        "devices",
        "No device, no device rule, no GPU, no other runtime",
        "A device is a way to the host's disks or kernel past every other limit.",
        f"{_CIS}, 5.18",
        _devices,
    ),
    Rule(
        "namespaces",
        "No namespace of the host or of another container, no network that is the host's",
        "On the host's network a container reaches what listens on 127.0.0.1; with its processes or"
        " users it reaches everything. Joining another container takes over what that one may do.",
        f"{_CIS}, 5.10, 5.16, 5.17, 5.21 and 5.31; {_ISSUE}",
        _namespaces,
    ),
    Rule(
        "confinement",
        "Docker's own seccomp and AppArmor profiles stay on",
        "They block system calls and paths that escapes have used. A profile of one's own is not"
        " judged here, so it takes a waiver.",
        f"{_CIS}, 5.2, 5.3 and 5.22",
        _confinement,
    ),
    Rule(
        "user",
        "Runs as a user and a group by number, neither of them root",
        "Root in a container is root on the host once anything leaks. A name means what the image"
        " says; a number without a group has root's.",
        f"{_CIS}, 4.1",
        _user,
    ),
    Rule(
        "no-new-privileges",
        "No program gains privileges",
        "A setuid program in the image would undo the user that was set.",
        f"{_CIS}, 5.26",
        _new_privileges,
    ),
    Rule(
        "read-only-root",
        "The root filesystem is read-only",
        "What breaks in cannot stay, and what is written lies where it is named and backed up.",
        f"{_CIS}, 5.13",
        _writable,
    ),
)
