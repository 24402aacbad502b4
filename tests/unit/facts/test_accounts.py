"""The accounts of the machine that runs the tests, and homes made for them."""

from __future__ import annotations

import base64
import grp
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from pyinfra.api.exceptions import FactProcessError

from clup.facts.accounts import Accounts, AccountsState, Home, User

NOBODY = pwd.getpwnam("nobody")


def owned_by_nobody(folder: Path) -> None:
    """Give a tree to an account that is not root, as homes are; that takes root."""
    if os.getuid() != 0:
        pytest.skip("only root can read with the power of another account")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid, follow_symlinks=False)


def read(*homes: tuple[str, Path]) -> AccountsState:
    """Run the fact's command here and return what it makes of the answer."""
    fact = Accounts()
    command = fact.command(tuple((name, str(home)) for name, home in homes)).get_raw_value()
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return fact.process(done.stdout.splitlines())


def test_users_and_groups_are_those_of_the_libc() -> None:
    state = read()
    assert {(user.name, user.uid, user.gid, user.home) for user in state.users.values()} == {
        (entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir) for entry in pwd.getpwall()
    }
    assert {(group.name, group.gid, group.members) for group in state.groups.values()} == {
        (entry.gr_name, entry.gr_gid, frozenset(entry.gr_mem)) for entry in grp.getgrall()
    }


def test_a_home_that_is_not_there(tmp_path: Path) -> None:
    assert read(("psy", tmp_path / "none")).homes == {}


def test_who_could_exchange_a_home(tmp_path: Path) -> None:
    safe = Path(tempfile.mkdtemp(dir="/srv"))
    try:
        safe.chmod(0o755)
        (safe / "link").symlink_to(tmp_path)
        below = safe / "folder/psy"
        below.parent.mkdir()
        assert read(("psy", below)).homes == {}
        below.parent.chmod(0o1777)
        assert read(("psy", below)).homes == {}
        below.parent.chmod(0o775)
        assert read(("psy", below)).homes["psy"].exposed == str(below.parent)
        below.parent.chmod(0o755)
        owned_by_nobody(tmp_path)
        assert read(("psy", safe / "link/psy")).homes["psy"].exposed == f"{safe}/link"
        os.chown(safe, NOBODY.pw_uid, NOBODY.pw_gid)
        assert read(("psy", below)).homes["psy"].exposed == str(safe)
    finally:
        shutil.rmtree(safe)


def test_a_home_with_keys(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir(mode=0o700)
    (tmp_path / ".ssh/authorized_keys").write_bytes(b"a\r\n\xff b\n")
    owned_by_nobody(tmp_path)
    home = read(("psy", tmp_path)).homes["psy"]
    assert home.folder
    assert home.folder.kind == "directory"
    assert home.ssh
    assert home.ssh.mode == "0700"
    assert home.keys
    assert home.keys.user == NOBODY.pw_name
    assert home.text == "a\r\n\udcff b\n"


def test_no_keys_are_some_too(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/authorized_keys").touch()
    owned_by_nobody(tmp_path)
    assert read(("psy", tmp_path)).homes["psy"].text == ""


def test_what_the_account_cannot_read_is_not_read(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    owned_by_nobody(tmp_path)
    secret = tmp_path / ".ssh/authorized_keys"
    secret.write_text("a secret of root\n")
    secret.chmod(0o600)
    assert read(("psy", tmp_path)).homes["psy"].text is None
    secret.chmod(0o644)
    assert read(("psy", tmp_path)).homes["psy"].text == "a secret of root\n"


@pytest.mark.parametrize("linked", [".ssh", ".ssh/authorized_keys"])
def test_keys_are_never_read_through_a_link(tmp_path: Path, linked: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "authorized_keys").write_text("secret")
    target = elsewhere if linked == ".ssh" else elsewhere / "authorized_keys"
    home = tmp_path / "home"
    (home / linked).parent.mkdir(parents=True)
    (home / linked).symlink_to(target)
    owned_by_nobody(tmp_path)
    assert read(("psy", home)).homes["psy"].text is None


def test_a_home_below_a_link_is_read(tmp_path: Path) -> None:
    (tmp_path / "real/psy/.ssh").mkdir(parents=True)
    (tmp_path / "real/psy/.ssh/authorized_keys").write_text("a key\n")
    (tmp_path / "home").symlink_to("real")
    owned_by_nobody(tmp_path)
    assert read(("psy", tmp_path / "home/psy")).homes["psy"].text == "a key\n"


def test_a_fifo_or_a_large_file_is_not_read(tmp_path: Path) -> None:
    for name in ("fifo", "large"):
        (tmp_path / name / ".ssh").mkdir(parents=True)
    os.mkfifo(tmp_path / "fifo/.ssh/authorized_keys")
    (tmp_path / "large/.ssh/authorized_keys").write_bytes(bytes(1_000_001))
    owned_by_nobody(tmp_path)
    homes = read(("a", tmp_path / "fifo"), ("b", tmp_path / "large")).homes
    assert (homes["a"].text, homes["b"].text) == (None, None)


def test_what_a_machine_says() -> None:
    passwd = b"psy:x:2000:2000:M\xfcller, B:/home/psy:/bin/bash\nbob:x:2001:100::/home/bob:\n"
    group = b"psy:x:2000:\ndocker:x:990:psy,bob\n"
    said = f"""passwd {base64.b64encode(passwd).decode()}
group {base64.b64encode(group).decode()}
linger psy
manager 2000
manager 1999
password psy none
home psy 41e8 psy psy
ssh psy 41c0 psy psy
keys psy a1ff root root
text psy {base64.b64encode(b".x").decode()}
end"""
    state = Accounts().process(said.splitlines())
    comment = "M\ufffdller, B"
    assert state.users["psy"] == User("psy", 2000, 2000, comment, "/home/psy", "/bin/bash", "none")
    assert state.users["bob"].password == "unknown"
    assert state.groups["docker"].members == {"psy", "bob"}
    assert (state.lingering, state.managers) == (frozenset({"psy"}), frozenset({1999, 2000}))
    home = state.homes["psy"]
    assert home != Home()
    assert home.folder
    assert home.folder.mode == "0750"
    assert home.keys
    assert home.keys.kind == "link"
    assert home.text == "x"


def test_an_answer_that_was_cut_is_none() -> None:
    with pytest.raises(FactProcessError, match="was cut"):
        Accounts().process(["passwd ", "group ", "linger psy"])
    with pytest.raises(FactProcessError, match="was cut"):
        Accounts().process([])
