"""Machines that are reached and cannot be converged: one line each, exit 1, and no harm done.

Each test begins and ends with a converged machine: what was broken is mended by hand, and then an
apply does what is left, so that nothing of the failed run is in the way.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clup import lab
from tests.faults.cuts import state
from tests.faults.runs import inventory, only_line, told, way_to
from tests.lab.command import ROOT, clup, on_machine
from tests.lab.machines import converged

NAME = "faults"
SITE = "inventories/lab.py"
HOST = f"lab-{NAME}"
PENDING = "ls -A /var/lib/clup/pending"
JOURNALD = "systemctl show -p ActiveEnterTimestampMonotonic --value systemd-journald"
MISSING_PACKAGE = "dpkg -r unattended-upgrades >/dev/null"


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with converged(NAME) as machine:
        yield machine


@contextmanager
def broken(box: lab.Lab, how: str, mend: str) -> Iterator[None]:
    """Break something on the machine for a while; afterwards an apply must converge it again,
    with all that the failed one still owed, and nothing of the operator's may be lost."""
    before = state.planted(box, "/srv/data", "/root")
    on_machine(box, how)
    try:
        yield
    finally:
        on_machine(box, mend)
    state.converges(box, SITE)
    assert state.kept(box, "/srv/data", "/root") == before


def account(box: lab.Lab, name: str, wrapper: str) -> None:
    """Make an account whose every command goes through a wrapper, run as root with it as $1."""
    on_machine(
        box,
        f"""id {name} >/dev/null 2>&1 || useradd -m {name}
        echo '{name} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/{name}
        cat >/usr/local/bin/as-{name} <<'.'
#!/bin/sh
exec sudo unshare -m sh -ec '{wrapper}' sh "$SSH_ORIGINAL_COMMAND"
.
        chmod 0755 /usr/local/bin/as-{name}
        install -d -m 0700 -o {name} ~{name}/.ssh
        {{ printf 'command="/usr/local/bin/as-{name}" '; cat ~operator/.ssh/authorized_keys; }} \\
          >~{name}/.ssh/authorized_keys
        chown {name} ~{name}/.ssh/authorized_keys""",
    )


def test_a_full_root_disk(box: lab.Lab, tmp_path: Path) -> None:
    """The lab's root is that of its host, which must not be filled: what this account runs sees
    an overlay on 4 MiB instead."""
    account(
        box,
        "full",
        """mount -t tmpfs -o size=4m tmpfs /mnt; mkdir /mnt/u /mnt/w /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w overlay /mnt/root
for each in proc sys dev run tmp; do mount --rbind /$each /mnt/root/$each; done
exec chroot /mnt/root su -s /bin/sh full -c "$1" """,
    )
    vm = inventory(tmp_path, vm=way_to(box, ssh_user="full"))
    line = only_line(clup(NAME, "apply", vm), "vm")
    assert line.startswith("vm: / has 4 MiB free and needs 200; find what fills it with `du -xh /")


def test_a_read_only_root(box: lab.Lab, tmp_path: Path) -> None:
    account(
        box,
        "readonly",
        'mount -o remount,bind,ro /; exec su -s /bin/sh readonly -c "$1"',
    )
    vm = inventory(tmp_path, vm=way_to(box, ssh_user="readonly"))
    line = only_line(clup(NAME, "apply", vm), "vm")
    assert line.startswith("vm: / cannot be written; is the filesystem full or read-only?")
    planned = clup(NAME, "plan", vm)
    assert (planned.exit, told(planned)) == (0, []), "a plan only reads"


def test_a_small_tmp(box: lab.Lab) -> None:
    with broken(box, "mount -t tmpfs -o size=1m tmpfs /tmp", "umount /tmp"):
        line = only_line(clup(NAME, "apply", SITE), HOST)
        assert f"{HOST}: /tmp has 1 MiB free and needs 16" in line
        assert clup(NAME, "plan", SITE).exit == 0


def test_a_disk_that_fills_up_on_the_way(box: lab.Lab) -> None:
    """/etc is an overlay on 64 KiB that are full: the file in it stays as it was."""
    drop_in = "/etc/systemd/journald.conf.d/50-clup.conf"
    on_machine(box, f"echo '# by hand' >>{drop_in}")
    before = on_machine(box, f"sha256sum {drop_in}; ls /etc/systemd/journald.conf.d")
    full = """mkdir -p /mnt/up; mount -t tmpfs -o size=64k tmpfs /mnt/up; mkdir /mnt/up/u /mnt/up/w
    head -c 70000 /dev/zero >/mnt/up/fill 2>/dev/null || true
    mount -t overlay -o lowerdir=/etc,upperdir=/mnt/up/u,workdir=/mnt/up/w overlay /etc"""
    with broken(box, full, "umount -l /etc; umount -l /mnt/up"):
        line = only_line(clup(NAME, "apply", SITE), HOST)
        assert line.startswith(f"{HOST}: base: Limit the journal: ")
        assert line.endswith(
            f"No space left on device | {drop_in} is as it was; mend that, then apply again"
        )
        assert on_machine(box, f"sha256sum {drop_in}; ls /etc/systemd/journald.conf.d") == before
        assert on_machine(box, PENDING) == "base-journald\n"
        began = on_machine(box, JOURNALD)
    assert on_machine(box, JOURNALD) != began, "the restart that was owed has happened"


def test_package_sources_that_do_not_answer(box: lab.Lab) -> None:
    closed = f"""{MISSING_PACKAGE}; apt-get clean; rm -rf /var/lib/apt/lists/*; mkdir /root/apt
    mv /etc/apt/sources.list* /root/apt/
    echo 'deb [trusted=yes] http://127.0.0.1:1/debian trixie main' >/etc/apt/sources.list"""
    with broken(box, closed, "rm /etc/apt/sources.list; mv /root/apt/* /etc/apt/; rmdir /root/apt"):
        line = only_line(clup(NAME, "apply", SITE), HOST)
        assert "base: Install the packages of the machine itself: " in line
        assert "http://127.0.0.1:1/debian" in line
        assert "'unattended-upgrades' has no installation candidate" in line
        assert line.endswith("mend that with apt-get there, then apply again")


def test_a_package_that_is_half_configured(box: lab.Lab) -> None:
    half = f"""{MISSING_PACKAGE}; mkdir -p /root/half/DEBIAN; cd /root/half
    printf '%s: %s\\n' Package half Version 1 Architecture all Maintainer 'x <x@example.org>' \\
      Description x >DEBIAN/control
    printf '#!/bin/sh\\nexit 1\\n' >DEBIAN/postinst; chmod 0755 DEBIAN/postinst
    dpkg-deb -b . /root/half.deb >/dev/null; dpkg -i /root/half.deb 2>/dev/null && exit 9 || true"""
    with broken(box, half, "dpkg -r half >/dev/null; rm -r /root/half*"):
        line = only_line(clup(NAME, "apply", SITE), HOST)
        assert "dpkg: error processing package half (--configure)" in line
        assert line.endswith("mend that with apt-get there, then apply again")


def held(seconds: int) -> str:
    """Return the script by which another process holds apt's lock."""
    hold = (
        'import fcntl, time; file = open("/var/lib/dpkg/lock-frontend", "w");'
        f" fcntl.lockf(file, fcntl.LOCK_EX); time.sleep({seconds})"
    )
    return f"""{MISSING_PACKAGE}; systemd-run -q --collect --unit hold python3 -c '{hold}'
    until apt-get -o DPkg::Lock::Timeout=0 check >/dev/null 2>&1; [ $? != 0 ]; do sleep 0.1; done"""


def test_apt_held_by_another_process_for_a_while(box: lab.Lab) -> None:
    with broken(box, held(4), "true"):
        applied = clup(NAME, "apply", SITE)
        assert applied.exit == 0, applied.stderr


def test_apt_held_by_another_process_for_too_long(box: lab.Lab, tmp_path: Path) -> None:
    vm = inventory(tmp_path, vm=way_to(box, base={"apt": {"lock_timeout_s": 10}}))
    with broken(box, held(60), "systemctl stop hold"):
        line = only_line(clup(NAME, "apply", vm), "vm")
        assert "lock was locked by" in line
        assert "python3" in line


def test_a_daemon_that_does_not_start(box: lab.Lab) -> None:
    drop_in = "/etc/systemd/system/docker.service.d/zz.conf"
    how = f"""printf '[Service]\\nExecStart=\\nExecStart=/bin/sh -c "echo no moon; exit 3"\\n' \\
      >{drop_in}; systemctl daemon-reload; systemctl stop docker.socket docker.service"""
    with broken(box, how, f"rm {drop_in}; systemctl daemon-reload"):
        line = only_line(clup(NAME, "apply", SITE), HOST)
        assert "engine: Install Docker and Compose, and run them: " in line
        assert "docker.service did not start: no moon; 'journalctl -u docker.service'" in line


def test_a_configuration_that_only_the_daemon_refuses(box: lab.Lab) -> None:
    """dockerd --validate accepts a storage driver that there is not."""
    path = "/etc/docker/daemon.json"
    how = f"""cp -a {path} /root/; systemctl stop docker.socket docker.service
    python3 -c 'import json; text = json.load(open("{path}")); text["storage-driver"] = "moonfs"
json.dump(text, open("{path}", "w"))'"""
    with broken(box, how, f"mv /root/daemon.json {path}"):
        line = only_line(clup(NAME, "apply", SITE), HOST)
        assert "docker.service did not start: " in line
        assert "moonfs" in line


def test_a_restart_that_fails_is_owed(box: lab.Lab) -> None:
    """Its files are right by then, so that nothing else would tell the next run of it."""
    drop_in = "/etc/systemd/system/docker.service.d/zz.conf"
    how = f"""sed -i 's/"10m"/"10g"/' /etc/docker/daemon.json
    printf '[Service]\\nExecStart=\\nExecStart=/bin/sh -c "echo no moon; exit 3"\\n' >{drop_in}
    systemctl daemon-reload"""
    with broken(box, how, f"rm {drop_in}; systemctl daemon-reload"):
        line = only_line(clup(NAME, "apply", SITE), HOST)
        assert "engine: Configure Docker and containerd: " in line
        assert line.endswith("docker.service did not come back; it said last: no moon")
        assert on_machine(box, PENDING) == "engine\n"
    assert on_machine(box, "systemctl is-active docker") == "active\n"


def pyinfra(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run plain pyinfra against the lab."""
    argv: list[str | Path] = [Path(sys.executable).with_name("pyinfra"), "-y", *arguments]
    environment = os.environ | {"CLUP_LAB": NAME, "NO_COLOR": "1"}
    return subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_plain_pyinfra_with_invalid_settings_runs_no_command(box: lab.Lab, tmp_path: Path) -> None:
    data = {"base": {"hostname": "a_b"}, "storrage": {}}
    path = inventory(tmp_path, one=way_to(box, **data), two=way_to(box, engine={"log": 5}))
    count = "journalctl -q _COMM=sudo --since today | grep -c COMMAND"
    before = int(on_machine(box, count))
    done = pyinfra(ROOT, path, "deploys/site.py")
    assert int(on_machine(box, count)) == before + 1, "the one command is that of this test"
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    for line in ("one: At base.hostname", "one: At storrage", "two: At engine.log"):
        assert line in done.stderr


def test_plain_pyinfra_in_words(box: lab.Lab, tmp_path: Path) -> None:
    site = str(ROOT / "deploys" / "site.py")
    elsewhere = pyinfra(tmp_path, str(ROOT / SITE), site)
    assert elsewhere.returncode == 1
    assert "Traceback" not in elsewhere.stdout + elsewhere.stderr
    without_key = pyinfra(ROOT, inventory(tmp_path, vm=way_to(box, ssh_key="/nowhere/id")), site)
    assert without_key.returncode == 1
    assert "No such private key file: /nowhere/id; correct ssh_key" in without_key.stderr
    assert "Traceback" not in without_key.stdout + without_key.stderr
