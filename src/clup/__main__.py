"""`python -m clup`, which the launcher runs."""

import gc
import signal

# Imports make hundreds of thousands of objects that stay. To look for garbage among them as often
# as Python does takes a tenth of a command's time.
gc.set_threshold(100_000)
# Until `main` has its own way with Ctrl-C, it ends the process without a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from clup.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
