"""What must hold between the runner's settings, its files in the project, and other roles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from clup.settings import Problem
from clup.stacks.judged import judged
from roles import Settings
from roles.accounts.settings import Settings as Accounts
from roles.layout.settings import Settings as Layout
from roles.runner.files import JOBS
from roles.runner.jobs import read
from roles.runner.settings import Settings as Runner
from roles.runner.stacks import stacks

ID = f"sha256:{'1' * 64}"
JOB = """job: {name}
description: says hello
image: {image}
command: [echo, hello]
trust: untrusted
parameters:
  ref: {{kind: pattern, pattern: "[a-z]{{1,40}}"}}
"""


def runner(folder: Path, **said: Any) -> Runner:
    """Return a runner whose jobs are the files of a folder."""
    images = {"guard": ID, "runner": ID, "tools": ID}
    return Runner.model_validate({"enabled": True, "images": images, "jobs": str(folder), **said})


def problems(folder: Path, **said: Any) -> list[Problem]:
    return Settings.relations({"runner": runner(folder, **said), "accounts": Accounts()})


def job(folder: Path, name: str, image: str = ID, suffix: str = ".yaml") -> None:
    (folder / f"{name}{suffix}").write_text(JOB.format(name=name, image=image))


def test_jobs_come_to_the_machine_as_they_are_or_with_their_images(tmp_path: Path) -> None:
    job(tmp_path, "plain")
    job(tmp_path, "made", "{{ images['tools'] | quoted }}", ".yaml.j2")
    (tmp_path / "README.md").write_text("# Jobs\n")
    jobs, files, found = read(runner(tmp_path))
    assert found == []
    assert {name: each.image for name, each in jobs.items()} == {"made": ID, "plain": ID}
    assert [file.path for file in files] == [
        "/srv/data/openclaw/runner/jobs/made.yaml",
        "/srv/data/openclaw/runner/jobs/plain.yaml",
    ]
    assert {(file.user, file.group, file.mode) for file in files} == {("root", "root", "0644")}
    assert files[1].content == (tmp_path / "plain.yaml").read_text()
    assert problems(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("tagged.yaml", JOB.format(name="tagged", image="tools:latest"), "At image"),
        ("other.yaml", JOB.format(name="another", image=ID), "is not the file's name"),
        ("made.yaml.j2", "image: {{ images['nothing'] }}\n", "is not defined"),
        ("half.yaml.j2", "image: {{ images\n", "is no valid template"),
        ("notes.txt", "", "is no job file"),
        ("bytes.yaml", "\udcff", "cannot be read"),
        ("good.yaml.j2", "", "has two files"),
    ],
)
def test_a_file_that_is_no_job_is_an_invalid_setting(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    job(tmp_path, "good")
    (tmp_path / name).write_bytes(text.encode(errors="surrogateescape"))
    found = problems(tmp_path)
    assert any(words in str(each) for each in found), found
    assert all(each.cure for each in found)
    assert any(str(tmp_path / name) in each.origin for each in found)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    [found] = problems(tmp_path / "nowhere")
    assert (found.path, found.reason) == (
        "runner.jobs",
        "cannot be read: No such file or directory",
    )


def test_a_caller_may_run_only_what_there_is(tmp_path: Path) -> None:
    job(tmp_path, "audit")
    assert problems(tmp_path, callers={"gw": {"jobs": ["audit"]}}) == []
    [found] = problems(tmp_path, callers={"gw": {"jobs": ["audit", "audits"]}})
    assert found.path == "runner.callers.gw.jobs.1"
    assert found.cure == "did you mean 'audit'?"


def test_its_ids_are_those_of_the_accounts(tmp_path: Path) -> None:
    def said(**users: Any) -> list[str]:
        accounts = Accounts.model_validate(
            {"users": {k.replace("_", "-"): v for k, v in users.items()}}
        )
        return [
            f"{each.path} {each.cure}"
            for each in Settings.relations({"runner": runner(tmp_path), "accounts": accounts})
        ]

    assert said() == []
    assert said(claw_runner={"uid": 2999}) == ["runner.ids.runner write 2999"]
    assert said(claw_guard=None) == [
        "runner.ids.guard declare it in accounts.users, with the id 2011"
    ]
    [line] = said(claw_job={"group": "claw-trusted"})
    assert line.startswith("runner.ids.untrusted give the account a group of its own")


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("data/openclaw/runner/jobs", {"user": "psy"}),
        ("data/openclaw/runner/tokens", {"group": "psy", "mode": "0775"}),
        ("data/openclaw/runner/state", {"user": "psy"}),
        ("cache/openclaw/runner/gradle", {"user": "claw-runner"}),
        ("data/openclaw/runner/ledger", None),
    ],
)
def test_its_folders_are_whose_they_must_be(
    tmp_path: Path, folder: str, said: dict[str, str] | None
) -> None:
    layout = Layout.model_validate({"folders": {f"/srv/{folder}": said}})
    [found] = Settings.relations({"runner": runner(tmp_path), "layout": layout})
    assert found.path == f"layout.folders./srv/{folder}"
    assert Settings.relations({"runner": runner(tmp_path), "layout": Layout()}) == []


def test_one_that_is_not_enabled_asks_for_nothing(tmp_path: Path) -> None:
    absent = Runner.model_validate({"jobs": str(tmp_path / "nowhere")})
    assert Settings.relations({"runner": absent, "accounts": Accounts()}) == []
    assert list(stacks(absent)) == []


def test_what_jobs_see_of_the_machine_no_service_but_the_guard_can_write(tmp_path: Path) -> None:
    """Jobs run what lies there: whoever could exchange it would run as they do."""
    [spec] = stacks(runner(tmp_path))
    services = yaml.safe_load(judged(spec).files[0].content)["services"]
    guard = services.pop("dkr-claw-socket-proxy")["environment"]
    seen = [guard["GUARD_REPOSITORIES"], guard["GUARD_CACHE_GRADLE"], JOBS]
    written = [
        mount["source"]
        for service in services.values()
        for mount in service["volumes"]
        if not mount["read_only"]
    ]
    assert written
    assert [
        path for path in written for each in seen if is_in(each, path) or is_in(path, each)
    ] == []


def is_in(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder}/")


def test_the_proxy_of_the_source_keeps_the_rules_too(tmp_path: Path) -> None:
    tecnativa = runner(
        tmp_path,
        proxy="tecnativa",
        images={"tecnativa": f"tecnativa/docker-socket-proxy@{ID}", "runner": ID},
    )
    assert Settings.relations({"runner": tecnativa}) == []
    [spec] = stacks(tecnativa)
    services = yaml.safe_load(judged(spec).files[0].content)["services"]
    assert services["dkr-claw-socket-proxy"]["environment"] == {
        "CONTAINERS": "1", "IMAGES": "1", "POST": "0", "SOCKET_PATH": "/run/docker/api.sock",
    }  # fmt: skip


def test_the_guard_lets_as_many_jobs_run_as_the_runner_begins(tmp_path: Path) -> None:
    [spec] = stacks(runner(tmp_path, parallel=40))
    services = yaml.safe_load(judged(spec).files[0].content)["services"]
    assert services["dkr-claw-socket-proxy"]["environment"]["GUARD_MOST_RUNNING"] == "40"
    assert services["dkr-claw-runner"]["environment"]["RUNNER_PARALLEL"] == "40"


def test_the_guards_network_is_for_guard_and_runner(tmp_path: Path) -> None:
    [spec] = stacks(runner(tmp_path))
    said = yaml.safe_load(judged(spec).files[0].content)
    assert said["networks"]["inside"] == {"internal": True}
    joined = {each["container_name"] for each in said["services"].values()
              if "inside" in each["networks"]}  # fmt: skip
    [(network, members)] = spec.private.items()
    assert (network, set(members)) == (f"{spec.name}_inside", joined)
