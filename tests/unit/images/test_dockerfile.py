from __future__ import annotations

from pathlib import Path

import pytest

from clup.images import wheels
from clup.images.build import ROOT, builder_words, digest, entries, recipe, services
from clup.images.bundle import refuse_unpinned
from clup.images.dockerfile import Dockerfile, context, read, sources
from clup.lab.errors import LabError

TEXT = """\
# a comment
ARG BASE
FROM ${BASE}
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-yaml && rm -rf /var/lib/apt/lists/*
COPY services/jobs /opt/clup/services/jobs
USER 65534:65534
ENTRYPOINT ["python3"]
"""  # noqa: E501  as a Dockerfile has it


def test_what_a_dockerfile_says() -> None:
    assert read(TEXT, "x") == Dockerfile(
        ("python3", "python3-yaml"),
        {"services/jobs": "/opt/clup/services/jobs"},
        ("USER 65534:65534", 'ENTRYPOINT ["python3"]'),
    )


WHEELS = """\
COPY lock /opt/lock
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip && python3 -m pip install --no-deps --require-hashes --only-binary :all: --no-compile --no-cache-dir --target /opt/site -r /opt/lock && apt-get purge -y --auto-remove python3-pip && rm -rf /var/lib/apt/lists/*
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt
"""  # noqa: E501


def test_a_lock_of_wheels() -> None:
    assert read(WHEELS, "x").wheels == {"/opt/site": "/opt/lock"}
    assert read(WHEELS, "x").compiler[-1] == "/opt"
    assert read(WHEELS, "x").packages == (), "pip is of no use to what it has installed"
    other = WHEELS.replace("/opt/site", "/opt/other")
    assert digest("b", read(WHEELS, "x"), {}) != digest("b", read(other, "x"), {})


def test_wheels_are_for_the_image_and_not_for_this_machine() -> None:
    argv = wheels.pip_argv(Path("/lock"), Path("/out"), "x86_64")
    assert argv[argv.index("--python-version") + 1] == "3.13"
    assert "manylinux_2_28_x86_64" in argv
    assert {"--require-hashes", "--no-deps", ":all:"} <= set(argv)


@pytest.mark.parametrize(
    "line",
    ["RUN curl x | sh", "FROM debian:latest", "ADD x /y", "COPY --from=x a b", "VOLUME /x",
     "RUN python3 -m pip install x",
     "ENV A=1 \\", "RUN apt-get update && apt-get install -y --no-install-recommends a;b && rm -rf "
     "/var/lib/apt/lists/*"],
)  # fmt: skip
def test_what_cannot_be_built_from_packages_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="x, line 8: "):
        read(TEXT + line, "x")


def test_every_services_dockerfile_is_understood() -> None:
    for path in ROOT.glob("services/*/Dockerfile"):
        dockerfile = read(path.read_text(encoding="utf-8"), str(path))
        assert sources(ROOT, dockerfile)


def test_another_file_or_setting_is_another_image(tmp_path: Path) -> None:
    (tmp_path / "services/jobs/__pycache__").mkdir(parents=True)
    (tmp_path / "services/jobs/a.py").write_text("1")
    (tmp_path / "services/jobs/__pycache__/a.pyc").write_text("1")
    dockerfile = read(TEXT, "x")
    files = sources(tmp_path, dockerfile)
    assert files == {"opt/clup/services/jobs/a.py": b"1"}
    first = digest("base", dockerfile, files)
    assert digest("base", dockerfile, {"opt/clup/services/jobs/a.py": b"2"}) != first
    assert digest("other", dockerfile, files) != first
    assert digest("base", read(TEXT + "EXPOSE 1\n", "x"), files) != first
    assert [entry.path for entry in entries(files)] == [
        "opt", "opt/clup", "opt/clup/services", "opt/clup/services/jobs",
        "opt/clup/services/jobs/a.py",
    ]  # fmt: skip


def test_dockers_builder_gets_the_same_files_as_are_copied() -> None:
    pinned = "debian@sha256:" + "0" * 64
    for service in services():
        wanted = recipe(service, pinned)
        given = context(ROOT, wanted.dockerfile)
        assert sorted(given.values()) == sorted(wanted.files.values())
        assert all((ROOT / path).read_bytes() == content for path, content in given.items())
        words = builder_words(wanted)
        assert f"BASE={pinned}" in words
        assert f"services/{service}/Dockerfile" in words
        assert wanted.tag.startswith(f"clup-{service}:pinned-")


@pytest.mark.parametrize("text", ["debian", "debian:trixie", "debian@sha256:12", "-x@sha256:"])
def test_a_base_that_may_be_another_tomorrow_is_refused(text: str) -> None:
    with pytest.raises(LabError, match="--base"):
        refuse_unpinned(text)
    refuse_unpinned("example.org:5000/debian:trixie-slim@sha256:" + "a" * 64)
