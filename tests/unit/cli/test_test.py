"""What `clup test` makes of a stage's result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import pytest

from clup import cli
from clup.cli import ask, evidence, test
from clup.cli.tally import Tally, tally_of
from clup.cli.test import STAGES, WITH_LABS, apart, expand
from clup.lab import machine, needs

EXCUSED = '<testcase name="a"><skipped message="cannot run here: no device-mapper"/></testcase>'
SKIPPED = '<testcase classname="t" name="b"><skipped message="later"/></testcase>'


def report(
    tests: int, failures: int = 0, errors: int = 0, skipped: int = 0, cases: str = ""
) -> str:
    count = f'tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}"'
    return f"<testsuites><testsuite {count}>{cases}</testsuite></testsuites>"


@pytest.mark.parametrize(
    ("text", "status", "strict", "tally"),
    [
        (report(5), 0, False, Tally(5)),
        (report(5, failures=1, errors=1), 1, False, Tally(3, 2)),
        (report(5, skipped=2, cases=EXCUSED + SKIPPED), 0, False, Tally(3, 0, 2)),
        (report(5, skipped=2, cases=EXCUSED + SKIPPED), 0, True, Tally(3, 1, 1)),
        (report(0), 5, False, Tally(0, 1)),
        (report(3), 2, False, Tally(3, 1)),
        ("", 3, False, Tally(0, 1)),
        ("", 0, False, Tally(0, 1)),
        (report(5)[:-20], 0, False, Tally(0, 1)),
    ],
)
def test_tally(text: str, status: int, strict: bool, tally: Tally) -> None:
    assert tally_of(text, status, strict)[0] == tally


def test_a_skip_without_excuse_is_named_when_strict() -> None:
    text = report(2, skipped=2, cases=EXCUSED + SKIPPED)
    assert tally_of(text, 0, strict=True)[1] == ["t::b: later"]
    assert tally_of(text, 0, strict=False)[1] == []


def test_the_count_reads_as_promised() -> None:
    assert str(Tally(3, 2, 1) + Tally(1)) == "4 passed, 2 failed, 1 skipped"


def test_a_star_stands_for_tracked_files() -> None:
    assert expand("**/*.sh", lambda pattern: ["a.sh", "b c.sh"]) == ["a.sh", "b c.sh"]
    assert expand("clup", lambda pattern: []) == ("clup",)


def test_side_by_side_each_file_has_a_process_and_is_run_once() -> None:
    words = ["pytest", "-q", "tests/b.py", "tests/a.py", "tests/b.py"]
    assert apart(words) == [["pytest", "-q", "tests/b.py"], ["pytest", "-q", "tests/a.py"]]
    assert apart(["molecule", "test"]) == [["molecule", "test"]]


def test_each_file_of_tests_is_run_by_one_stage() -> None:
    steps = [step for stage in STAGES.values() for step in stage]
    stars = [word for step in steps for word in step.words if "*" in word]
    assert all(expand(word, test._tracked) for word in stars)
    runs = [set(test._expanded(step)) for step in steps if step.is_pytest]
    files = test._tracked("tests/**/test_*.py")
    assert len(files) > 200
    for file in files:
        ways = {file, *(str(folder) for folder in Path(file).parents)}
        assert len([run for run in runs if run & ways]) == 1, file


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """A machine that lacks mmdebstrap alone, a person at its terminal who says no, and no test."""
    done: list[str] = []
    monkeypatch.setattr(machine, "FOLDER", tmp_path)
    monkeypatch.setattr(test, "_install_tools", lambda: None)
    monkeypatch.setattr(needs, "met", lambda need: need.command != "mmdebstrap")
    monkeypatch.setattr(needs, "known", lambda package: True)
    monkeypatch.setattr(
        needs, "run", lambda words, **_: done.append("update" if "update" in words else words[-1])
    )
    monkeypatch.setattr(ask, "is_terminal", lambda: True)

    def tests(*_: object) -> Tally:
        done.append("tests")
        return Tally(passed=1)

    def refuse(question: str, **_: object) -> bool:
        done.append(question)
        return False

    monkeypatch.setattr(test, "_run", tests)
    monkeypatch.setattr(click, "confirm", refuse)
    return done


@pytest.mark.parametrize("stages", [[], *([name] for name in sorted(WITH_LABS))])
def test_what_labs_need_is_asked_for_before_any_test(
    bare: list[str], stages: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["test", *stages])
    assert end.value.code == 1
    assert bare == ["update", "Install them?"]
    assert "mmdebstrap: builds the machine's image" in capsys.readouterr().err


@pytest.mark.parametrize("stages", [[name] for name in STAGES if name not in WITH_LABS])
def test_stages_without_labs_ask_nothing(bare: list[str], stages: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["test", *stages])
    assert end.value.code == 0
    assert set(bare) == {"tests"}


@pytest.mark.parametrize(("arguments", "terminal"), [(["--yes"], True), ([], False)])
def test_unasked_it_goes_on(
    bare: list[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], terminal: bool
) -> None:
    monkeypatch.setattr(ask, "is_terminal", lambda: terminal)
    with pytest.raises(SystemExit) as end:
        cli.main(["test", "lab", *arguments])
    # The installation of this test brings nothing, which is said.
    assert end.value.code == 1
    assert bare == ["update", "mmdebstrap"]


def test_a_campaign_knows_beforehand_which_files_it_runs(
    bare: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known: set[str] = set()
    ran: set[str] = set()

    def begin(seed: int, files: Iterable[str]) -> dict[str, str]:
        known.update(files)
        return {}

    def run(words: Sequence[str], *_: object) -> Tally:
        ran.add(words[-1])
        return Tally(passed=1)

    monkeypatch.setattr(test, "_equip", lambda yes: None)
    monkeypatch.setattr(test, "_run", run)
    monkeypatch.setattr(evidence, "begin", begin)
    monkeypatch.setattr(evidence, "write", lambda: None)
    with pytest.raises(SystemExit) as end:
        cli.main(["test", "faults", "--campaign"])
    assert end.value.code == 0
    assert "tests/faults/test_cuts.py" in known
    assert known == ran
