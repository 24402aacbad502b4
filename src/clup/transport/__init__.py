"""The fast path over ssh: no Nagle delay, and no fact read twice while nothing has changed.

`config.py` installs it, so that plain pyinfra behaves as `clup` does.
"""

from __future__ import annotations

import logging

from clup.transport import cache, lock, lost, nodelay, reach, whole

__all__ = ["install"]


def install() -> None:
    """Turn the fast path on for every host of this process; again is harmless."""
    # A connection that fails says so in the error that it raises; without a handler, paramiko's
    # thread would also print its traceback on the operator's screen.
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    nodelay.install()
    reach.install()
    lost.install()
    whole.install()
    cache.install()
    lock.install()
