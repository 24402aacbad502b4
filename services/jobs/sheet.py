"""A job file while it is read: each value is judged by its form, and all problems are collected."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

from services.jobs.document import Document
from services.jobs.problem import Path, Problem, dotted, shown

KEY = object()
"""Instead of a value: what is wrong is the key itself."""

Word = TypeVar("Word", bound=str)


class Sheet:
    """Reads values of a document. A value with a problem is returned as None."""

    def __init__(self, document: Document):
        self.document = document
        self.problems: list[Problem] = []

    def fault(self, path: Path, value: object, reason: str, cure: str) -> None:
        """Note what is wrong at a path; a mapping, a list and KEY are not shown."""
        text = "" if value is KEY or isinstance(value, dict | list) else shown(value)
        place = self.document.place(path)
        self.problems.append(Problem(dotted(path), text, reason, cure, place))

    def mapping(self, path: Path, value: object) -> Mapping[str, Any]:
        """Return a mapping; an empty one instead of anything else."""
        if isinstance(value, dict):
            return value
        self.fault(path, value, "is no mapping", "write KEY: VALUE below it")
        return {}

    def fields(
        self, path: Path, value: object, required: Sequence[str], optional: Sequence[str] = ()
    ) -> Mapping[str, Any]:
        """Return a mapping of which all keys are known and none is missing: as far as it is so."""
        found = self.mapping(path, value)
        known = (*required, *optional)
        for key in found:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                cure = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
                self.fault((*path, key), KEY, "is not a known key", cure)
        if isinstance(value, dict):
            for key in required:
                if key not in found:
                    self.fault((*path, key), KEY, "is required", "add it")
        return {key: said for key, said in found.items() if key in known}

    def text(self, path: Path, value: object, form: re.Pattern[str], cure: str) -> str | None:
        """Return a text that has the form as a whole."""
        if not isinstance(value, str):
            self.fault(path, value, "is no text", "put it in quotes")
        elif not form.fullmatch(value):
            self.fault(path, value, "has not the form that it needs", cure)
        else:
            return value
        return None

    def one_of(self, path: Path, value: object, words: Collection[Word]) -> Word | None:
        """Return the one of the words that the value is."""
        for word in words:
            if value == word:
                return word
        self.fault(path, value, "is none of the possible", f"choose one of {', '.join(words)}")
        return None

    def integer(self, path: Path, value: object, least: int, most: int) -> int | None:
        """Return a whole number within both bounds."""
        if isinstance(value, bool) or not isinstance(value, int):
            self.fault(path, value, "is no whole number", f"write one of {least} to {most}")
        elif not least <= value <= most:
            self.fault(path, value, "is out of bounds", f"choose {least} to {most}")
        else:
            return value
        return None

    def number(self, path: Path, value: object, least: float, most: float) -> float | None:
        """Return a number within both bounds."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(path, value, "is no number", f"write one of {least:g} to {most:g}")
        elif not least <= value <= most:
            self.fault(path, value, "is out of bounds", f"choose {least:g} to {most:g}")
        else:
            return float(value)
        return None

    def texts(
        self, path: Path, value: object, form: re.Pattern[str], most: int, cure: str
    ) -> tuple[str, ...] | None:
        """Return a list of one to `most` texts that each have the form."""
        if not isinstance(value, list) or not 1 <= len(value) <= most:
            self.fault(path, value, f"is no list of 1 to {most} texts", "write a list: [...]")
            return None
        found = [self.text((*path, index), each, form, cure) for index, each in enumerate(value)]
        good = tuple(each for each in found if each is not None)
        return good if len(good) == len(found) else None
