"""The site through plain pyinfra, as far as it goes without a machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SITE = Path(__file__).resolve().parents[3] / "deploys/site.py"


def test_it_is_not_started_where_its_settings_are_not_read(tmp_path: Path) -> None:
    pyinfra = Path(sys.executable).with_name("pyinfra")
    words = [str(pyinfra), "--json", "-y", "@local", str(SITE)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"started in {tmp_path}, where group_data is not; type it in" in done.stderr
