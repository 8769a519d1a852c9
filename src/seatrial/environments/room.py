"""Room for builds: disk that is set aside before they begin, and turns among owners."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from seatrial.domain.errors import NoCapacity

Free = Callable[[], int]
"""Bytes that are free on the disk of the environments."""


@dataclass(eq=False)
class _Waiting:
    owner: str
    may: asyncio.Future[None] = field(default_factory=asyncio.Future[None])


class BuildRoom:
    """The builds of one process.

    Each sets `each` bytes aside, of what is free when it begins: with less than that for a
    further one, builds wait. One always runs, however full the disk is. Among those that wait, the
    owner with the fewest builds goes first, and no owner has more than `share` while others wait.
    """

    def __init__(self, *, each: int, share: int, free: Free) -> None:
        self._each, self._share, self._free = each, share, free
        self._running: Counter[str] = Counter()
        self._waiting: list[_Waiting] = []

    @asynccontextmanager
    async def one(
        self, owner: str, on_wait: Callable[[], Awaitable[None]], *, seconds: float
    ) -> AsyncGenerator[None]:
        """Hold the room of one build of the owner while the block runs.

        `on_wait` is called when it does not begin at once. Raises: NoCapacity when there is no
        room after so many seconds.
        """
        waiting = _Waiting(owner)
        self._waiting.append(waiting)
        self._admit()
        try:
            if not waiting.may.done():
                await on_wait()
            async with asyncio.timeout(seconds):
                await waiting.may
            yield
        except TimeoutError as error:
            if waiting.may.done() and not waiting.may.cancelled():
                raise  # of the block
            raise _no_room() from error
        finally:
            self._give_back(waiting)

    def _give_back(self, waiting: _Waiting) -> None:
        """The build has ended, or the caller waits no more, perhaps just when its turn had come."""
        if waiting in self._waiting:
            self._waiting.remove(waiting)
        else:
            self._running[waiting.owner] -= 1
            self._running += Counter[str]()
        self._admit()

    def _admit(self) -> None:
        """Begin as many as there is room for."""
        while (chosen := self._next()) is not None:
            self._waiting.remove(chosen)
            self._running[chosen.owner] += 1
            if not chosen.may.done():
                chosen.may.set_result(None)

    def _next(self) -> _Waiting | None:
        if not self._waiting or not self._fits():
            return None
        first = min(self._waiting, key=lambda one: self._running[one.owner])
        others = any(one != first.owner for one in self._running)
        if others and self._running[first.owner] >= self._share:
            return None
        return first

    def _fits(self) -> bool:
        """What runs may take all that it set aside, so that counts as taken."""
        running = self._running.total()
        return not running or self._free() >= self._each * (running + 1)


def _no_room() -> NoCapacity:
    return NoCapacity(
        "Other builds left no room for this one for too long.",
        hint="Free disk for builds, or lower SEATRIAL_BUILD_MAX_MB.",
    )
