"""Images from this machine's Docker into a bundle, and from there into a lab machine's.

The tests run in the order in which they stand: each begins where the one before it ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clup import bundles, lab
from tests.faults.runs import begin, wait_for
from tests.lab import engine_machine
from tests.lab.command import Answer, clup, on_machine
from tests.lab.machines import inventory

NAME = "bundles"
IMAGES = "docker image ls --all --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}' | sort"

# Where Docker, ssh and programs of ours would leave what they were sent.
LEFT = """find /tmp /var/tmp /run/clup /var/lib/clup /root /home "$(docker info -f \
  '{{.DockerRootDir}}')/tmp" -size +1000k -o -name 'docker-import-*' 2>/dev/null || true"""


class Machine:
    """A lab machine with an empty Docker, and the bundle for it."""

    def __init__(self, box: lab.Lab, path: Path):
        self.box = box
        self.path = path
        self.bundle = bundles.open(path)

    def push(self, *words: str) -> Answer:
        return clup(NAME, "bundle", "push", inventory(self.box, {}), *self.words, *words)

    @property
    def words(self) -> list[str]:
        return ["--bundle", str(self.path)]

    def host(self, answer: Answer) -> dict[str, Any]:
        [host] = answer.document["hosts"].values()
        return dict(host)

    def there(self, script: str) -> str:
        return on_machine(self.box, script)

    def has(self) -> list[str]:
        """Return the images on the machine, of those in the bundle, by name."""
        listed = self.there(IMAGES)
        return [name for name, digest in self.bundle.images.items() if digest in listed]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    path = tmp_path_factory.mktemp("bundle") / "claw.tar"
    built = clup(NAME, "bundle", "build", "guard", "runner", "--output", str(path), "--yes")
    assert built.exit == 0, built.stderr
    assert built.document["made"] is True
    with engine_machine.machine(NAME) as box:
        applied = engine_machine.run(box, "apply", {})
        assert applied.exit == 0, applied.stderr
        yield Machine(box, path)


def test_a_second_build_does_nothing(machine: Machine) -> None:
    before = machine.path.stat()
    again = clup(NAME, "bundle", "build", "guard", "runner", "--output", str(machine.path))
    assert (again.exit, again.document["made"]) == (0, False)
    assert machine.path.stat() == before
    assert [each.name for each in machine.path.parent.iterdir()] == ["claw.tar"]


def test_a_damaged_bundle_is_refused_before_anything_is_loaded(machine: Machine) -> None:
    before = machine.there(IMAGES)
    layer = machine.bundle.contents[-1].layers[0].blob
    place = machine.bundle.places[layer][0] + 1000
    content = machine.path.read_bytes()
    machine.path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    pushed = machine.push()
    assert pushed.exit == 1
    assert f"is damaged: blobs/sha256/{layer} has the hash" in pushed.stderr
    assert machine.there(IMAGES) == before
    machine.path.write_bytes(content)


def test_a_disk_without_room_is_left_as_it_is(machine: Machine) -> None:
    before = machine.there(IMAGES)
    machine.there(
        "free=$(df --output=avail -B1 /srv/cache | tail -n 1);"
        " fallocate -l $((free - 150000000)) /srv/cache/full"
    )
    pushed = machine.push()
    machine.there("rm /srv/cache/full")
    assert pushed.exit == 1
    assert "MB are needed; make room" in pushed.stderr
    assert (machine.there(IMAGES), machine.there(LEFT)) == (before, "")


def test_a_push_that_is_cut_is_made_good_by_the_next(machine: Machine) -> None:
    """The operator's process is killed when the first of two images is there."""
    run = begin(NAME, "bundle", "push", inventory(machine.box, {}), *machine.words)
    wait_for(run, "image guard is loaded")
    run.kill()
    run.communicate()
    pushed = machine.push()
    assert pushed.exit == 0, pushed.stderr
    host = machine.host(pushed)
    assert "guard" in host["there"]
    assert sorted([*host["there"], *(each["name"] for each in host["sent"])]) == ["guard", "runner"]
    assert machine.has() == ["guard", "runner"]
    assert machine.there(LEFT) == ""
    assert "push images " in machine.there("tail -n 1 /var/lib/clup/journal.jsonl")


def test_what_was_pushed_runs_and_a_second_push_sends_nothing(machine: Machine) -> None:
    guard = machine.bundle.images["guard"]
    run = f"docker run --rm --network none --entrypoint python3 {guard}"
    assert machine.there(f"{run} -c 'import services.guard.app'") == ""
    before = machine.there(IMAGES)
    again = machine.push()
    assert (again.exit, machine.host(again)["sent"]) == (0, [])
    assert machine.there(IMAGES) == before
