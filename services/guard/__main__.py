"""Starts the guard: python3 -m services.guard, with its settings in the environment."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from services.guard.app import App
from services.guard.body import MB
from services.guard.cache import Cache
from services.guard.containers import Containers
from services.guard.docker import Docker
from services.guard.ledger import Ledger
from services.guard.presence import Presence
from services.guard.say import say
from services.guard.settings import Settings, SettingsError, read
from services.guard.watch import Watch
from services.jobs import Catalogue

WRONG_SETTINGS = 3


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    jobs = Catalogue(settings.jobs, settings.jobs_owner)
    ledger = Ledger(settings.ledger)
    async with Docker(settings.docker_socket) as docker:
        cache = Cache(settings.cache, settings.cache_days, settings.cache_mb * MB)
        watch = Watch(docker, cache)
        presence = Presence(docker)
        app = App(Containers(docker, settings, jobs, ledger, watch, presence), settings.key)
        host, port = settings.listen
        server = await loop.create_server(app.door, host, port, backlog=128)
        watching = [loop.create_task(each.run()) for each in (watch, presence)]
        # A watch that fails is a guard that fails: Docker starts it again.
        for each in watching:
            each.add_done_callback(lambda _: ended.set())
        current = jobs.current()
        say("listening", address=f"{host}:{port}", jobs=sorted(current.jobs))
        for problem in current.problems:
            say("job file", problem=str(problem))
        await ended.wait()
        server.close()
        for each in watching:
            if each.done():
                each.result()
            each.cancel()


def main() -> None:
    """Run the guard. Exit with 3 when its settings are wrong."""
    try:
        settings = read(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(WRONG_SETTINGS)
    asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
