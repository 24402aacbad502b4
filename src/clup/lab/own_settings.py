"""What is said of one lab alone: settings in its folder, over those of all labs, gone with it."""

import json
from collections.abc import Mapping
from typing import Any

from clup.lab.errors import LabError
from clup.lab.machine import Lab

FILE = "settings.json"


def own_settings(lab: Lab) -> dict[str, Any]:
    """Given a lab, return what is said of it alone, by role; {} if nothing is. Raise LabError."""
    path = lab.folder / FILE
    try:
        said = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _unreadable(lab, str(error)) from None
    if not isinstance(said, dict):
        raise _unreadable(lab, "it is no mapping of roles")
    return said


def say_of(lab: Lab, settings: Mapping[str, Any]) -> None:
    """Given a lab and settings by role, have inventories say them of it from now on, instead of
    what was said before."""
    draft = lab.folder / f"{FILE}.draft"
    draft.write_text(json.dumps(settings, indent=2) + "\n")
    draft.replace(lab.folder / FILE)


def _unreadable(lab: Lab, reason: str) -> LabError:
    path = str(lab.folder / FILE)
    return LabError(f"cannot read the lab's own settings ({reason})", path, "mend or remove it")
