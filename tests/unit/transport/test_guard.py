"""The words that guard a command, run by sh on this machine, with a folder of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from pyinfra.api.command import StringCommand
from pyinfra.api.hiddenvalue import HiddenValue

from clup.command import script
from clup.transport import guard

WHAT = "base: Limit the journal"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run.token").write_text(f"{guard.this_run()}\n")
    return tmp_path


def here(folder: Path, command: str, stdin: bytes = b"") -> list[str]:
    words = guard.words(WHAT, "sh", "-c", command, stdin=stdin)
    return [word.replace(guard.FOLDER, str(folder)) for word in words]


def run(words: Sequence[str], stdin: bytes = b"") -> tuple[int, str, str]:
    done = subprocess.run(words, input=stdin, capture_output=True, check=False, timeout=20)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("status", [0, 1, 3, 77, 255])
def test_a_command_answers_as_it_does_without(folder: Path, status: int) -> None:
    words = here(folder, f"echo out; echo err >&2; exit {status}")
    assert run(words) == (status, "out\n", "err\n")


@pytest.mark.parametrize("stdin", [b"a line\n", b"x", b"%s \\n $HOME\n\n\n", b"y" * 100_000])
def test_a_command_reads_its_input(folder: Path, stdin: bytes) -> None:
    assert run(here(folder, "cat", stdin), stdin) == (0, stdin.decode(), "")


@pytest.mark.parametrize("came", [b"", b"a", b"a lin", b"a line\nand more"])
def test_a_command_does_not_begin_with_another_input_than_was_sent(
    folder: Path, came: bytes
) -> None:
    status, out, err = run(here(folder, "echo begun; cat", b"a line\n"), came)
    assert (status, out) == (1, "")
    assert "not all of its input came" in err


def test_a_command_of_a_former_run_does_not_begin(folder: Path) -> None:
    (folder / "run.token").write_text("another\n")
    status, out, err = run(here(folder, "echo begun"))
    assert (status, out) == (1, "")
    assert "another run has begun on this machine" in err


def test_a_command_goes_on_when_nobody_reads_what_it_says(folder: Path) -> None:
    done = folder / "done"
    loop = f"for n in 1 2 3; do echo $n; echo $n >&2; sleep 0.1; done; echo >{done}"
    with subprocess.Popen(
        here(folder, loop), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as begun:
        assert begun.stdout
        assert begun.stderr
        begun.stdout.close()
        begun.stderr.close()
        assert begun.wait(timeout=20) == 0
    assert done.exists()


def is_free(folder: Path) -> bool:
    words = ["flock", "--nonblock", str(folder / "run.lock"), "true"]
    return subprocess.run(words, check=False).returncode == 0


def test_the_lock_is_held_until_all_that_writes_to_its_output_has_ended(folder: Path) -> None:
    with subprocess.Popen(here(folder, "(sleep 1; echo last) & exit 0"), stdout=-1) as begun:
        assert begun.stdout
        while not (folder / "command").exists():
            assert begun.poll() is None
        assert not is_free(folder)
        assert begun.stdout.read() == b"last\n"
    assert is_free(folder)
    assert (folder / "command").read_text().startswith(f"{WHAT}, process ")


def test_a_daemon_does_not_hold_the_lock(folder: Path) -> None:
    daemon = f"sleep 20 >/dev/null 2>&1 & echo $! >{folder}/pid"
    assert run(here(folder, daemon)) == (0, "", "")
    assert is_free(folder)
    subprocess.run(["kill", (folder / "pid").read_text().strip()], check=True)


def test_a_command_of_pyinfra_keeps_its_options_its_input_and_its_secrets() -> None:
    command = StringCommand("echo", HiddenValue("secret"))
    sent, options = guard.guarded(command, WHAT, {"_stdin": ["a", "b\n"], "_sudo": True})
    assert isinstance(sent, StringCommand)
    assert "echo secret" in sent.get_raw_value()
    assert "secret" not in str(sent)
    assert options == {"_stdin": "a\nb\n", "_sudo": True}
    assert f" 'base: Limit the journal' {len('ab') + 2} " in str(sent)


@pytest.mark.parametrize("option", ["_sudo_user", "_su_user"])
def test_a_command_of_another_account_goes_as_it_is(option: str) -> None:
    command = script("true")
    assert guard.guarded(command, WHAT, {option: "psy"}) == (command, {option: "psy"})
