"""A stack of one's own from the settings to what runs, on a machine with the whole site.

The tests run in the order in which they stand: each begins where the one before it ended.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clup import lab
from tests.faults.runs import begin, wait_for
from tests.lab.command import Answer, clup, on_machine
from tests.lab.engine_machine import IMAGE
from tests.lab.fingerprint import fingerprint
from tests.lab.machines import converged, inventory

NAME = "stacks"
HERE = Path(__file__).parent / "stacks"
LIVE = "/srv/data/openclaw/web"
TREE = "/srv/data/openclaw/clup"
RUN = "stacks: Run the stack web"
SECRET = "hunter2-hunter2"
PAGE = (
    "exec 3<>/dev/tcp/127.0.0.1/18080; printf 'GET /index.html HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
)
STARTED = "docker inspect -f '{{.State.StartedAt}}' web-web-1 2>&1"


class Site:
    """The machine, and commands on it with a stack whose settings are changed at will."""

    def __init__(self, box: lab.Lab, image: str):
        self.box = box
        self.values: dict[str, Any] = {"image": image, "page": "first", "broken": False}
        self.more: dict[str, Any] = {}

    def run(self, command: str, *words: str, own: bool = True, **values: Any) -> Answer:
        """Run a command with the stack's values, or without the stack; these values stay."""
        self.values |= values
        stack = {
            "template": "web.yaml.j2",
            "values": self.values,
            "configs": {f"{LIVE}/index.html": "index.html.j2"},
            "secrets": [f"{LIVE}/key"],
            "seconds": 30,
            **self.more,
        }
        settings = {"templates": str(HERE), "own": {"web": stack} if own else {}}
        return clup(NAME, command, *words, inventory(self.box, {"stacks": settings}))

    def page(self) -> str:
        """Return what the service serves on the machine's own loopback address."""
        return on_machine(self.box, f"bash -c {PAGE!r} | tail -n 1").strip()

    def there(self, script: str) -> str:
        """Run a script on the machine."""
        return on_machine(self.box, script)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with converged(NAME) as box:
        image = on_machine(box, f"{IMAGE}\ndocker image inspect -f '{{{{.Id}}}}' hello").strip()
        on_machine(
            box,
            f"mkdir {LIVE}; umask 077; echo {SECRET} >{LIVE}/key; chown 10001 {LIVE}/key;"
            f" echo name: by-hand >{LIVE}/docker-compose.yml",
        )
        yield Site(box, image)


def test_what_breaks_a_rule_is_refused_before_anything_is_contacted(site: Site) -> None:
    for value, words in (("web:latest", "is whatever was pushed last"), ("web:1", "is a tag")):
        checked = site.run("check", image=value)
        assert checked.exit == 3, checked.stderr
        assert words in checked.stderr
    applied = site.run("apply")
    assert (applied.exit, applied.document["hosts"]) == (3, {})
    assert site.there("ls /var/lib/clup/stacks 2>&1 || true").endswith(
        "No such file or directory\n"
    )


def test_a_stack_comes_up_and_a_second_run_changes_nothing(site: Site) -> None:
    image = site.there("docker image inspect -f '{{.Id}}' hello").strip()
    planned = site.run("plan", image=image)
    assert planned.operations("would change") == {RUN}
    assert SECRET not in json.dumps(planned.document)
    applied = site.run("apply")
    assert applied.exit == 0, applied.stderr
    assert applied.operations("changed") == {RUN}
    assert site.page() == "<p>first</p>"
    before = fingerprint(site.box)
    again = site.run("apply")
    assert (again.exit, again.operations("changed")) == (0, set())
    assert fingerprint(site.box) == before
    assert site.run("verify").checks("failed") == []
    kept = site.there(f"grep -rl {SECRET} /var/lib/clup {TREE} || true")
    assert kept == ""


def test_what_was_at_its_place_is_kept_and_the_change_is_a_commit(site: Site) -> None:
    assert (
        site.there(f"readlink {LIVE}/docker-compose.yml").strip()
        == f"{TREE}/web/docker-compose.yml"
    )
    assert site.there(f"cat {LIVE}/docker-compose.yml.bak.*") == "name: by-hand\n"
    log = site.there(f"git -C {TREE} log --format=%s%n%b --stat")
    assert log.startswith("Apply ")
    assert "web/docker-compose.yml" in log
    assert "web/index.html" in log
    assert site.there(f"git -C {TREE} rev-list --count HEAD").strip() == "1"


def test_mounted_files_and_secrets_that_change_start_their_readers_anew(site: Site) -> None:
    started = site.there(STARTED)
    applied = site.run("apply", page="second")
    assert applied.exit == 0, applied.stderr
    assert site.page() == "<p>second</p>"
    second = site.there(STARTED)
    assert second != started
    assert site.there(f"git -C {TREE} rev-list --count HEAD").strip() == "2"
    site.there(f"umask 077; echo other-{SECRET} >{LIVE}/key")
    planned = site.run("plan")
    assert planned.operations("would change") == {RUN}
    assert f"the secret {LIVE}/key differs" in json.dumps(planned.document)
    assert site.run("apply").exit == 0
    assert site.there(STARTED) != second
    assert site.run("plan").exit == 0


def test_a_version_that_does_not_come_up_gives_way_to_the_one_that_ran(site: Site) -> None:
    commits = site.there(f"git -C {TREE} rev-parse HEAD")
    applied = site.run("apply", broken=True, page="third")
    assert applied.exit == 1
    assert "no port to be had" in applied.stderr
    assert "the version that ran before is back and well" in applied.stderr
    assert site.page() == "<p>second</p>"
    assert site.there(f"git -C {TREE} rev-parse HEAD; git -C {TREE} status --porcelain") == commits
    assert site.run("plan").operations("would change") == {RUN}
    assert site.run("apply", broken=False).exit == 0
    assert site.page() == "<p>third</p>"
    assert site.run("plan").exit == 0


BY_HAND = {
    "stopped": ("docker stop -t 1 web-web-1", "service web ended with"),
    "removed": ("docker rm -f web-web-1", "service web has no container"),
    "a copy edited in place": (f"echo forged >{LIVE}/index.html", "is not the copy of"),
    "a link replaced": (
        f"rm {LIVE}/docker-compose.yml; echo name: x >{LIVE}/docker-compose.yml",
        "docker-compose.yml does not lead to",
    ),
    "its source edited": (f"echo '# x' >>{TREE}/web/docker-compose.yml", "not as it was committed"),
    "brought up otherwise": (
        f"sed s/64m/65m/ {LIVE}/docker-compose.yml >/root/other.yml;"
        " docker compose -f /root/other.yml up -d 2>&1",
        "was brought up otherwise, by hand",
    ),
}


@pytest.mark.parametrize(("script", "words"), BY_HAND.values(), ids=BY_HAND)
def test_what_was_changed_by_hand_is_named_and_mended(site: Site, script: str, words: str) -> None:
    site.there(script)
    assert any(words in line for line in site.run("verify").checks("failed"))
    assert site.run("plan").operations("would change") == {RUN}
    applied = site.run("apply")
    assert applied.exit == 0, applied.stderr
    assert site.run("verify").checks("failed") == []
    assert site.page() == "<p>third</p>"
    assert site.run("plan").exit == 0


def test_a_container_that_breaks_an_invariant_is_found_while_it_runs(site: Site) -> None:
    site.there(
        "docker run -d --name forged --privileged --label com.docker.compose.project=web"
        " --label com.docker.compose.service=forged hello sleep 1000"
    )
    failed = site.run("verify").checks("failed")
    assert any("container forged" in line and "(rule privileged)" in line for line in failed)
    site.there("docker rm -f forged")
    assert site.run("verify").checks("failed") == []


@pytest.mark.parametrize("moment", ["bringing it up", "waiting", "at once"])
def test_a_run_that_is_killed_is_made_good_by_the_next(site: Site, moment: str) -> None:
    """The operator's process and the program on the machine are killed together."""
    site.values["page"] = f"killed {moment}"
    stack = inventory_of(site)
    run = begin(NAME, "apply", stack)
    if moment == "at once":
        wait_for(run, "operations to do")
    else:
        site.there(
            f"for attempt in $(seq 300); do pgrep -f clup.machine.stac[k] >/dev/null && break;"
            f" sleep 0.05; done; sleep {0.3 if moment == 'bringing it up' else 1.2}"
        )
    os.kill(run.pid, signal.SIGKILL)
    site.there("pkill -9 -f clup.machine.stac[k] || true")
    run.communicate()
    applied = clup(NAME, "apply", stack)
    assert applied.exit == 0, applied.stderr
    assert site.page() == f"<p>killed {moment}</p>"
    assert clup(NAME, "plan", stack).exit == 0
    assert site.there("ls /var/lib/clup/stacks/web").split() == ["good.json", "record.json"]


def inventory_of(site: Site) -> str:
    """Return the inventory with the stack as its values are now."""
    site.run("check")
    return str(site.box.folder / "machines.py")


LEAKS = {
    "a file of variables": ("web/.env", "MODE=1"),
    "the state of a gateway": ("gw-admin/config/openclaw.json", "{}"),
    "a database": ("infra/postgres/data/PG_VERSION", "17"),
    "the state of the runner": ("runner/reports/1/out.txt", "fine"),
    "the guard's key": ("runner/keys/guard", "0123456789abcdef" * 4),
    "a private key": ("web/notes.txt", "-----BEGIN OPENSSH PRIVATE KEY-----"),
    "a password in a file": ("web/app.conf", "DB_PASSWORD=swordfish"),
    "a link": ("web/link", None),
}


@pytest.mark.parametrize(("path", "text"), LEAKS.values(), ids=LEAKS)
def test_what_looks_secret_cannot_be_committed(site: Site, path: str, text: str | None) -> None:
    make = f"printf %s {text!r} >{path}" if text is not None else f"ln -s /etc/shadow {path}"
    tried = site.there(
        f"""cd {TREE}; mkdir -p "$(dirname {path})"; {make}; head=$(git rev-parse HEAD)
        git add -f {path}
        if git -c user.name=x -c user.email=x@y commit -q --no-verify -m leak 2>&1
        then echo COMMITTED; fi
        if git -c user.name=x -c user.email=x@y stash 2>&1; then echo STASHED; fi
        commit=$(git -c user.name=x -c user.email=x@y commit-tree -m x "$(git write-tree)")
        if git update-ref refs/heads/other $commit 2>&1; then echo UPDATED; fi
        if git tag t $commit 2>&1; then echo TAGGED; fi
        test "$(git rev-parse HEAD)" = "$head"
        git reset -q; rm -r {path}"""
    )
    assert f"refused: {path} in commit" in tried
    for word in ("COMMITTED", "STASHED", "UPDATED", "TAGGED"):
        assert word not in tried, tried
    assert site.run("verify").checks("failed") == []


def test_what_got_round_the_hook_is_found_in_the_history(site: Site) -> None:
    site.there(
        f"""cd {TREE}; echo TOKEN=abc >web/.env; git add -f web/.env
        git -c core.hooksPath=/nowhere -c user.name=x -c user.email=x@y commit -qm leak
        git reset -q --hard HEAD~1"""
    )
    assert any("web/.env in commit" in line for line in site.run("verify").checks("failed"))
    site.there(f"cd {TREE}; git reflog expire --expire=now --all; git gc -q --prune=now")
    assert site.run("verify").checks("failed") == []


def test_git_clean_where_the_live_data_lies_finds_no_repository(site: Site) -> None:
    said = site.there("cd /srv/data/openclaw; git clean -fdx 2>&1 || true; ls -d web gw-admin")
    assert "not a git repository" in said
    site.there(f"cd {TREE}; git clean -qfdx; test -e {LIVE}/key")
    assert site.run("plan").exit == 0


def test_a_copy_instead_of_a_link(site: Site) -> None:
    site.more["placed"] = "copy"
    started = site.there(STARTED)
    assert site.run("apply").exit == 0
    assert site.there(f"test ! -L {LIVE}/docker-compose.yml; {STARTED}") == started
    assert site.run("plan").exit == 0
    del site.more["placed"]
    assert site.run("apply").exit == 0
    assert site.there(STARTED) == started


def test_a_stack_that_left_the_settings_stays_until_it_is_taken_down(site: Site) -> None:
    site.there("docker run --rm -u 0 -v web_state:/state hello sh -c 'echo kept >/state/note'")
    page = site.page()
    applied = site.run("apply", own=False)
    assert applied.exit == 0
    [host] = applied.document["hosts"].values()
    assert host["unmanaged"] == ["stack web"]
    assert site.page() == page
    [host] = site.run("stack", "list", own=False).document["hosts"].values()
    assert [(row["name"], row["whose"]) for row in host["stacks"]] == [("web", "unmanaged")]
    declared = site.run("stack", "remove", "web", "--yes")
    assert declared.exit == 1
    assert "stack web is in the settings" in declared.stderr
    removed = site.run("stack", "remove", "web", "--yes", own=False)
    assert removed.exit == 0, removed.stderr
    assert site.there("docker ps -aq; ls /var/lib/clup/stacks") == "key\n"
    assert site.there("docker run --rm -v web_state:/state hello cat /state/note") == "kept\n"
    assert site.there(f"cat {LIVE}/key").endswith(f"{SECRET}\n")
    assert site.there(f"ls {TREE}; git -C {TREE} status --porcelain") == ""
    assert site.run("plan", own=False).document["hosts"][site.box.name]["unmanaged"] == []
