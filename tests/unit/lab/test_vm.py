"""What a virtual lab is made of, decided from values."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from clup.lab import accel, backports, container, machine, needs, qemu, vm, vm_image
from clup.lab.accel import Verdict
from clup.lab.errors import LabError
from clup.lab.machine import DEFAULT_DISKS, Disk, Lab
from clup.lab.qmp import monitor

BOX = Lab("first", "vm", "trixie", 2222, DEFAULT_DISKS, Path("/r/.lab/first"))


def value(argv: list[str], option: str) -> list[str]:
    """Given a command line, return what stands behind each of an option."""
    return [argv[at + 1] for at, word in enumerate(argv) if word == option]


def test_a_disk_has_the_serial_that_gives_it_its_id() -> None:
    argv = qemu.argv(BOX, qemu.EMULATED)
    disks = [json.loads(word) for word in value(argv, "-device") if word.startswith("{")]
    assert [disk["serial"] for disk in disks] == ["LABDATA", "LABCACHE"]
    files = [json.loads(word)["file"]["filename"] for word in value(argv, "-blockdev")]
    assert files == [
        "root.qcow2",
        "/r/.lab/first/virtio-LABDATA.disk",
        "/r/.lab/first/virtio-LABCACHE.disk",
    ]


def test_a_detached_disk_is_not_there_at_boot_and_a_read_only_one_is() -> None:
    data, cache = DEFAULT_DISKS
    disks = (replace(data, attached=False), replace(cache, read_only=True))
    argv = qemu.argv(replace(BOX, disks=disks), ())
    _root, only = [json.loads(word) for word in value(argv, "-blockdev")]
    assert (only["node-name"], only["read-only"]) == ("disk-LABCACHE", True)


def test_a_comma_or_a_long_path_harms_no_option() -> None:
    folder = Path("/a,b") / ("x" * 200)
    argv = qemu.argv(replace(BOX, folder=folder), ())
    with_folder = [word for word in argv if str(folder) in word]
    assert value(argv, "-pidfile") == [f"{folder}/qemu.pid"]
    assert len(with_folder) == 3
    assert all(word.startswith("{") for word in with_folder[:2])


@pytest.mark.parametrize(
    "disk", ["LABDATA", "virtio-", "virtio-" + "x" * 21, "virtio-a:b", "scsi-A", "wwn-0x5"]
)
def test_an_id_that_no_serial_gives_is_refused(disk: str) -> None:
    with pytest.raises(LabError, match=r"no id that a disk .* gets; use 'virtio-'"):
        qemu.checked((Disk(disk, 512),))


def test_more_disks_than_the_machine_has_slots_are_refused() -> None:
    disks = tuple(Disk(f"virtio-{number}", 512) for number in range(qemu.MOST_DISKS + 1))
    qemu.checked(disks[1:])
    with pytest.raises(LabError, match="25 disks are more"):
        qemu.checked(disks)
    qemu.checked((*disks[1:], replace(disks[0], attached=False)))


@pytest.mark.parametrize("disk", [Disk("a", 512, read_only=True), Disk("a", 512, attached=False)])
def test_a_container_keeps_its_disks(disk: Disk) -> None:
    container.check(replace(BOX, disks=(Disk("a", 512),)))
    with pytest.raises(LabError, match="use a lab of `--kind vm`"):
        container.check(replace(BOX, disks=(disk,)))


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (qemu.argv(BOX, ()), BOX.folder),
        (["/usr/bin/qemu-system-x86_64", "-pidfile", "/x/qemu.pid"], Path("/x")),
        (["qemu-system-x86_64", "-pidfile", "/x/other.pid"], None),
        (["qemu-system-x86_64", "-pidfile"], None),
        (["qemu-system-x86_64", "-m", "512"], None),
        (["vi", "-pidfile", "/x/qemu.pid"], None),
        ([], None),
    ],
    ids=["ours", "with a path", "another's", "cut off", "no pid file", "no QEMU", "the kernel"],
)
def test_a_machine_is_known_by_its_folder(argv: list[str], expected: Path | None) -> None:
    assert vm.folder_of(argv) == expected


def test_the_last_words_are_without_colours(tmp_path: Path) -> None:
    said = "\n".join(f"[\x1b[0;32m  OK  \x1b[0m] unit {number}\r\n" for number in range(9))
    (tmp_path / "console.log").write_text(f"{said}\x1b[?7h\x1b[6n\nlab login: ")
    words = vm.last_words(replace(BOX, folder=tmp_path)).splitlines()
    assert words == [*(f"[  OK  ] unit {number}" for number in range(5, 9)), "lab login:"]
    assert vm.last_words(replace(BOX, folder=tmp_path / "none")) == ""


BOOKWORM = "http://m.example/debian|bookworm|main|Debian\nhttp://s|bookworm-security|main|Debian\n"
ADDED = "http://m.example/debian|bookworm-backports|main|Debian Backports\n"


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (BOOKWORM, ("http://m.example/debian", False)),
        (BOOKWORM + ADDED, ("http://m.example/debian", True)),
        ("http://m.example/debian|trixie|main|Debian\n", None),
        ("http://u.example/ubuntu|jammy|main|Ubuntu\n", None),
        ("", None),
    ],
    ids=["Debian 12", "added before", "Debian 13", "Ubuntu", "no sources"],
)
def test_the_backports_are_of_the_machines_own_mirror(
    targets: str, expected: tuple[str, bool] | None
) -> None:
    found = backports.backports(targets)
    assert (found and (found.mirror, found.there)) == expected
    if found is not None:
        assert "\nURIs: http://m.example/debian\nSuites: bookworm-backports\n" in found.entry


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)", 7),
        ("QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)", 10),
        ("  Candidate: 1:7.2+dfsg-7+deb12u18", 7),
        ("  Candidate: (none)", 0),
        ("", 0),
    ],
)
def test_a_version_is_read_without_its_epoch(said: str, expected: int) -> None:
    assert needs.major(said) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"", "its kernel did not start in time"),
        (b"qemu-system-x86_64: error: failed to set MSR 0x10a\nmore\n", "error: failed to set MSR"),
        (b"KVM internal error. Suberror: 1\n", "KVM internal error. Suberror: 1"),
    ],
)
def test_why_kvm_does_not_do_is_told(said: bytes, expected: str) -> None:
    assert expected in accel.failure(said)


@pytest.mark.parametrize(
    ("kernel", "lives"),
    [
        ("echo booting; echo Run /init as init process; exec sleep 60", True),
        ("echo booting; exit 1", False),
        ("echo booting; exec sleep 60", False),
    ],
    ids=["lives", "ends", "hangs"],
)
def test_a_kernel_has_to_live_before_a_deadline(
    kernel: str, lives: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accel, "TRIAL_SECONDS", 1.0)
    console = tmp_path / "console"
    with console.open("wb") as said:
        process = subprocess.Popen(["sh", "-c", kernel], stdout=said)
    try:
        assert accel.comes_alive(process, console) is lives
    finally:
        process.kill()
        process.wait()


def test_a_trial_ends_with_whoever_is_killed_meanwhile() -> None:
    behind = [*accel.MORTAL, "sh", "-c", "echo begun; exec sleep 60"]
    words = [sys.executable, "-c", f"import subprocess; subprocess.run({behind})"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as begun:
        assert begun.stdout is not None
        assert begun.stdout.readline() == b"begun\n"
        begun.kill()
        began = time.monotonic()
        # It ends when the last that holds it has ended: the one behind, too.
        assert begun.stdout.read() == b""
        assert time.monotonic() - began < 30


def test_a_verdict_on_kvm_holds_for_one_boot_and_one_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    monkeypatch.setattr(machine, "FOLDER", tmp_path)
    monkeypatch.setattr(accel, "BOOT_ID", tmp_path / "boot")
    monkeypatch.setattr(accel, "closed", lambda: None)
    monkeypatch.setattr(accel, "trial", lambda image: tried.append(image.name))
    (tmp_path / "boot").write_text("b1\n")
    for image in ("one", "one", "two"):
        assert accel.accelerator(Path(image), print) == qemu.KVM
    (tmp_path / "boot").write_text("b2\n")
    accel.accelerator(Path("two"), print)
    assert tried == ["one", "two", "two"]
    assert accel.remembered() == Verdict("b2", "two", True, "a kernel boots under KVM")


def test_images_that_a_lab_starts_from_are_kept(tmp_path: Path) -> None:
    images = [tmp_path / name for name in ("old", "mine", "new")]
    assert vm_image.unused(images, {tmp_path / "mine", tmp_path / "new"}) == [tmp_path / "old"]


@contextmanager
def listening(folder: Path, answers: list[dict[str, object]]) -> Iterator[list[str]]:
    """Answer like QEMU on the socket of a lab's folder; lend what was asked."""
    asked: list[str] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "qmp"))
        listener.listen()

        def serve() -> None:
            said: list[dict[str, object]] = [{"QMP": {}}, {"return": {}}, *answers]
            with listener.accept()[0] as line, line.makefile("rwb") as stream:
                for answer in said:
                    if "QMP" not in answer and "event" not in answer:
                        asked.append(json.loads(stream.readline())["execute"])
                    stream.write(json.dumps(answer).encode() + b"\n")
                    stream.flush()

        thread = Thread(target=serve)
        thread.start()
        yield asked
        thread.join(timeout=10)


GONE = {"event": "DEVICE_DELETED", "data": {"device": "disk-A"}}


@pytest.mark.parametrize("answers", [[GONE, {"return": {}}], [{"return": {}}, GONE]])
def test_an_event_counts_whenever_it_comes(
    tmp_path: Path, answers: list[dict[str, object]]
) -> None:
    with listening(tmp_path, answers) as asked, monitor(tmp_path) as qmp:
        qmp.execute("device_del", {"id": "disk-A"})
        qmp.wait_for("DEVICE_DELETED", "disk-A")
    assert asked == ["qmp_capabilities", "device_del"]


def test_what_qemu_refuses_and_that_it_ends_is_told(tmp_path: Path) -> None:
    refusal: dict[str, object] = {"error": {"class": "GenericError", "desc": "no such device"}}
    with listening(tmp_path, [refusal]), monitor(tmp_path) as qmp:
        with pytest.raises(LabError, match="device_del: no such device"):
            qmp.execute("device_del", {"id": "disk-A"})
        with pytest.raises(LabError, match="QEMU ended"):
            qmp.wait_for("DEVICE_DELETED", "disk-A")
    with pytest.raises(LabError, match="QEMU does not answer"), monitor(tmp_path):
        pass


def test_a_machine_that_becomes_a_daemon_is_ended_with_its_child(tmp_path: Path) -> None:
    script = "(while :; do sleep 1; done) & wait"
    argv = [qemu.PROGRAM, "-c", script, "-pidfile", str(tmp_path / qemu.PID_FILE)]
    with subprocess.Popen(argv, executable="/bin/sh"):
        end = time.monotonic() + 10
        while list(vm.machines().values()).count(tmp_path) < 2:
            assert time.monotonic() < end
            time.sleep(0.01)
        vm.kill(tmp_path)
    assert vm.pid_of(tmp_path) is None
