from __future__ import annotations

import json

import pytest

from clup.daemon_files import (
    UnreadableError,
    containerd_toml,
    daemon_json,
    root_in_json,
    root_in_toml,
)

KEYS = {"data-root": "/srv/cache/docker", "log-opts": {"max-size": "10m"}}
ROOT = "/srv/cache/containerd"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, KEYS),
        ("", KEYS),
        (" \n", KEYS),
        ('{"debug": true}', {"debug": True, **KEYS}),
        ('{"data-root": "/var/lib/docker"}', KEYS),
        (
            '{"log-opts": {"max-size": "1g", "labels": "job"}, "features": {"buildkit": true}}',
            {
                "log-opts": {"max-size": "10m", "labels": "job"},
                "features": {"buildkit": True},
                "data-root": "/srv/cache/docker",
            },
        ),
        ('{"log-opts": null}', KEYS),
    ],
)
def test_keys_of_others_are_kept(before: str | None, after: dict[str, object]) -> None:
    text = daemon_json(before, KEYS)
    assert json.loads(text) == after
    assert daemon_json(text, KEYS) == text


def test_a_daemon_json_that_says_it_already_is_not_rewritten() -> None:
    before = '{"log-opts":{"max-size":"10m"},   "data-root":"/srv/cache/docker"}'
    assert daemon_json(before, KEYS) == before


@pytest.mark.parametrize("text", ['{"a": 1,}', "// mine\n{}", "[]", "null", '"text"'])
def test_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(UnreadableError, match="is no JSON"):
        daemon_json(text, KEYS)


def test_bytes_that_are_no_utf_8_are_not_rewritten() -> None:
    text = b'{\n"label": "B\xfcro"}'.decode(errors="surrogateescape")
    with pytest.raises(UnreadableError, match="has bytes that are no UTF-8, in line 2"):
        daemon_json(text, KEYS)
    with pytest.raises(UnreadableError, match="has bytes that are no UTF-8, in line 1"):
        containerd_toml("# B\udcfcro", ROOT)


@pytest.mark.parametrize(
    ("text", "root"),
    [
        (None, None),
        ("{}", None),
        ('{"graph": "/mnt/docker"}', "/mnt/docker"),
        ('{"data-root": "/srv/docker", "graph": "/mnt/docker"}', "/srv/docker"),
        ('{"data-root": 7}', None),
    ],
)
def test_the_root_in_daemon_json(text: str | None, root: str | None) -> None:
    assert root_in_json(text) == root


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("version = 2\n", f'root = "{ROOT}"\nversion = 2\n'),
        ("", f'root = "{ROOT}"\n'),
        (
            'disabled_plugins = ["cri"]\n\n#root = "/var/lib/containerd"\n',
            f'root = "{ROOT}"\ndisabled_plugins = ["cri"]\n\n#root = "/var/lib/containerd"\n',
        ),
        (
            "version = 2\nroot = '/var/lib/containerd' # mine\n[plugins]\n  [plugins.x]\n",
            f'version = 2\nroot = "{ROOT}"\n[plugins]\n  [plugins.x]\n',
        ),
        # A root of a table is another key.
        ('[plugins.x]\nroot = "/mine"\n', f'root = "{ROOT}"\n[plugins.x]\nroot = "/mine"\n'),
        # It says so already, in words of its own.
        (f"root='{ROOT}'   # as it was\n", f"root='{ROOT}'   # as it was\n"),
    ],
)
def test_only_the_root_is_set(before: str, after: str) -> None:
    assert containerd_toml(before, ROOT) == after
    assert containerd_toml(after, ROOT) == after


def test_a_new_config_toml_has_its_root() -> None:
    assert root_in_toml(containerd_toml(None, ROOT)) == ROOT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("version = ", "is no TOML"),
        # The words of a text that look like the key must not be taken for it.
        ('note = """\nroot = "/x"\n"""\nroot = "/var/lib/containerd"\n', "on its own"),
        ('root = """\n/var/lib/containerd"""\n', "no TOML"),
    ],
)
def test_what_cannot_be_edited_safely_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        containerd_toml(text, ROOT)
