"""Work side by side: as much at a time as the processors can bear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")


def side_by_side(calls: Sequence[tuple[float, Callable[[], T]]], capacity: float) -> list[T]:
    """Given calls with the load of each, make them in their order; return what they return.

    A call waits for room beside those that run, unless there are none. None is overtaken: else the
    heavy ones would be left to the end, and run there alone.
    """
    running: dict[Future[T], float] = {}
    begun: list[Future[T]] = []
    with ThreadPoolExecutor(max(1, len(calls))) as pool:
        for load, call in calls:
            while running and sum(running.values()) + load > capacity:
                for ended in wait(running, return_when=FIRST_COMPLETED).done:
                    del running[ended]
            begun.append(pool.submit(call))
            running[begun[-1]] = load
        return [each.result() for each in begun]
