"""What a machine's name, time zone and language cost: from what it says to what is done."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from clup.facts.identity import Identity, IdentityState
from clup.facts.paths import Paths, PathState, Text
from clup.operations.files import File
from clup.operations.identity import (
    is_compiled,
    named,
    speaking,
    with_language,
    with_name,
    zoned,
)
from tests.unit.operations.planning import evaluate

HOSTS = "127.0.0.1\tlocalhost\n127.0.1.1\tvm\n::1\tlocalhost\n"
GOOD = IdentityState(
    hostname="vm",
    hostname_file="vm\n",
    hosts=HOSTS,
    localtime="/usr/share/zoneinfo/Etc/UTC",
    timezone="",
    language_file="/etc/locale.conf",
    language="LANG=C.UTF-8\n",
    locales=frozenset({"C", "C.utf8", "POSIX"}),
)


def written(path: str, content: str) -> PathState:
    """The state of a file with that content, as clup leaves it."""
    return PathState("file", "0644", "root", "root", sha256=File(path, content).sha256)


FILES = {
    "/etc/hostname": written("/etc/hostname", "vm\n"),
    "/etc/hosts": written("/etc/hosts", HOSTS),
    "/etc/locale.conf": written("/etc/locale.conf", "LANG=C.UTF-8\n"),
}
FACTS = {Identity: GOOD, Paths: FILES, Text: "before\n"}


def test_what_is_right_costs_nothing() -> None:
    assert evaluate(named, FACTS, hostname="vm")[0] == []
    assert evaluate(zoned, FACTS, zone="Etc/UTC")[0] == []
    assert evaluate(speaking, FACTS, locale="C.UTF-8")[0] == []


def test_a_running_name_alone_is_set_without_touching_a_file() -> None:
    facts = FACTS | {Identity: replace(GOOD, hostname="elsewhere")}
    steps, notes = evaluate(named, facts, hostname="vm")
    assert steps == ["hostname vm", "check"]
    assert notes.evidence == ["the running name is elsewhere"]


def test_a_new_name_goes_to_both_files_before_the_kernel() -> None:
    steps, notes = evaluate(named, FACTS, hostname="claw")
    assert [step for step in steps if "/etc/hostname" in step or "/etc/hosts" in step]
    assert steps[-2:] == ["hostname claw", "check"]
    assert "+127.0.1.1\tclaw" in notes.diffs[1]


def test_a_zone_is_looked_for_before_it_is_linked() -> None:
    steps, _ = evaluate(zoned, FACTS | {Paths: {"/etc/localtime": None}}, zone="Europe/Berlin")
    assert "tzdata-legacy" in steps[0]
    assert "ln -sfnT" in steps[1]
    assert steps[-1] == "check"


def test_a_locale_that_is_not_there_is_compiled() -> None:
    steps, notes = evaluate(speaking, FACTS, locale="de_DE.UTF-8")
    assert any("locale-gen" in step for step in steps)
    assert "to compile: de_DE.UTF-8" in notes.evidence


@pytest.mark.parametrize(
    ("hosts", "former", "expected"),
    [
        (HOSTS, "vm", HOSTS.replace("\tvm", "\tclaw")),
        ("127.0.0.1\tlocalhost\n", "", "127.0.0.1\tlocalhost\n127.0.1.1\tclaw\n"),
        ("", "", "127.0.1.1\tclaw\n"),
        # A name that people gave it stays; its former own name goes, with or without a domain.
        ("127.0.1.1 vm.lan vm nas # x\n", "vm", "127.0.1.1\tclaw nas\n"),
        ("127.0.1.1 claw.lan claw\n", "claw", "127.0.1.1 claw.lan claw\n"),
        ("127.0.1.1 a\n192.0.2.1 b\n127.0.1.1 c\n", "a", "127.0.1.1\tclaw c\n192.0.2.1 b\n"),
    ],
)
def test_the_line_of_etc_hosts(hosts: str, former: str, expected: str) -> None:
    changed = with_name(hosts, "claw", former)
    assert changed == expected
    assert with_name(changed, "claw", "claw") == changed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "LANG=C.UTF-8\n"),
        ("LANG=de_DE.UTF-8\nLC_TIME=C\n", "LANG=C.UTF-8\nLC_TIME=C\n"),
        ("LC_TIME=C", "LC_TIME=C\nLANG=C.UTF-8\n"),
        ('#  File generated\nLANG="C.UTF-8"\n', "#  File generated\nLANG=C.UTF-8\n"),
    ],
)
def test_other_lines_of_the_language_stay(text: str, expected: str) -> None:
    assert with_language(text, "C.UTF-8") == expected


@pytest.mark.parametrize(
    ("locale", "compiled", "expected"),
    [
        ("C.UTF-8", set(), True),
        ("de_DE.UTF-8", {"C", "de_DE.utf8"}, True),
        ("de_DE.UTF-8", {"C", "de_DE", "de_AT.utf8"}, False),
        ("ca_ES.UTF-8@valencia", {"ca_ES.utf8@valencia"}, True),
    ],
)
def test_locales_are_known_by_the_c_librarys_spelling(
    locale: str, compiled: set[str], expected: bool
) -> None:
    assert is_compiled(locale, replace(GOOD, locales=frozenset(compiled))) is expected


def test_what_others_wrote_in_another_encoding_stays_byte_for_byte() -> None:
    said = [b"vm", b"vm\n", b"127.0.0.1 localhost # B\xfcro\n", b"", b"", b"", b"", b""]
    encoded = [said[0], *(base64.b64encode(text) for text in said[1:3]), *said[3:]]
    found = Identity().process([line.decode() for line in encoded])
    steps, notes = evaluate(named, FACTS | {Identity: found}, hostname="vm")
    [file] = [File("/etc/hosts", with_name(found.hosts, "vm", "vm"))]
    assert file.data == b"127.0.0.1 localhost # B\xfcro\n127.0.1.1\tvm\n"
    assert len(steps) == 2
    assert notes.diffs[0].isascii() is False
    notes.diffs[0].encode()
