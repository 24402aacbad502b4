"""A job's bytes on their way out: to a pipe as they are, to a terminal made harmless."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

SCRIPT = """
import sys
from clup.cli.job_output import Output
output = Output(only_stderr={only_stderr})
for piece in (b"\\x1b]0;evil\\x07\\xc3", b"\\xbc \\xff\\x1b[31mred"):
    output.write("stdout", piece)
output.end()
"""


def written(only_stderr: bool = False) -> tuple[bytes, bytes]:
    argv = [sys.executable, "-c", SCRIPT.replace("{only_stderr}", str(only_stderr))]
    done = subprocess.run(argv, capture_output=True, timeout=30, check=True)
    return done.stdout, done.stderr


def test_a_pipe_gets_every_byte() -> None:
    raw = b"\x1b]0;evil\x07\xc3\xbc \xff\x1b[31mred"
    assert written() == (raw, b"")
    assert written(only_stderr=True) == (b"", raw)


def test_a_terminal_gets_no_control_but_colours() -> None:
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-c", SCRIPT.replace("{only_stderr}", "False")]
    subprocess.run(argv, stdout=theirs, stderr=subprocess.DEVNULL, timeout=30, check=True)
    assert os.read(ours, 1000).decode() == "\\x1b]0;evil\\x07ü \\xff\x1b[31mred\x1b[0m\r\n"
    os.close(ours)
    os.close(theirs)


GONE = """
import os, sys
reader, writer = os.pipe()
os.close(reader)
os.dup2(writer, 1)
try:
    exec(sys.argv[1])
except KeyboardInterrupt:
    sys.exit(9)
"""


def test_a_reader_that_went_away_is_as_ctrl_c() -> None:
    argv = [sys.executable, "-c", GONE, SCRIPT.replace("{only_stderr}", "False")]
    done = subprocess.run(argv, stderr=subprocess.PIPE, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (9, b"")
