"""Work side by side: as much at a time as the processors can bear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")

MOST = 2
"""How many run on one processor at most, however little load each is: all slow the others down."""


def side_by_side(calls: Sequence[tuple[float, Callable[[], T]]], capacity: float) -> list[T]:
    """Given calls with the load of each, make them, and return what they return, in their order.

    The capacity is in processors, and so are the loads. Whenever there is room beside those that
    run, the first that fits is begun; one that is heavier than the capacity runs alone.
    """
    waiting = dict(enumerate(calls))
    running: dict[Future[T], float] = {}
    begun: dict[int, Future[T]] = {}
    with ThreadPoolExecutor(max(1, len(calls))) as pool:
        while waiting:
            room = capacity - sum(running.values()) if running else float("inf")
            if len(running) >= MOST * capacity:
                room = 0
            fits = next((number for number, (load, _) in waiting.items() if load <= room), None)
            if fits is None:
                for ended in wait(running, return_when=FIRST_COMPLETED).done:
                    del running[ended]
                continue
            load, call = waiting.pop(fits)
            begun[fits] = pool.submit(call)
            running[begun[fits]] = load
        return [begun[number].result() for number in range(len(calls))]
