from __future__ import annotations

from pathlib import Path

import pytest

from clup.images.build import ROOT, digest, entries
from clup.images.dockerfile import Dockerfile, read, sources

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


@pytest.mark.parametrize(
    "line",
    ["RUN curl x | sh", "FROM debian:latest", "ADD x /y", "COPY --from=x a b", "VOLUME /x",
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
