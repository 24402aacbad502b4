"""No operation ever sees a stale fact: real commands on this machine, through pyinfra."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyinfra.api.command import FunctionCommand, StringCommand
from pyinfra.api.config import Config
from pyinfra.api.connect import connect_all
from pyinfra.api.facts import FactBase
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.operation import add_op, operation
from pyinfra.api.operations import run_ops
from pyinfra.api.state import State
from pyinfra.context import ctx_host, ctx_state
from pyinfra.context import host as current

from clup import transport
from clup.command import script
from clup.operations.steps import Steps, ensure
from clup.transport import cache
from clup.transport.cache import UnreadError


class Content(FactBase[str]):
    """The text of a file; counts how often a machine was asked."""

    def command(self, path: str) -> StringCommand:
        return script('cat -- "$1" 2>/dev/null; echo; echo .', path)

    def process(self, output: list[str]) -> str:
        return "\n".join(output[:-1])


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setattr("pyinfra.is_cli", False)
    transport.install()
    monkeypatch.setattr(cache, "before_change", [])
    monkeypatch.setattr(cache, "around_change", [])
    state = State(Inventory((["@local"], {})), Config())
    with ctx_state.use(state):
        connect_all(state)
        machine = state.inventory.get_host("@local")
        with ctx_host.use(machine):
            yield machine


def read(host: Host, path: Path) -> str:
    return str(host.get_fact(Content, path=str(path)))


def by_command(host: Host, path: Path, text: str) -> None:
    host.run_shell_command(script('printf %s "$2" >"$1"', str(path), text))


def by_upload(host: Host, path: Path, text: str) -> None:
    source = path.with_suffix(".source")
    source.write_text(text)
    host.put_file(str(source), str(path))


def by_function(host: Host, path: Path, text: str) -> None:
    def write() -> None:
        path.write_text(text)

    FunctionCommand(write, (), {}).execute(host.state, host, {})


CHANGES = {"command": by_command, "upload": by_upload, "function": by_function}


def test_a_fact_is_read_once_while_nothing_changes(host: Host, tmp_path: Path) -> None:
    before = cache.memory(host).commands
    for _ in range(5):
        read(host, tmp_path / "file")
    assert cache.memory(host).commands == before + 1


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.sampled_from([*CHANGES]), st.sampled_from("abc")), max_size=6))
def test_after_every_kind_of_change_a_fact_is_what_is_there(
    host: Host, tmp_path: Path, changes: list[tuple[str, str]]
) -> None:
    path = tmp_path / "file"
    path.write_text("start")
    cache.forget(host)
    assert read(host, path) == "start"
    for kind, text in changes:
        CHANGES[kind](host, path, text)
        assert read(host, path) == path.read_text() == text


def test_an_operation_sees_what_the_one_before_it_left(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "count"
    path.write_text("1")

    @operation()
    def double(times: int) -> Steps:
        yield script('printf %s "$2" >"$1"', str(path), str(int(read(current, path)) * 2))

    for times in range(4):
        add_op(host.state, double, times=times, name=f"double {times}")
    run_ops(host.state)
    assert path.read_text() == "16"


def test_what_a_postcondition_has_read_is_known_to_the_next_operation(
    host: Host, tmp_path: Path
) -> None:
    path = tmp_path / "list"
    path.write_text("")

    @operation()
    def lengthened() -> Steps:
        text = read(current, path) + "x"
        yield script('printf %s "$2" >"$1"', str(path), text)
        yield ensure("list", lambda: None if read(current, path) == text else "is not longer")

    before = cache.memory(host).commands
    for times in range(3):
        add_op(host.state, lengthened, name=f"lengthen {times}")
    run_ops(host.state)
    assert path.read_text() == "xxx"
    assert cache.memory(host).commands - before == 1 + 3 * 2, "a reading, then a change and another"


def test_an_output_is_not_kept_for_ever(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    assert read(host, path) == "old"
    path.write_text("changed by someone else")
    assert read(host, path) == "old"
    monkeypatch.setattr(cache, "MAX_AGE", 0.0)
    assert read(host, path) == "changed by someone else"


def test_the_same_command_with_other_rights_is_another_question(host: Host) -> None:
    class Whoami(FactBase[str]):
        def command(self) -> str:
            return "printf '%s' \"$WHO\""

    assert host.get_fact(Whoami, _env={"WHO": "a"}) == "a"
    assert host.get_fact(Whoami, _env={"WHO": "b"}) == "b"


@pytest.mark.parametrize("others", [["other"], []], ids=["one of two", "the only one"])
def test_nothing_is_changed_on_a_host_that_could_not_be_read(
    others: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """pyinfra goes on with the operation, and with the fact's default, while other hosts remain;
    when none remains it raises, and the reason is lost."""

    class Broken(FactBase[str]):
        def command(self) -> str:
            return f"test ! -e {tmp_path}/broken || {{ echo it is broken >&2; exit 1; }}"

    monkeypatch.setattr("pyinfra.is_cli", False)
    transport.install()
    monkeypatch.setattr(cache, "before_change", [])
    monkeypatch.setattr(cache, "around_change", [])
    data = {name: {"ssh_hostname": "unused"} for name in others}
    state = State(Inventory((["@local", *others], data)), Config())
    with ctx_state.use(state):
        machine = state.inventory.get_host("@local")
        machine.connect()
        state.activate_host(machine)
        state.active_hosts.update(map(state.inventory.get_host, others))
        with ctx_host.use(machine):
            machine.get_fact(Broken)
            (tmp_path / "broken").touch()
            cache.forget(machine)
            with pytest.raises(UnreadError, match="@local could not be read: it is broken"):
                machine.get_fact(Broken)
            status, _ = machine.run_shell_command(script(': >"$1"', f"{tmp_path}/changed"))
            assert status is False
    assert not (tmp_path / "changed").exists()


def test_an_answer_with_bytes_that_are_no_utf_8_is_none(host: Host) -> None:
    class Comment(FactBase[str]):
        def command(self) -> StringCommand:
            return script("printf 'first\\nM\\374ller\\nlast\\n'; printf '\\374\\nend\\n' >&2")

    status, output = host.run_shell_command(Comment().command())
    assert (status, output.stdout_lines) == (True, ["first", "M\\xfcller", "last"])
    assert output.stderr_lines == ["\\xfc", "end"]
    with cache.reading(host):
        status, output = host.run_shell_command(Comment().command())
    assert (status, output.stdout) == (False, "")
    assert "no UTF-8: 'M\\\\xfcller'" in output.stderr
