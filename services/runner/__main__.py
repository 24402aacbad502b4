"""`python3 -m services.runner`: reads the settings from the environment and serves."""

from __future__ import annotations

import logging
import os
import sys

import uvicorn

from services.runner.app import create
from services.runner.connections import SERVED
from services.runner.settings import SettingsError, read
from services.runner.store import StoreError

_USAGE = 64


def main() -> int:
    """Serve until a signal ends it. Return 64 when it cannot begin."""
    os.umask(0o027)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s"
    )
    # What the guard is asked is in the guard's log.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    try:
        settings = read(os.environ)
        app = create(settings)
    except (SettingsError, StoreError) as error:
        sys.stderr.write(f"runner: {error}\n")
        return _USAGE
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=3,
        **SERVED,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
