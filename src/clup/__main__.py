"""`python -m clup`, which the launcher runs."""

import signal

# Until `main` has its own way with Ctrl-C, it ends the process without a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from clup.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
