"""From a template to text: Jinja, where a name that is not given is an error, not nothing."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import jinja2

from clup.compose.problem import ComposeError, shown
from clup.settings import Problem, nearest


def render(template: str, folders: Sequence[Path], values: Mapping[str, object]) -> str:
    """Given a template's name, the folders that templates come from, and values, return the text.

    The first folder that has the template wins; macros are imported from the same folders. Write
    a value as `{{ value | quoted }}`: then nothing in it is YAML, or a variable of Compose's. Raise
    ComposeError with the template's file and line.
    """
    environment = jinja2.Environment(
        loader=_Loader(folders),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["quoted"] = quoted
    try:
        return environment.get_template(template).render(values)
    except jinja2.TemplateNotFound as error:
        raise ComposeError([_missing(str(error.name), environment, folders)]) from error
    except jinja2.TemplateSyntaxError as error:
        origin = _place(error.filename or template, error.lineno)
        reason = f"is no valid template: {error.message}"
        raise ComposeError([Problem(template, "", reason, "mend that line", origin)]) from error
    except Exception as error:
        origin = _origin(error, folders) or template
        raise ComposeError([_failed(template, error, values, origin)]) from error


def quoted(value: object) -> str:
    """Return a value as YAML that Compose reads as just that: a text is in quotes, $ is doubled."""
    if isinstance(value, jinja2.Undefined):
        return str(value)  # which raises, with its name
    if isinstance(value, str | Path):
        return json.dumps(str(value), ensure_ascii=False).replace("$", "$$")
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    raise TypeError(f"{type(value).__name__} is neither a text nor a number: quote its parts")


class _Loader(jinja2.FileSystemLoader):
    """Finds templates in the given folders. A link that leads out of them finds nothing."""

    def __init__(self, folders: Sequence[Path]):
        super().__init__([str(folder) for folder in folders])
        self.roots = [folder.resolve() for folder in folders]

    def get_source(self, environment: jinja2.Environment, template: str):  # type: ignore[no-untyped-def]
        source, filename, is_current = super().get_source(environment, template)
        if not any(Path(filename).resolve().is_relative_to(root) for root in self.roots):
            raise jinja2.TemplateNotFound(template)
        return source, filename, is_current


def _missing(name: str, environment: jinja2.Environment, folders: Sequence[Path]) -> Problem:
    guess = nearest(name, environment.list_templates())
    listed = ", ".join(map(str, folders)) or "no folder"
    cure = f"did you mean {guess!r}?" if guess else f"templates come from: {listed}"
    return Problem(name, "", "is no template", cure)


def _failed(template: str, error: Exception, values: Mapping[str, object], origin: str) -> Problem:
    if not isinstance(error, jinja2.UndefinedError):
        reason = f"cannot be rendered: {type(error).__name__}: {error}"
        return Problem(template, "", reason, "mend that line", origin)
    found = re.search(r"^'([^']+)' is undefined|no attribute '([^']+)'", str(error))
    name = (found[1] or found[2]) if found else ""
    guess = nearest(name, values) if found and found[1] else None
    cure = f"did you mean {guess!r}?" if guess else f"given are: {', '.join(sorted(values))}"
    if found and found[2]:
        cure = "give it a value, or test it with `is defined`"
    value = shown(name) if name else ""
    return Problem(template, value, f"is not defined ({error})", cure, origin)


def _origin(error: Exception, folders: Iterable[Path]) -> str:
    """Return the file and line of the innermost template that was at work, if one was."""
    roots = tuple(f"{folder}/" for folder in folders)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(roots)
    ]
    return _place(frames[-1].filename, frames[-1].lineno) if frames else ""


def _place(filename: str, line: int | None) -> str:
    return f"{filename}, line {line}" if line else filename
