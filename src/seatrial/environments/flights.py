"""Lets concurrent callers share one piece of work, its output and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

LogCall = Callable[[str], Awaitable[None]]
"""Takes output: whole lines, in order."""

Work = Callable[[LogCall], Awaitable[T]]


class Telling:
    """Passes output on. `last` is the last line with words in it: what was known to its reader."""

    def __init__(self, log: LogCall) -> None:
        self._log = log
        self.last = ""

    async def __call__(self, text: str) -> None:
        """Takes whole lines, in order."""
        lines = [line for line in text.splitlines() if line.strip()]
        self.last = lines[-1].strip() if lines else self.last
        await self._log(text)


class Flights(Generic[T]):
    """Work by key. It ends early only when nobody waits for it any more."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[T]] = {}

    async def join(self, key: str, work: Work[T], log: LogCall) -> T:
        """Start the work of that key or join the one under way; its result or its error.

        Who joins late hears what was said before first. When the last one is cancelled, the
        work is cancelled too, and this returns when it has cleaned up.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(work)
        flight.waiting += 1
        try:
            return await flight.follow(log)
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                del self._flights[key]
                await flight.end()


class _Flight(Generic[T]):
    """One piece of work under way: what it said so far, and how many wait."""

    def __init__(self, work: Work[T]) -> None:
        self.waiting = 0
        self._said: list[str] = []
        self._grown = asyncio.Event()
        self._task = asyncio.ensure_future(work(self._say))

    async def _say(self, text: str) -> None:
        self._said.append(text)
        self._grown.set()
        self._grown = asyncio.Event()

    async def follow(self, log: LogCall) -> T:
        """Pass on what was said from the beginning; then the end of the work."""
        heard = 0
        while True:
            while heard < len(self._said):
                heard += 1
                await log(self._said[heard - 1])
            if self._task.done():
                return self._task.result()
            growth = asyncio.ensure_future(self._grown.wait())
            try:
                await asyncio.wait({growth, self._task}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                growth.cancel()

    async def end(self) -> None:
        """Cancel what is not done and wait for its cleaning up."""
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.exception()  # everybody who wanted to know has been told
