"""The removal of a thing: the lines about what stays, and units of systemd, run by sh."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from clup.managed import Thing
from clup.removal import SCRIPTS, RefusedError, remove
from clup.transport import raw

SYSTEMCTL = """#!/bin/sh
echo "$*" >>"$LOG"
[ "$1" = daemon-reload ] || [ -e "$UNIT" ] || { echo "$UNIT is gone by now" >&2; exit 1; }
[ ! -e "$LOG.fails" ] || { echo "Failed to stop it: it hangs" >&2; exit 1; }
"""


@pytest.mark.parametrize(
    ("thing", "line", "said"),
    [
        (
            Thing("folder", "/srv/x"),
            "rmdir: failed to remove '/srv/x': Device or resource busy",
            "folder /srv/x: rmdir: failed to remove '/srv/x': Device or resource busy;"
            " mend that on the machine, then try again",
        ),
        (
            Thing("stack", "web"),
            "stack web: was not taken down: no such network",
            "stack web: was not taken down: no such network;"
            " mend that on the machine, then try again",
        ),
        (
            Thing("folder", "/srv/x"),
            "folder /srv/x: holds sub; move away what is in it, then try again",
            "folder /srv/x: holds sub; move away what is in it, then try again",
        ),
    ],
)
def test_each_line_about_what_stays_has_one_cure(
    monkeypatch: pytest.MonkeyPatch, thing: Thing, line: str, said: str
) -> None:
    monkeypatch.setattr(raw, "as_root", lambda _, *words: " ".join(words))
    monkeypatch.setattr(raw, "run", lambda *_, **__: raw.Answer(1, b"", f"x\n{line}\n".encode()))
    with pytest.raises(RefusedError) as refused:
        remove(MagicMock(), thing)
    assert str(refused.value) == said


def removed(root: Path, path: Path) -> subprocess.CompletedProcess[str]:
    """Remove a file of /etc below a folder, where systemctl writes down what it is told."""
    (root / "bin").mkdir()
    (root / "bin/systemctl").write_text(SYSTEMCTL)
    (root / "bin/systemctl").chmod(0o755)
    environment = {
        "PATH": f"{root}/bin:{os.environ['PATH']}",
        "LOG": str(root / "log"),
        "UNIT": str(path),
    }
    (root / "log").touch()
    script = SCRIPTS["file"].replace("/etc/", f"{root}/etc/")
    words = ["sh", "-c", script, "sh", str(path)]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


def file(root: Path, name: str, text: str = "") -> Path:
    path = root / "etc" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("systemd/system/x.service", ["--quiet disable --now -- x.service", "daemon-reload"]),
        ("systemd/system/x.timer", ["--quiet disable --now -- x.timer", "daemon-reload"]),
        ("systemd/system/docker.service.d/clup.conf", ["daemon-reload"]),
        ("systemd/system/docker.service.d/x.service", ["daemon-reload"]),
        ("systemd/journald.conf.d/x.conf", ["daemon-reload"]),
        ("x.service", []),
    ],
)
def test_a_unit_is_stopped_and_disabled_before_it_goes(
    tmp_path: Path, name: str, told: list[str]
) -> None:
    path = file(tmp_path, name)
    done = removed(tmp_path, path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "log").read_text().splitlines() == told
    [kept] = path.parent.iterdir()
    assert done.stdout == f"it lies beside as {kept}\n"


def test_nobody_reaches_a_socket_whose_unit_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket has at most 108 characters
    (tmp_path / "note").touch()
    listens = f"ListenStream={tmp_path}/api.sock\nListenStream={tmp_path}/note\nListenStream=80\n"
    path = file(tmp_path, "systemd/system/x.socket", f"[Socket]\n{listens}")
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind("api.sock")
        assert removed(tmp_path, path).returncode == 0
    assert not (tmp_path / "api.sock").exists()
    assert (tmp_path / "note").exists()
    assert not path.exists()


def test_a_unit_that_does_not_stop_stays(tmp_path: Path) -> None:
    path = file(tmp_path, "systemd/system/x.service")
    (tmp_path / "log.fails").touch()
    done = removed(tmp_path, path)
    assert (done.returncode, done.stderr) == (1, "Failed to stop it: it hangs\n")
    assert path.exists()
