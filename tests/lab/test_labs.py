"""Real labs: what `up` makes, what a reboot keeps, and that `down` leaves nothing, even of a wreck.

They live beside the labs of whoever runs the tests, under names of their own.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from clup import lab
from clup.lab import container, disks, image, machine
from clup.lab.commands import as_root
from clup.lab.docker import docker
from clup.lab.machine import Disk, Lab

ROOT = Path(__file__).resolve().parents[2]
SMALL = (Disk("virtio-ONE", 64 << 20), Disk("virtio-TWO", 32 << 20))


def quiet(line: str) -> None:
    """Take a line of progress and say nothing."""


def inside(box: Lab, script: str) -> str:
    """Given a lab and a script, run it there as the operator and return its output."""
    argv = lab.ssh_argv(box, ["sh", "-eu"], batch=True)
    done = subprocess.run(argv, input=script, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def clup_lab(*words: str) -> subprocess.CompletedProcess[str]:
    """Given the words of a `clup lab` command, run it as a user does, without a terminal."""
    code = "from clup.cli.lab import command; command(prog_name='clup lab')"
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


def traces(name: str) -> dict[str, list[str]]:
    """Given a lab's name, return all that this machine still has of it."""
    folder = machine.FOLDER / name
    found = {
        "containers": docker("ps", "-aq", f"--filter=label={container.LABEL}={folder}").split(),
        "loop devices": [str(loop.node) for loop in disks.loops_of(folder)],
        "files": [str(path) for path in folder.rglob("*")] + [str(folder)] * folder.exists(),
    }
    return {kind: names for kind, names in found.items() if names}


@pytest.fixture(scope="module", autouse=True)
def no_traces() -> Iterator[None]:
    """Remove what a failing test leaves, and keep Docker running from the first to the last."""
    lab.up("test-keeper", disks=(), say=quiet)
    yield
    for name in machine.recorded():
        if name.startswith("test-"):
            lab.down(name, quiet)


@pytest.fixture(scope="module")
def box(no_traces: None) -> Lab:
    return lab.up("test-box", disks=SMALL, say=quiet)


def test_a_lab_is_a_bare_machine_with_blank_disks(box: Lab) -> None:
    said = inside(
        box,
        """
        id -un; sudo id -u; hostname; systemctl is-system-running
        for disk in ONE TWO; do
            device=/dev/disk/by-id/virtio-$disk
            sudo blockdev --getsize64 $device
            sudo cmp --bytes=$(sudo blockdev --getsize64 $device) $device /dev/zero && echo zeros
        done
        for command in python3 docker containerd chronyd locale-gen unattended-upgrade; do
            ! command -v $command
        done
        """,
    )
    expected = f"operator 0 lab-test-box running {64 << 20} zeros {32 << 20} zeros"
    assert said.split() == expected.split()


def test_only_the_operator_gets_in_and_only_with_the_labs_key(box: Lab, tmp_path: Path) -> None:
    def refused(argv: list[str]) -> bool:
        return b"Permission denied" in subprocess.run(argv, capture_output=True).stderr

    argv = lab.ssh_argv(box, ["true"], batch=True)
    assert subprocess.run(argv).returncode == 0
    assert refused([word.replace("operator@", "root@") for word in argv])
    stranger = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger], check=True)
    assert refused([word.replace(str(box.key_file), str(stranger)) for word in argv])


def test_what_a_reboot_keeps(box: Lab) -> None:
    inside(
        box,
        """
        sudo mkfs.ext4 -q -L LAB_ONE /dev/disk/by-id/virtio-ONE
        sudo mkdir -p /srv/one /srv/absent
        printf 'LABEL=%s /srv/%s ext4 nofail 0 2\n' LAB_ONE one LAB_NONE absent |
            sudo tee -a /etc/fstab > /dev/null
        sudo mount /srv/one
        echo kept | sudo tee /srv/one/file > /dev/null
        printf '127.0.0.1 localhost\n127.0.1.1 renamed\n' | sudo tee /etc/hosts > /dev/null
        sudo hostnamectl set-hostname renamed
        """,
    )
    before = inside(box, "stat --format=%Y /proc/1; ls /dev/disk/by-id")
    time.sleep(1.1)
    lab.reboot("test-box", quiet)
    after = inside(box, "stat --format=%Y /proc/1; ls /dev/disk/by-id")
    assert int(after.split()[0]) > int(before.split()[0])
    assert after.split()[1:] == before.split()[1:] == ["virtio-ONE", "virtio-TWO"]
    said = inside(box, "cat /srv/one/file; findmnt /srv/one > /dev/null && hostname")
    assert said.split() == ["kept", "renamed"]
    assert inside(box, "getent hosts renamed").split() == ["127.0.1.1", "renamed"]
    assert inside(box, "systemctl is-system-running").strip() == "running"


def test_the_machine_around_a_lab_stays_as_it_is(box: Lab) -> None:
    swappiness = Path("/proc/sys/vm/swappiness").read_text()
    said = inside(
        box,
        """
        try() { echo "$1" | sudo tee "/proc/sys/$2" > /dev/null 2>&1 || echo "no $2"; }
        try 1 vm/swappiness
        try 77 net/core/somaxconn
        sudo date --set 2001-01-01 > /dev/null 2>&1 || echo no clock
        """,
    )
    assert said == "no vm/swappiness\nno clock\n"
    assert Path("/proc/sys/vm/swappiness").read_text() == swappiness
    assert Path("/proc/sys/net/core/somaxconn").read_text() != "77\n"


def test_packages_can_be_installed(box: Lab) -> None:
    inside(box, "sudo apt-get update -q; sudo apt-get install -qy --no-install-recommends tree")


def test_up_again_returns_the_same_lab_and_boots_a_stopped_one(box: Lab) -> None:
    inside(box, "echo here | sudo tee /etc/mark > /dev/null")
    assert lab.up("test-box", disks=SMALL, say=quiet) == box
    container.stop(box)
    disks.detach(box.folder)  # as after a boot of this machine
    assert box not in lab.running()
    with pytest.raises(lab.LabError, match="At lab test-box: it is not up"):
        lab.chosen("test-box")
    assert lab.up("test-box", disks=SMALL, say=quiet) == box
    assert inside(box, "cat /etc/mark; ls /dev/disk/by-id | wc -l").split() == ["here", "2"]


def test_a_cut_ends_all_at_once_and_loses_nothing(box: Lab) -> None:
    inside(box, "echo there | sudo tee /etc/mark > /dev/null")
    cut = clup_lab("cut", "--name", "test-box")
    assert cut.returncode == 0, cut.stderr
    assert box not in lab.running()
    again = clup_lab("cut", "--name", "test-box")
    assert "At lab test-box: it is not up; boot it with" in again.stderr
    assert lab.up("test-box", say=quiet) == box
    assert inside(box, "cat /etc/mark; systemctl is-system-running").split() == ["there", "running"]


def test_disks_of_a_container_stay(box: Lab) -> None:
    for words in (("add", "virtio-MORE=1M"), ("detach", "virtio-ONE")):
        done = clup_lab("disk", *words, "--name", "test-box")
        assert (done.returncode, "use a lab of `--kind vm`" in done.stderr) == (1, True)
    assert lab.find("test-box") == box


def test_up_with_other_properties_is_refused(box: Lab) -> None:
    with pytest.raises(lab.LabError, match=r"lab test-box: its disks is .*`clup lab down"):
        lab.up("test-box", disks=SMALL[:1], say=quiet)


def test_two_labs_share_nothing(box: Lab) -> None:
    other = lab.up("test-other", disks=SMALL, say=quiet)
    assert other.port != box.port
    assert box.known_hosts_file.read_text() != other.known_hosts_file.read_text()
    numbers = [inside(each, "readlink -f /dev/disk/by-id/*").split() for each in (box, other)]
    assert len({*numbers[0], *numbers[1]}) == 4
    inside(other, "sudo mkfs.ext4 -q -L LAB_TWO /dev/disk/by-id/virtio-TWO")
    assert inside(box, "sudo blkid --label LAB_TWO || echo none").strip() == "none"
    lab.down("test-other", quiet)
    assert inside(box, "systemctl is-system-running").strip() == "running"


def test_two_ups_at_once_make_one_lab() -> None:
    made: list[subprocess.CompletedProcess[str]] = []
    words = ("up", "--name", "test-twice", "--disk", "virtio-ONE=64M")
    threads = [Thread(target=lambda: made.append(clup_lab(*words))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [done.returncode for done in made] == [0, 0], made
    assert len(traces("test-twice")["containers"]) == 1
    assert len(traces("test-twice")["loop devices"]) == 1


def test_down_removes_all_that_up_made() -> None:
    lab.up("test-gone", disks=SMALL, say=quiet)
    inside(
        lab.find("test-gone"),
        """
        sudo mkfs.ext4 -q /dev/disk/by-id/virtio-ONE
        sudo mount /dev/disk/by-id/virtio-ONE /mnt
        sudo sh -c 'sleep 1000 > /mnt/held 2>&1 &'
        """,
    )
    assert traces("test-gone").keys() == {"containers", "loop devices", "files"}
    assert clup_lab("down", "--name", "test-gone").returncode == 0
    assert traces("test-gone") == {}
    again = clup_lab("down", "--name", "test-gone")
    assert again.returncode == 1
    assert "there is no lab 'test-gone'; there are: " in again.stderr


@pytest.mark.parametrize("seconds", [0.2, 0.35, 0.5, 0.65, 0.8, 1.0, 1.3])
def test_down_after_a_kill_leaves_nothing(seconds: float) -> None:
    code = f"from clup import lab; lab.up('test-crash', disks={SMALL!r})"
    up = subprocess.Popen(
        [sys.executable, "-c", f"from clup.lab import Disk; {code}"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    up.send_signal(signal.SIGKILL)
    up.wait()
    if "test-crash" in machine.recorded():
        lab.down("test-crash", quiet)
    assert traces("test-crash") == {}


def test_what_a_killed_builder_mounted_goes_with_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a build"
    for inner in (folder / "dev", folder / "dev/pts"):
        inner.mkdir(parents=True)
        subprocess.run(as_root(["mount", "-t", "tmpfs", "tmpfs", str(inner)]), check=True)
    image.discard(folder)
    assert not folder.exists()


def test_up_after_a_kill_makes_the_lab_anew() -> None:
    cut = Lab("test-crash", "container", "trixie", 1, SMALL, machine.FOLDER / "test-crash")
    machine.save(cut)
    disks.attach(cut)
    made = lab.up("test-crash", disks=SMALL, say=quiet)
    assert made.ready
    assert len(disks.loops_of(made.folder)) == 2
    lab.down("test-crash", quiet)


def test_up_after_its_folder_was_deleted_leaves_no_orphans() -> None:
    first = lab.up("test-rm", disks=SMALL, say=quiet)
    subprocess.run(["rm", "-r", str(first.folder)], check=True)
    lab.up("test-rm", disks=SMALL, say=quiet)
    assert len(traces("test-rm")["containers"]) == 1
    assert len(traces("test-rm")["loop devices"]) == 2
    lab.down("test-rm", quiet)
    assert traces("test-rm") == {}


def test_a_lab_that_swaps_to_its_disk_can_be_removed() -> None:
    box = lab.up("test-swap", disks=SMALL, say=quiet)
    inside(box, "cd /dev/disk/by-id; sudo mkswap -q virtio-ONE; sudo swapon virtio-ONE")
    lab.down("test-swap", quiet)
    assert traces("test-swap") == {}


def test_ssh_passes_words_and_the_exit_code(box: Lab) -> None:
    done = clup_lab("ssh", "--name", "test-box", "--", "printf", "%s|", "a b", "$HOME", "-l")
    assert (done.stdout, done.returncode) == ("a b|$HOME|-l|", 0)
    assert clup_lab("ssh", "--name", "test-box", "exit 7").returncode == 7


def test_the_inventory_is_the_labs_that_are_up(box: Lab) -> None:
    def pyinfra(name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "pyinfra",
                "-y",
                "inventories/lab.py",
                "exec",
                "--",
                "id",
                "-un",
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "CLUP_LAB": name},
            capture_output=True,
            text=True,
            timeout=60,
        )

    reached = pyinfra("test-box")
    assert reached.returncode == 0, reached.stderr
    assert "[lab-test-box] Success" in reached.stdout + reached.stderr
    refused = pyinfra("test-none")
    assert refused.returncode != 0
    assert "there is no lab 'test-none'" in refused.stdout + refused.stderr
