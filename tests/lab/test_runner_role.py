"""The role `runner` on a lab machine: from a tree that `psy` owns to jobs that run, and back up.

The tests run in the order in which they stand.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clup import bundles, lab
from roles.runner.files import SOCKET as API
from tests.attacks.tamperings import TAMPERINGS
from tests.lab.breakages import mended
from tests.lab.breakages.runner import (
    ASIDE,
    CACHE,
    DATA,
    IMAGES,
    JOBS,
    KEYS,
    PRUNE,
    ROUNDS,
    RUN,
    SOCKET,
)
from tests.lab.command import ROOT, Answer, clup, on_machine
from tests.lab.engine_machine import IMAGE
from tests.lab.fingerprint import fingerprint
from tests.lab.machines import converged, inventory

NAME = "runner-role"
AS = "setpriv --reuid {0} --regid {0} --clear-groups"
STARTED = "docker inspect -f '{{.State.StartedAt}}' dkr-claw-runner dkr-claw-socket-proxy"

JOB = """job: {name}
description: what a test needs
image: {{{{ images["hello"] | quoted }}}}
command: [/bin/busybox, sh, -c, {script}]
trust: untrusted
parameters:
  word: {{kind: pattern, pattern: "[a-z]{{1,20}}", default: nobody}}
limits: {{seconds: 60, memory_mb: 64, output_mb: 1, disk_mb: 16, artifacts_mb: 1}}
"""

# Asks the runner as a caller does, on the machine and as root: caller, method, path, body.
ASK = r"""
import json, sys, urllib.error, urllib.request
caller, method, path, body = sys.argv[1:]
token = open(f"/srv/data/openclaw/runner/tokens/{caller}").read().strip()
request = urllib.request.Request(
    f"http://127.0.0.1:18888{path}", method=method, data=body.encode() or None,
    headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
try:
    answer = urllib.request.urlopen(request, timeout=90)
except urllib.error.HTTPError as error:
    answer = error
sys.stdout.write(answer.read().decode())
"""


def ours(*names: str) -> set[str]:
    """Return operations of the role by their names, as answers have them."""
    return {f"runner: {name}" for name in names}


class Site:
    """The machine, and commands on it with a runner whose settings are changed at will."""

    def __init__(self, box: lab.Lab, bundle: Path, found: dict[str, str], folder: Path):
        self.box = box
        self.bundle = bundle
        self.folder = folder
        self.said: dict[str, Any] = {
            "enabled": True,
            "bundle": str(bundle),
            "images": found,
            "jobs": str(folder),
            "callers": {"gw": {"jobs": ["greets"]}},
        }

    def job(self, name: str, script: str) -> Path:
        """Write the file of a job into the project."""
        path = self.folder / f"{name}.yaml.j2"
        path.write_text(JOB.format(name=name, script=json.dumps(script)))
        return path

    def run(self, command: str, *words: str, **said: Any) -> Answer:
        settings = {"runner": self.said | said}
        return clup(NAME, command, *words, inventory(self.box, settings))

    def there(self, script: str) -> str:
        return on_machine(self.box, script)

    def ask(self, method: str, path: str, body: object = None, caller: str = "operator") -> Any:
        """Return what the runner answers a caller."""
        text = json.dumps(body) if body is not None else ""
        said = self.there(f"python3 - {caller} {method} '{path}' '{text}' <<'END'\n{ASK}\nEND")
        return json.loads(said) if said.startswith(("{", "[")) else said

    def ran(self, job: str, **parameters: str) -> tuple[str, str]:
        """Run a job, and return its state and its output."""
        begun = self.ask("POST", "/v1/jobs/run", {"job": job, "parameters": parameters})
        ended = self.ask("GET", f"/v1/jobs/{begun['id']}?wait=60")
        return ended["state"], self.ask("GET", f"/v1/jobs/{begun['id']}/logs")

    def well(self) -> None:
        """Wait until the runner says that it can run jobs."""
        until = time.monotonic() + 120
        look = "docker exec dkr-claw-runner python3 -I /opt/clup/services/runner/healthy.py"
        while self.there(f"{look} 2>/dev/null && echo well || true") != "well\n":
            assert time.monotonic() < until
            time.sleep(1)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    bundle = tmp_path_factory.mktemp("bundle") / "claw.tar"
    built = clup(NAME, "bundle", "build", "guard", "runner", "--output", str(bundle), "--yes")
    assert built.exit == 0, built.stderr
    with converged(NAME) as box:
        hello = on_machine(box, f"{IMAGE}\ndocker image inspect -f '{{{{.Id}}}}' hello").strip()
        site = Site(box, bundle, {"hello": hello}, tmp_path_factory.mktemp("jobs"))
        site.job("greets", 'echo "hello $PARAM_WORD"')
        site.job("fails", "exit 3")
        yield site


def test_a_bad_job_is_refused_before_anything_is_contacted(site: Site) -> None:
    bad = site.job("bad", "true")
    bad.write_text(bad.read_text().replace("seconds: 60", "seconds: 0"))
    checked = site.run("check")
    assert checked.exit == 3
    assert "At limits.seconds" in checked.stderr
    assert str(bad) in checked.stderr
    applied = site.run("apply")
    assert (applied.exit, applied.document["hosts"]) == (3, {})
    bad.unlink()


def test_a_bundle_that_is_torn_is_refused_before_anything_is_contacted(site: Site) -> None:
    torn = site.bundle.with_name("torn.tar")
    torn.write_bytes(site.bundle.read_bytes()[:-100_000])
    for command in ("check", "apply"):
        refused = site.run(command, bundle=str(torn))
        assert refused.exit == 3
        assert "At runner.bundle (inventory, host runner-role): " in refused.stderr
        assert f"'{torn}' is no bundle: " in refused.stderr
        assert "build it anew with `clup bundle build`" in refused.stderr


def test_a_tree_that_psy_owns_is_taken_over(site: Site) -> None:
    site.there(
        f"chown -R psy:psy {DATA} /srv/cache/openclaw/runner\n"
        f"echo 'job: evil' >{DATA}/jobs/evil.yaml; chown psy {DATA}/jobs/evil.yaml\n"
        f"echo 'services: {{}}' >{DATA}/compose/docker-compose.yml; echo kept >{DATA}/reports/old"
    )
    planned = site.run("plan")
    assert planned.exit == 2, planned.stderr
    assert f"layout: Make {DATA}/jobs" in planned.operations("would change")
    assert ours(IMAGES, RUN, JOBS, KEYS, SOCKET, ASIDE) <= planned.operations("would change")
    applied = site.run("apply")
    assert applied.exit == 0, applied.stderr
    assert applied.operations("changed") == planned.operations("would change")
    kept = site.there(
        f"cat {DATA}/jobs/evil.yaml.bak.* {DATA}/compose/docker-compose.yml.bak.* "
        f"{DATA}/reports/old; ls {DATA}/jobs/*.yaml"
    )
    assert kept == (
        f"job: evil\nservices: {{}}\nkept\n{DATA}/jobs/fails.yaml\n{DATA}/jobs/greets.yaml\n"
    )


def test_a_second_apply_changes_nothing_and_all_checks_hold(site: Site) -> None:
    before = fingerprint(site.box)
    again = site.run("apply")
    assert (again.exit, again.operations("changed")) == (0, set()), again.stderr
    assert fingerprint(site.box) == before
    assert site.run("verify").checks("failed") == []


def test_plain_pyinfra_brings_the_images_too(site: Site) -> None:
    bundle = bundles.open(site.bundle)
    guard, runner = (bundle.images[name] for name in ("guard", "runner"))
    site.there("docker rm -f dkr-claw-socket-proxy dkr-claw-runner >/dev/null;"
        f" docker image rm -f {guard} {runner} >/dev/null")  # fmt: skip
    pyinfra = Path(sys.executable).with_name("pyinfra")
    words = [str(pyinfra), "-y", inventory(site.box, {"runner": site.said}), "deploys/site.py"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    site.there(f"docker image inspect {guard} {runner} >/dev/null")
    site.well()
    assert site.run("plan").exit == 0


def test_the_checks_of_its_source(site: Site) -> None:
    said = json.loads(site.there("bash -c 'exec 3<>/dev/tcp/127.0.0.1/18888;"
        ' printf "GET /healthz HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3\' | tail -n 1'))  # fmt: skip
    assert said["ok"] is True
    assert said["docker_host"] == "tcp://claw-socket-proxy:2375"
    assert {"service", "time_utc", "data_dir", "cache_dir"} <= said.keys()
    policy = "docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' dkr-claw-runner"
    assert site.there(policy) == "unless-stopped\n"
    assert site.there("ss -Hltn 'sport = :18888' | awk '{print $4}'") == "127.0.0.1:18888\n"


def test_callers_run_what_they_may(site: Site) -> None:
    assert site.ran("greets", word="psy") == ("succeeded", "hello psy\n")
    assert site.ran("fails")[0] == "failed"
    refused = site.ask("POST", "/v1/jobs/run", {"job": "fails"}, caller="gw")
    assert refused["error"]["code"] == "forbidden_job"
    assert site.ask("GET", "/v1/jobs", caller="gw")["jobs"] == []


def test_keys_and_tokens_stay_on_the_machine(site: Site) -> None:
    secrets = site.there(f"cat {DATA}/keys/guard; echo; cat {DATA}/tokens/gw; echo").split()
    assert [len(secret) for secret in secrets] == [64, 64]
    said = [site.run(word) for word in ("plan", "apply", "verify")]
    text = "".join(json.dumps(each.document) + each.stderr for each in said)
    text += site.there("cat /var/lib/clup/journal.jsonl; docker inspect $(docker ps -aq);"
        " docker logs dkr-claw-runner 2>&1; docker logs dkr-claw-socket-proxy 2>&1;"
        " grep -rs . /srv/data/openclaw/clup --include=*.yml")  # fmt: skip
    assert not [secret for secret in secrets if secret in text]
    read = f"{AS.format('psy')} sh -c 'cat {{}}' | wc -l"
    for path in ("audit/*.jsonl", "ledger/heads"):
        assert int(site.there(read.format(f"{DATA}/{path}"))) >= 2


def test_no_other_account_reads_a_secret_or_writes_what_is_run(site: Site) -> None:
    secrets = ("keys/guard", "tokens/gw", "tokens/operator", "state/runner.sqlite3")
    run = ("jobs", "jobs/greets.yaml", "compose", "keys", "tokens", "ledger", "ledger/heads")
    kept = ("audit", "audit/*.jsonl", "reports", "state")
    away = ("/run/docker.sock", API, "/srv/data/openclaw/clup", f"{CACHE}/work", f"{CACHE}/tmp")
    written_to = (*run, *kept, *away)
    look = f"""cd {DATA}
        for each in {" ".join(secrets)}; do test ! -r $each || echo "reads $each"; done
        for each in {" ".join(written_to)}; do test ! -w $each || echo "writes $each"; done"""
    assert len(site.there(look).splitlines()) == len((*secrets, *written_to)), "root may all of it"
    for user in ("psy", "gw-admin", "claw-job", "claw-trusted", "nobody"):
        change = f"setpriv --reuid {user} --regid $(id -g {user}) --init-groups"
        assert site.there(f"{change} sh <<'END'\n{look}\nEND") == "", user


def test_a_gateways_container_reaches_the_runner_and_nothing_else(site: Site) -> None:
    run = "docker run --rm --network runner_agents --entrypoint /bin/busybox hello"
    asks = f"""{run} wget -q -T 10 -O - http://claw-runner:8080/healthz; echo
        {run} wget -T 10 -O - --header "Content-Type: application/json" --post-data '{{}}' \\
            http://claw-runner:8080/mcp 2>&1 || true
        {run} wget -T 5 -O - http://claw-socket-proxy:2375/_ping 2>&1 || true"""
    health, rest = site.there(asks).split("\n", 1)
    assert json.loads(health)["ok"] is True
    assert "401" in rest
    assert "bad address 'claw-socket-proxy" in rest


def test_it_survives_a_restart_of_docker_and_of_its_socket(site: Site) -> None:
    site.there("systemctl restart docker docker.socket")
    site.well()
    assert site.ran("greets")[0] == "succeeded"
    assert site.run("plan").exit == 0


def test_a_docker_that_hangs_is_told(site: Site) -> None:
    site.there("pkill -STOP -x dockerd")
    try:
        until = time.monotonic() + 60
        while (said := site.ask("GET", "/healthz"))["ok"]:
            assert time.monotonic() < until, "a runner without Docker says that it is well"
            time.sleep(1)
    finally:
        site.there("pkill -CONT -x dockerd")
    assert "reason" in said
    site.well()
    assert site.ran("greets")[0] == "succeeded"


def test_a_full_disk_under_docker_is_told_and_waited_for(site: Site) -> None:
    site.there(
        "cd /srv/cache; fallocate -l $(df -B 1 --output=avail . | tail -n 1) fill;"
        " dd if=/dev/zero of=rest bs=4k 2>&- || true; sync -f ."
    )
    job = f"/v1/jobs/{site.ask('POST', '/v1/jobs/run', {'job': 'greets'})['id']}"
    until = time.monotonic() + 60
    while (said := site.ask("GET", "/healthz"))["ok"]:
        assert time.monotonic() < until, "a runner that can begin nothing says that it is well"
        time.sleep(1)
    assert "no space left on device" in said["reason"]
    assert site.ask("GET", job)["state"] == "queued"
    site.there("rm /srv/cache/fill /srv/cache/rest")
    assert site.ask("GET", f"{job}?wait=60")["state"] == "succeeded"
    site.well()


def test_every_tampering_with_the_record_is_found(site: Site, subtests: pytest.Subtests) -> None:
    for _ in range(3):
        site.ran("greets")
    site.there(f"docker stop dkr-claw-runner; cp -a {DATA}/audit {DATA}/ledger /root")
    chain, ledger = f"{DATA}/audit/000000000001.jsonl", f"{DATA}/ledger/heads"
    whole = [base64.b64decode(site.there(f"base64 {path}")) for path in (chain, ledger)]
    for tampering in (each for each in TAMPERINGS if each.on_machine):
        with subtests.test(tampering.name):
            for path, data in zip((chain, ledger), tampering.done(*whole), strict=True):
                site.there(f"rm -f {path}" if data is None else written(path, data))
            found = site.run("audit", "verify")
            assert found.exit == 2, found.stderr
            [host] = found.document["hosts"].values()
            said = [": ".join(each.values()) for each in host["findings"]]
            assert any(tampering.finding in line for line in said), said
        site.there(f"cp -a /root/audit/* {DATA}/audit; cat /root/ledger/heads >{ledger}")
    assert site.run("audit", "verify").exit == 0
    site.there("docker start dkr-claw-runner")
    site.well()
    assert site.ran("greets")[0] == "succeeded"
    assert site.run("audit", "verify").exit == 0


def written(path: str, data: bytes) -> str:
    """Return a script that writes a file, which stays the same file."""
    return f"base64 -d >{path} <<'END'\n{base64.encodebytes(data).decode()}END"


def test_a_job_that_changed_is_in_force_without_a_restart(site: Site) -> None:
    started = site.there(STARTED)
    site.job("greets", 'echo "good day $PARAM_WORD"')
    applied = site.run("apply")
    assert applied.operations("changed") == ours(JOBS), applied.stderr
    assert site.ran("greets", word="psy") == ("succeeded", "good day psy\n")
    assert site.there(STARTED) == started
    assert site.run("verify").checks("failed") == []


def test_rights_that_changed_are_in_force_without_a_restart(site: Site) -> None:
    started = site.there(STARTED)
    site.said["callers"] = {"gw": {"jobs": ["greets", "fails"]}}
    applied = site.run("apply")
    assert applied.operations("changed") == ours("Say what each caller may run")
    accepted = site.ask("POST", "/v1/jobs/run", {"job": "fails"}, caller="gw")
    assert accepted["state"] in ("queued", "running")
    assert site.there(STARTED) == started
    assert site.run("verify").checks("failed") == []


def test_a_runner_that_could_write_what_jobs_run_cannot_any_more(site: Site) -> None:
    """A machine of a former version: what trusted jobs made the runner may exchange."""
    trusted, runner = AS.format("claw-trusted"), AS.format("claw-runner")
    seen = f"{CACHE}/gradle {DATA}/jobs {DATA}/keys {DATA}/tokens /srv/data/openclaw/repo"
    writable = f"{runner} find {seen} -writable 2>/dev/null || true"
    site.there(
        f"echo 'a+ {CACHE}/gradle - - - - default:user:claw-runner:rwx' >/tmp/former.conf\n"
        "systemd-tmpfiles --create /tmp/former.conf; rm /tmp/former.conf\n"
        f"{trusted} sh -c 'mkdir -p {CACHE}/gradle/m2/org; echo >{CACHE}/gradle/m2/org/a.jar'"
    )
    assert f"{CACHE}/gradle/m2/org/a.jar" in site.there(writable).splitlines()
    [failed] = site.run("verify").checks("failed")
    assert f"of the services the guard alone writes in {CACHE}/gradle" in failed
    assert site.run("plan").operations("would change") == ours(PRUNE)
    applied = site.run("apply")
    assert applied.operations("changed") == ours(PRUNE), applied.stderr
    site.there(f"{trusted} sh -c 'mkdir {CACHE}/gradle/m2/new; echo >{CACHE}/gradle/m2/new/b.jar'")
    assert site.there(writable) == ""
    assert site.there("docker exec dkr-claw-runner ls /runner-cache") == "tmp\n"
    again = site.run("apply")
    assert (again.exit, again.operations("changed")) == (0, set()), again.stderr
    assert site.run("verify").checks("failed") == []


def test_the_guard_prunes_the_cache(site: Site) -> None:
    trusted = AS.format("claw-trusted")
    site.there(f"""{trusted} sh -c 'cd {CACHE}/gradle/m2
        head -c 2000000 /dev/zero >old.jar; head -c 2000000 /dev/zero >new.jar
        touch -d "2 days ago" old.jar'""")
    applied = site.run("apply", cache_mb=3)
    assert applied.operations("changed") == ours(RUN), applied.stderr
    site.well()
    until = time.monotonic() + 60
    while (there := site.there(f"cd {CACHE}/gradle/m2; ls *.jar")) != "new.jar\n":
        assert time.monotonic() < until, there
        time.sleep(1)
    assert "cache pruned" in site.there("docker logs dkr-claw-socket-proxy")
    assert site.run("apply").operations("changed") == ours(RUN)
    site.there(f"rm -r {CACHE}/gradle/m2")
    site.well()


def test_every_breakage_is_named_shown_and_mended(site: Site, subtests: pytest.Subtests) -> None:
    for together in ROUNDS:
        with subtests.test("; ".join(each.name for each in together)):
            mended([("runner", each) for each in together], site.run, site.there)
            site.well()
    assert site.run("verify").checks("failed") == []


def test_a_member_of_the_guards_group_is_found(site: Site) -> None:
    site.there("gpasswd -a psy claw-guard >/dev/null")
    failed = site.run("verify").checks("failed")
    assert any("nobody but the guard is in the group claw-guard" in line for line in failed)
    site.there("gpasswd -d psy claw-guard >/dev/null")


def test_a_container_that_joins_the_guards_network_is_found(site: Site) -> None:
    run = "docker run -d --name guest --network runner_inside --entrypoint /bin/busybox hello"
    site.there(f"{run} sleep 600 >/dev/null")
    failed = site.run("verify").checks("failed")
    assert any("in the network runner_inside" in line and "guest" in line for line in failed)
    site.there("docker rm -f guest >/dev/null")


def test_whoever_passes_the_guard_by_is_found(site: Site) -> None:
    run = "docker run -d --network none --entrypoint /bin/busybox"
    for name, options in (
        ("portainer", "-v /var/run/docker.sock:/s"),
        ("watchtower", "-v /:/host:ro"),
        ("tuner", "--privileged"),
    ):
        site.there(f"{run} --name {name} {options} hello sleep 600 >/dev/null")
    site.there("chmod 666 /run/docker.sock")
    waiver = {"reason": "shows us what runs", "owner": "psy", "expires": "2100-01-01"}
    [socket, found] = site.run("verify", docker={"portainer": waiver}).checks("failed")
    assert "/run/docker.sock is root:docker 660: found 'root:docker 666'" in socket
    assert "no container but the guard has Docker's socket or is privileged" in found
    assert "container tuner HostConfig.Privileged" in found
    assert "container watchtower Mounts.0 '/' shows it Docker's socket" in found
    assert "portainer" not in found
    site.there("docker rm -f tuner watchtower >/dev/null; chmod 660 /run/docker.sock")
    verified = site.run("verify", docker={"portainer": waiver})
    assert verified.checks("failed") == []
    assert any("container portainer" in line for line in verified.checks("passed"))
    assert any("portainer" in line for line in site.run("verify").checks("failed"))
    site.there("docker rm -f portainer >/dev/null")


def test_whom_a_list_lets_at_dockers_sockets_is_found(site: Site) -> None:
    sockets = ("/run/docker.sock", API)
    lists = "".join(f"a+ {each} - - - - user:psy:rw\\n" for each in sockets)
    site.there(f"printf '{lists}' >/tmp/lists.conf; systemd-tmpfiles --create /tmp/lists.conf")
    failed = site.run("verify").checks("failed")
    assert [each in line for each, line in zip(sockets, failed, strict=True)] == [True, True]
    assert all("has no access control list" in line for line in failed)
    away = "import os, sys; [os.removexattr(each, sys.argv[1]) for each in sys.argv[2:]]"
    site.there(f"python3 -c '{away}' system.posix_acl_access {' '.join(sockets)}")
    assert site.run("verify").checks("failed") == []


def test_what_docker_forgot_is_found(site: Site) -> None:
    begun = "docker run -d --network none --entrypoint /bin/busybox hello sleep 600"
    stray = site.there(begun).strip()
    forget = f"rm -r /srv/cache/docker/containers/{stray}"
    sockets = "clup-docker-guard.socket docker.socket"
    site.there(f"systemctl -q stop {sockets} docker; {forget}; systemctl start {sockets} docker")
    site.well()
    [found] = site.run("verify").checks("failed")
    assert stray in found
    site.there(f"ctr -n moby tasks rm -f {stray}")
    assert site.run("verify").checks("failed") == []


def test_a_boot_brings_it_back(site: Site) -> None:
    lab.reboot(NAME, print)
    site.well()
    assert site.run("plan").exit == 0
    assert site.run("verify").checks("failed") == []
    assert site.ran("greets")[0] == "succeeded"


def test_what_left_the_settings_works_until_it_is_removed(site: Site) -> None:
    (site.folder / "fails.yaml.j2").unlink()
    site.said["callers"] = {}
    applied = site.run("apply")
    [host] = applied.document["hosts"].values()
    left = {f"{DATA}/jobs/fails.yaml", f"{DATA}/tokens/gw", f"{DATA}/tokens/gw.yaml"}
    assert set(host["unmanaged"]) == {f"file {path}" for path in left}
    assert site.ran("fails")[0] == "failed"
    for path in sorted(left):
        removed = site.run("remove", path, "--yes")
        assert removed.exit == 0, removed.stderr
    assert site.ask("POST", "/v1/jobs/run", {"job": "fails"})["error"]["code"] == "unknown_job_name"
    assert site.run("verify").checks("failed") == []
