"""Patches the standard library for gevent, as `import pyinfra_cli` does, before a socket is opened.

Never by halves: a process that Ctrl-C meets in the middle of it would not end.
"""

import signal

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
try:
    import pyinfra_cli  # noqa: F401
finally:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
