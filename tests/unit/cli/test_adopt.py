"""`clup adopt`: one file describes one machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clup import cli

NOWHERE = {"ssh_hostname": "127.0.0.1", "ssh_port": 1}


@pytest.mark.parametrize(
    ("words", "is_refused"),
    [([], True), (["--limit", "one"], False), (["--limit", "lab"], True), (["--json"], False)],
)
def test_several_machines_are_not_printed_as_one_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], is_refused: bool
) -> None:
    path = tmp_path / "machines.py"
    path.write_text(f"lab = [('one', {NOWHERE}), ('two', {NOWHERE})]\n")
    with pytest.raises(SystemExit) as end:
        cli.main(["adopt", str(path), *words])
    assert end.value.code == 1, "no machine answers"
    said = capsys.readouterr()
    refusal = "one, two: in one file the last one's settings win; say --limit HOST, one file each"
    assert (said.err == f"{refusal}\n") is is_refused, said.err
    if "--json" in words:
        assert set(json.loads(said.out)["hosts"]) == {"one", "two"}
