"""Settings of the role accounts that are refused: the settings, where, and part of the reason."""

from __future__ import annotations

from typing import Any

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPeuEOn+xUJDJvlFYELNtyNqPR+nTSUzDeTgZ5gRNW1C"


def psy(**fields: Any) -> dict[str, Any]:
    """Return settings in which psy differs in these fields."""
    return {"users": {"psy": fields}}


def waiver(**fields: Any) -> dict[str, Any]:
    """Return settings with a waiver that differs from a good one in these fields."""
    good = {"reason": "builds images by hand", "owner": "ops", "expires": "2030-01-31"}
    return {"docker": {"psy": good | fields}}


INVALID: list[tuple[dict[str, Any], str, str]] = [
    ({"user": {}}, "user", "is not a known setting"),
    (psy(uids=2000), "users.psy.uids", "is not a known setting"),
    ({"users": {"new": {}}}, "users.new.uid", "is required"),
    ({"users": []}, "users", "valid dictionary"),
    (psy(uid=0), "users.psy.uid", "greater than or equal to 100"),
    (psy(uid=65534), "users.psy.uid", "less than or equal to 59999"),
    (psy(uid="psy"), "users.psy.uid", "valid integer"),
    (psy(uid=2010), "users.psy.uid", "id of another user"),
    ({"users": {"Psy": {"uid": 2001}}}, "users.Psy.[key]", "is no name of a user"),
    ({"users": {"root": {"uid": 2001}}}, "users.root", "belongs to the system"),
    ({"groups": {"a b": 3000}}, "groups.a b.[key]", "is no name of a user or group"),
    ({"groups": {"team": 2000}}, "groups.team", "id of another group"),
    ({"groups": {"team": 3000, "crew": 3000}}, "groups.crew", "id of another group"),
    (psy(group="team"), "users.psy.group", "is no declared group"),
    (psy(groups=["sudo"]), "users.psy.groups.0", "as strong as root"),
    (psy(groups=["claw-guard"]), "users.psy.groups.0", "as strong as root"),
    (psy(groups=["adm", "docker"]), "users.psy.groups.1", "as strong as root"),
    (psy(group="docker"), "users.psy.group", "as strong as root"),
    ({"groups": {"lxd": 110}} | psy(group="lxd"), "users.psy.group", "as strong as root"),
    ({"users": {"staff": {"uid": 2001}}}, "users.staff", "as strong as root"),
    (psy(home="/etc"), "users.psy.home", "belongs to the system"),
    (psy(home="/home"), "users.psy.home", "belongs to the system"),
    (psy(home="/usr/local/bin"), "users.psy.home", "belongs to the system"),
    (psy(home="/var/lib/clup"), "users.psy.home", "belongs to the system"),
    ({"users": {"bob": {"uid": 2001, "home": "/home/psy/x"}}}, "users.bob.home", "in /home/psy"),
    (psy(home="home/psy"), "users.psy.home", "is no absolute path"),
    (psy(home="/home/../etc"), "users.psy.home", "not in its plainest form"),
    (psy(home="/home/a b"), "users.psy.home", "has a character"),
    ({"users": {"bob": {"uid": 2001, "home": "/home/psy"}}}, "users.bob.home", "another user"),
    (psy(home_mode="0777"), "users.psy.home_mode", "lets everybody exchange"),
    (psy(home_mode="0770"), "users.psy.home_mode", "lets others write"),
    (psy(home_mode="750"), "users.psy.home_mode", "is no mode"),
    (psy(home_mode=0o750), "users.psy.home_mode", "valid string"),
    (psy(**{"shell": "bash"}), "users.psy.shell", "is no absolute path"),
    (psy(comment="a:b"), "users.psy.comment", "has a colon"),
    (psy(linger="sometimes"), "users.psy.linger", "valid boolean"),
    (psy(home="/nonexistent"), "users.psy.linger", "needs a home"),
    (psy(keys=KEY), "users.psy.keys", "valid tuple"),
    (psy(keys=["ssh-dss AAAA"]), "users.psy.keys.0", "no public key that sshd accepts"),
    (psy(keys=[KEY[:-8]]), "users.psy.keys.0", "is a damaged key"),
    (psy(keys=[KEY.replace("ed25519", "rsa", 1)]), "users.psy.keys.0", "is a damaged key"),
    (psy(keys=[f"{KEY}\n{KEY}"]), "users.psy.keys.0", "more than one line"),
    (psy(keys=["-----BEGIN OPENSSH PRIVATE KEY-----"]), "users.psy.keys.0", "is a private key"),
    (waiver(reason="because"), "docker.psy.reason", "at least 10"),
    (waiver(owner=""), "docker.psy.owner", "at least 1"),
    (waiver(expires="never"), "docker.psy.expires", "date"),
    (waiver(groups=["adm"]), "docker.psy.groups.0", "no group that makes its members root"),
    (waiver(groups=[]), "docker.psy.groups", "at least 1"),
    ({"docker": {"psy": {}}}, "docker.psy.expires", "is required"),
]
