from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clup.fstab import Conflict, Entry, converged

DATA = Entry("CLAW_DATA", "/srv/data", ("noatime",))
CACHE = Entry("CLAW_CACHE", "/srv/cache")
UUID = "2f1c0a52-8d0e-4d6e-9a44-6d3c2b0f1e11"
OPTIONS = "noatime,nofail,x-systemd.device-timeout=90s"
LINE = f"LABEL=CLAW_DATA /srv/data ext4 {OPTIONS} 0 2\n"
ROOT = "UUID=1234 / ext4 errors=remount-ro 0 1\n"

KEPT = {
    "ours": LINE,
    "by its UUID": f"UUID={UUID.upper()}\t/srv/data\text4\t{OPTIONS}\t0\t2\n",
    "by a link": f"/dev/disk/by-label/CLAW_DATA /srv/data ext4 {OPTIONS} 0 2\n",
    "quoted": f'LABEL="CLAW_DATA" /srv/data/ ext4 defaults,{OPTIONS} 0 2\n',
    "in another order": LINE.replace(OPTIONS, "nofail,noatime,rw,x-systemd.device-timeout=90s"),
}

REPLACED = {
    "without nofail": LINE.replace("nofail,", ""),
    "without a timeout": LINE.replace(",x-systemd.device-timeout=90s", ""),
    "with one more option": LINE.replace("noatime", "noatime,ro"),
    "another label": LINE.replace("CLAW_DATA", "OLD"),
    "another UUID": LINE.replace("LABEL=CLAW_DATA", "UUID=5678"),
    "a kernel's name": LINE.replace("LABEL=CLAW_DATA", "/dev/sdb"),
    "another type": LINE.replace("ext4", "xfs"),
    "never checked": LINE.replace("0 2", "0 0"),
    "short": "LABEL=CLAW_DATA /srv/data ext4\n",
    "a bind mount": "/home/data /srv/data none bind 0 0\n",
}


@pytest.mark.parametrize("line", KEPT.values(), ids=KEPT)
def test_a_line_that_does_the_same_stays(line: str) -> None:
    text = f"# root\n{ROOT}\n{line}/swap.img none swap sw 0 0\n"
    assert converged(text, [DATA], {"CLAW_DATA": UUID}) == text


@pytest.mark.parametrize("line", REPLACED.values(), ids=REPLACED)
def test_a_line_that_does_something_else_is_replaced_in_its_place(line: str) -> None:
    text = f"# root\n{ROOT}\n{{}}/swap.img none swap sw 0 0\n"
    assert converged(text.format(line), [DATA], {"CLAW_DATA": UUID}) == text.format(LINE)


def test_missing_lines_are_added_in_their_order() -> None:
    assert converged(ROOT.rstrip("\n"), [DATA, CACHE], {}) == ROOT + LINE + CACHE.line + "\n"
    assert converged("", [DATA], {}) == LINE


def test_of_two_lines_for_one_mount_point_the_right_one_stays() -> None:
    wrong = "/dev/sdc1 /srv/data xfs defaults 0 0\n"
    for text in (wrong + ROOT + LINE, ROOT + LINE + wrong):
        assert converged(text, [DATA], {}) == ROOT + LINE
    assert converged(wrong + ROOT + wrong, [DATA], {}) == LINE + ROOT


@pytest.mark.parametrize("spec", ["LABEL=CLAW_DATA", f"UUID={UUID}", f"/dev/disk/by-uuid/{UUID}"])
def test_our_filesystem_mounted_elsewhere_is_a_conflict(spec: str) -> None:
    with pytest.raises(Conflict, match=r"line 2 mounts .* at /mnt/old"):
        converged(f"{ROOT}{spec} /mnt/old ext4 defaults 0 0\n", [DATA], {"CLAW_DATA": UUID})


def test_a_commented_line_is_nobodys() -> None:
    assert converged("#" + LINE, [DATA], {}) == "#" + LINE + LINE


FOREIGN = st.lists(
    st.one_of(
        st.just(ROOT),
        st.just("\n"),
        st.text(st.characters(exclude_characters="\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029",
                              exclude_categories=["Cs"])).map(lambda text: f"# {text}\n"),
        st.just("tmpfs /tmp tmpfs nosuid,nodev 0 0\r\n"),
    )
)  # fmt: skip


@given(FOREIGN, st.integers(0, 9), st.sampled_from([LINE, *REPLACED.values(), ""]))
def test_foreign_lines_stay_byte_for_byte(lines: list[str], place: int, ours: str) -> None:
    text = "".join([*lines[:place], ours, *lines[place:]])
    once = converged(text, [DATA], {})
    assert once.replace(LINE, "", 1) == "".join(lines)
    assert converged(once, [DATA], {}) == once
