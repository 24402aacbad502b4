from pathlib import Path

import pytest

from clup.lab import container, disks, dockerd, needs, processes
from clup.lab.commands import as_root
from clup.lab.errors import LabError
from clup.lab.needs import Need

LOOPS = """{"loopdevices": [
  {"name":"/dev/loop3", "maj:min":"  7:3", "back-file":"/r/.lab/a/X.disk"},
  {"name":"/dev/loop4", "maj:min":"  7:4", "back-file":"/r/.lab/a/Y.disk (deleted)"},
  {"name":"/dev/loop5", "maj:min":"  7:5", "back-file":null}
]}"""
SWAPS = """Filename\t\t\tType\t\tSize\tUsed\tPriority
/loop6                partition\t1048572\t1488\t-2
/dev/sda2             partition\t1048572\t0\t-3
/swap.img             file\t\t1048572\t0\t-4
"""


def test_loop_devices_are_read_with_deleted_files_too() -> None:
    found = [(str(loop.node), loop.minor, str(loop.file)) for loop in disks.parse_loops(LOOPS)]
    assert found == [
        ("/dev/loop3", 3, "/r/.lab/a/X.disk"),
        ("/dev/loop4", 4, "/r/.lab/a/Y.disk"),
        ("/dev/loop5", 5, "."),
    ]
    assert disks.parse_loops("") == []


def test_swap_devices_are_known_by_name_wherever_their_node_was() -> None:
    assert disks.swapping(SWAPS) == {"loop6", "sda2"}


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["/usr/sbin/dockerd", "--data-root=/r/.lab/.docker", "--mtu=1400"], 7),
        (["dockerd", "--data-root=/other/.lab/.docker"], None),
        (["dockerd"], None),
        (["sudo", "dockerd", "--data-root=/r/.lab/.docker"], None),
        ([], None),
    ],
    ids=["ours", "another checkout's", "the machine's", "the sudo before ours", "a kernel thread"],
)
def test_our_daemon_is_known_by_its_data_root(argv: list[str], expected: int | None) -> None:
    root = Path("/r/.lab/.docker")
    assert dockerd.ours({7: argv, 8: ["sh"]}, root) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Name:\tdockerd\nNSpid:\t12\n", False),
        ("Name:\tdockerd\nNSpid:\t12\t3\n", True),
        ("Name:\told\n", False),
    ],
)
def test_a_labs_own_daemon_is_not_this_machines(status: str, expected: bool) -> None:
    assert processes.in_container(status) is expected


@pytest.mark.parametrize(
    ("lacking", "expected"),
    [(set(), True), ({"SYS_RESOURCE"}, True), ({"SYS_ADMIN"}, False)],
)
def test_capabilities_that_the_machine_lacks_are_not_asked_for(
    lacking: set[str], expected: bool
) -> None:
    bits = {**container.CAPABILITIES, "SYS_RESOURCE": 24}
    bounding = sum(1 << bit for name, bit in bits.items() if name not in lacking)
    status = f"Name:\tsh\nCapEff:\t0\nCapBnd:\t{bounding:016x}\n"
    granted = container.grantable(container.bounding_set(status))
    assert ("SYS_ADMIN" in granted) is expected
    assert not {"SYS_RESOURCE", "SYS_TIME", "SYS_MODULE", "SYS_RAWIO"} & set(granted)


@pytest.mark.parametrize(("uid", "expected"), [(0, ["id", "-u"]), (1000, ["sudo", "id", "-u"])])
def test_only_an_ordinary_account_needs_sudo(uid: int, expected: list[str]) -> None:
    assert as_root(["id", "-u"], uid) == expected


@pytest.mark.parametrize(
    ("here", "known", "expected"),
    [
        ({"docker", "x"}, set(), {}),
        ({"x"}, {"docker-cli", "docker.io"}, {"docker-cli": ("talks", 0)}),
        ({"x"}, {"docker.io"}, {"docker.io": ("talks", 0)}),
        (set(), {"docker.io"}, {"docker.io": ("talks, runs", 3)}),
    ],
    ids=["all there", "a package of its own", "an older Debian", "one package, two reasons"],
)
def test_what_is_missing_is_named_with_package_and_reason(
    here: set[str], known: set[str], expected: dict[str, tuple[str, int]]
) -> None:
    wanted = (
        Need("docker", ("docker-cli", "docker.io"), "talks"),
        Need("x", ("docker.io",), "runs", least=3),
    )
    unmet = needs.missing(wanted, lambda need: need.command in here)
    assert needs.packages(unmet, known.__contains__) == expected


def test_a_command_that_no_package_brings_is_named() -> None:
    with pytest.raises(LabError, match="x is missing and apt knows no a or b"):
        needs.packages([Need("x", ("a", "b"), "runs")], lambda package: False)


def test_a_file_is_needed_by_its_path(tmp_path: Path) -> None:
    keys = tmp_path / "keys.gpg"
    wanted = [Need(str(keys), ("debian-archive-keyring",), "holds Debian's keys")]
    assert needs.missing(wanted, needs.met) == wanted
    keys.touch()
    assert needs.missing(wanted, needs.met) == []
