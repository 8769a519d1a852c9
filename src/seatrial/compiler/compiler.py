"""The compiler of a server: a few kept children that all requests share."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from seatrial.domain.validation import Finding
from seatrial.domain.validation.syntax import UNCHECKED

from .child import PATIENCE_SECONDS, SECONDS, Child, collect

_CHILDREN = 2


class KeptCompiler:
    """Compiles beside the loop. Children start when they are needed and are used again.

    One owner's requests take turns, so whatever they hold, another child is left for others.
    """

    def __init__(self, *, seconds: float = SECONDS, patience: float = PATIENCE_SECONDS) -> None:
        """`seconds` of processor time per request; a turn that does not come ends `patience`."""
        self._seconds = seconds
        self._patience = patience
        self._idle: list[Child] = []
        self._threads = ThreadPoolExecutor(_CHILDREN, thread_name_prefix="compiler")
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._end = weakref.finalize(self, _end_all, self._threads, self._idle)

    async def check(
        self, owner: str, sources: Mapping[str, str], version: tuple[int, int]
    ) -> dict[str, Finding]:
        """What is wrong, by path; UNCHECKED for each source that took too long or too much."""
        if not sources:
            return {}
        turn = self._turns.setdefault(owner, asyncio.Lock())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience), turn:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, self._check, sources, version)
        return dict.fromkeys(sources, Finding(UNCHECKED))

    def close(self) -> None:
        """End the children."""
        self._end()

    def _check(self, sources: Mapping[str, str], version: tuple[int, int]) -> dict[str, Finding]:
        child = self._take()
        try:
            return collect(child, sources, version, self._seconds)
        finally:
            self._idle.append(child)

    def _take(self) -> Child:
        """One that runs, started if need be."""
        while self._idle:
            child = self._idle.pop()
            if child.runs:
                return child
            child.end()
        return Child()


def _end_all(threads: ThreadPoolExecutor, idle: list[Child]) -> None:
    threads.shutdown(wait=False, cancel_futures=True)
    while idle:
        idle.pop().end()
