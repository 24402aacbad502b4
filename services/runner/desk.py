"""The store as the event loop uses it: one call after the other, in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from services.runner.store import Store

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


class Desk:
    """Calls a store's methods where their waiting for the disk holds up nobody else.

    `await desk(Store.get, job_id)`
    """

    def __init__(self, store: Store):
        self._store = store
        self._thread = ThreadPoolExecutor(1, "store")

    async def __call__(
        self,
        method: Callable[Concatenate[Store, Asked], Answer],
        *args: Asked.args,
        **kwargs: Asked.kwargs,
    ) -> Answer:
        """Call a method of the store. A call that was begun is ended, whatever becomes of whoever
        waits for it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._thread, lambda: method(self._store, *args, **kwargs)
        )

    def close(self) -> None:
        """End the calls that there are, and the store."""
        self._thread.shutdown()
        self._store.close()
