"""How a lab tells what it does: one line at a time, to whoever listens."""

from collections.abc import Callable

Say = Callable[[str], None]
Confirm = Callable[[str], bool]
