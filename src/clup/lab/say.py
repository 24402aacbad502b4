"""How a lab tells what it does, one line at a time, and asks what it may do."""

from collections.abc import Callable

Say = Callable[[str], None]
Confirm = Callable[[str], bool | None]
"""Given a question, returns the answer, None when nobody is there to give one."""
