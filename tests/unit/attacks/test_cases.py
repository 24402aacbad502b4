"""The attacks as data: whether one of them could succeed at all."""

from __future__ import annotations

import re

from tests.attacks.stand import every_case

SEEN = re.compile(r"/root/loot|/srv/stand/|/proc/|%VOLUME%|docker |pgrep ")
"""What an attack can leave where the host sees it."""


def test_each_condition_looks_at_what_an_attack_leaves() -> None:
    conditions = {case["name"]: case["escaped"] for case in every_case() if "escaped" in case}
    assert [name for name, script in conditions.items() if not SEEN.search(script)] == []
