"""The launcher, run for real in a small project of its own whose path has spaces.

Its lock is empty, so that nothing is downloaded; the package in it prints how it was called.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = (
    "cat",
    "dirname",
    "env",
    "flock",
    "id",
    "readlink",
    "rm",
    "sh",
    "sha256sum",
    "tail",
    "true",
)
DISTRIBUTIONS = "/usr/bin/python3 "
ECHO = "import os, sys; print(os.getcwd(), sys.argv[1:], sep='|')"


def make_project(folder: Path) -> Path:
    """Lay a project with the real launcher and an echoing package; return its folder."""
    package = folder / "src" / "clup"
    package.mkdir(parents=True)
    shutil.copy(ROOT / "clup", folder / "clup")
    (folder / "requirements.txt").write_text("# nothing\n")
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(ECHO)
    return folder


def without_the_distributions_python(folder: Path) -> None:
    """Have a project's launcher look for Python on PATH alone, where a test can replace it."""
    launcher = folder / "clup"
    text = launcher.read_text()
    assert text.count(DISTRIBUTIONS) == 1
    launcher.write_text(text.replace(DISTRIBUTIONS, ""))


def make_path(folder: Path, programs: dict[str, str]) -> str:
    """Return a PATH with a few real tools and these shell scripts, and nothing else."""
    folder.mkdir()
    for name in TOOLS:
        if real := shutil.which(name):
            (folder / name).symlink_to(real)
    for name, text in programs.items():
        program = folder / name
        program.unlink(missing_ok=True)
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    return str(folder)


def run(
    *words: str | Path, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def making(error_output: str) -> int:
    return error_output.count("making .venv")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose .venv was made by two launchers that started at once."""
    folder = make_project(tmp_path_factory.mktemp("launcher") / "a  project's folder")
    two = [
        subprocess.Popen(
            [folder / "clup"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    answers = [process.communicate() for process in two]
    assert [process.returncode for process in two] == [0, 0], answers
    assert sum(making(error) for _, error in answers) == 1, answers
    return folder


def direct(project: Path, _elsewhere: Path) -> Path:
    return project / "clup"


def relative(project: Path, elsewhere: Path) -> Path:
    return Path(os.path.relpath(project / "clup", elsewhere))


def through_links(project: Path, elsewhere: Path) -> Path:
    (elsewhere / "folder link").symlink_to(project)
    (elsewhere / "clup").symlink_to("folder link/clup")
    return elsewhere / "clup"


def test_prefers_the_distributions_python(project: Path) -> None:
    fits = "import ensurepip, venv, sys; assert sys.version_info >= (3, 11)"
    if run("/usr/bin/env", "/usr/bin/python3", "-c", fits).returncode:
        pytest.skip("cannot run here: the distribution's Python makes no .venv for clup")
    python = project / ".venv" / "bin" / "python"
    assert python.resolve() == Path("/usr/bin/python3").resolve()


@pytest.mark.parametrize("call", [direct, relative, through_links])
def test_runs_from_anywhere_in_the_callers_folder(
    project: Path, tmp_path: Path, call: Callable[[Path, Path], Path]
) -> None:
    (tmp_path / "clup.py").write_text("raise SystemExit('a stray module was imported')")
    program = call(project, tmp_path)
    done = run(program, "two words", "", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{tmp_path}|['two words', '']\n"


def other_lock(folder: Path) -> None:
    (folder / "requirements.txt").write_text("# another lock\n")


def cut_run(folder: Path) -> None:
    (folder / ".venv" / "clup-recipe").unlink()


def upgraded_python(folder: Path) -> None:
    (folder / ".venv" / "bin" / "python").unlink()
    (folder / ".venv" / "bin" / "python").symlink_to("/usr/bin/python3.1")


def moved(folder: Path) -> None:
    stamp = folder / ".venv" / "clup-recipe"
    stamp.write_text(stamp.read_text().replace(str(folder), "/elsewhere"))


def untouched(_folder: Path) -> None:
    """Leave it current."""


@pytest.mark.parametrize(
    ("damage", "makes"),
    [
        (untouched, False),
        (other_lock, True),
        (cut_run, True),
        (upgraded_python, True),
        (moved, True),
    ],
)
def test_makes_venv_again_only_when_it_must(
    project: Path, tmp_path: Path, damage: Callable[[Path], None], makes: bool
) -> None:
    folder = make_project(tmp_path / "project")
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho ran")
    python.chmod(0o755)
    stamp = (project / ".venv" / "clup-recipe").read_text().replace(str(project), str(folder))
    (folder / ".venv" / "clup-recipe").write_text(stamp)
    damage(folder)
    # Without any Python the attempt ends early: to see that it is made is enough.
    without_the_distributions_python(folder)
    path = make_path(tmp_path / "bin", {})
    completed = run("/bin/sh", folder / "clup", PATH=path, _CLUP_COMPLETE="bash_complete")
    assert completed.stderr == "", "completion installs nothing"
    done = run("/bin/sh", folder / "clup", PATH=path)
    assert ("no apt-get here" in done.stderr) == makes
    assert done.stdout == ("" if makes else "ran\n")


def test_a_failed_installation_is_told_and_tried_again(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "project")
    (folder / "requirements.txt").write_text("clup-is-missing==1 --hash=sha256:" + "0" * 64)
    done = run(folder / "clup", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert done.returncode == 1
    assert "No matching distribution found for clup-is-missing" in done.stderr
    assert f"whole output is in {folder}/.venv.log" in done.stderr
    assert not (folder / ".venv" / "clup-recipe").exists(), "or the next run would take it for made"


OLD = '[ "$1" != -V ] || echo Python 3.10.12; exit 1'
# Debian's Python before python3-venv is there, which apt-get brings. Its venv is not made: that
# would take seconds, and says nothing more.
BARE = """case $2 in *ensurepip*) [ -e "$FAKE/venv" ] || exit 1 ;; esac
echo /nowhere/python3.12"""
APT = """echo "apt-get $*" >>"$FAKE/calls"
case "$*" in *install*) : >"$FAKE/venv" ;; esac"""
SUDO = 'echo sudo >>"$FAKE/calls"; exec "$@"'
USER = "echo 1000"
ROOT_ID = "echo 0"


@pytest.mark.parametrize(
    ("programs", "message"),
    [
        ({"python3": OLD}, "needs Python 3.11 or newer; found Python 3.10.12"),
        ({}, "no apt-get here"),
        ({"python3": BARE}, "no apt-get here"),
        (
            {"python3": BARE, "apt-get": APT, "id": USER},
            "run as root: apt-get install python3-venv",
        ),
        (
            {"apt-get": "exit 7", "id": ROOT_ID},
            "install -y --no-install-recommends python3 python3-venv; the whole",
        ),
        ({"python3": BARE, "apt-get": "true", "id": ROOT_ID}, "python3-venv did not bring it"),
    ],
)
def test_says_what_is_missing(tmp_path: Path, programs: dict[str, str], message: str) -> None:
    folder = make_project(tmp_path / "project")
    without_the_distributions_python(folder)
    path = make_path(tmp_path / "bin", programs)
    done = run("/bin/sh", folder / "clup", PATH=path, FAKE=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert message in " ".join(done.stderr.split()), done.stderr


@pytest.mark.parametrize(
    ("programs", "calls"),
    [({"id": ROOT_ID}, ["apt-get"]), ({"id": USER, "sudo": SUDO}, ["sudo", "apt-get"])],
)
def test_installs_venv_where_debian_lacks_it(
    tmp_path: Path, programs: dict[str, str], calls: list[str]
) -> None:
    folder = make_project(tmp_path / "project")
    without_the_distributions_python(folder)
    path = make_path(tmp_path / "bin", {"python3.12": BARE, "apt-get": APT, **programs})
    done = run("/bin/sh", folder / "clup", "--yes", PATH=path, FAKE=str(tmp_path))
    assert "needs packages of the distribution (python3-venv)" in done.stderr
    assert "making .venv with /nowhere/python3.12" in done.stderr
    told = (tmp_path / "calls").read_text().splitlines()
    assert [line.split()[0] for line in told] == calls * 2
    assert told[-1].endswith("install -y --no-install-recommends python3-venv")


def test_a_project_of_another_account_is_not_written_to() -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder))
        project.chmod(0o555)
        nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        done = run(*(() if os.getuid() else nobody), project / "clup", "--help")
        project.chmod(0o700)
        assert not (project / ".venv.lock").exists()
    assert done.returncode == 1
    assert f"may not write in {project}; clone it where that account may" in done.stderr
    assert len(done.stderr.splitlines()) == 1
