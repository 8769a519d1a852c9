"""Who waits for what inside this process: bells for journals, mailboxes for workers.

Every method is called on the event loop's own thread. A bell that rings while nobody listens
stays rung, so nothing that happens between a read and the next wait is missed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager

QUEUE = "queue"
"""A test was submitted, or a slot became free."""

TICK = "tick"
"""Nothing is known to have happened: look all the same."""


class Hub:
    """Rings the bells of this process."""

    def __init__(self, poll_seconds: float) -> None:
        """`poll_seconds` is the safety net: every waiter wakes at least that often."""
        self._poll_seconds = poll_seconds
        self._bells: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._mailboxes: set[_Mailbox] = set()

    def journal_grew(self, test_id: str) -> None:
        """Wake who follows that test."""
        for bell in self._bells.get(test_id, ()):
            bell.set()

    def tell_workers(self, what: str) -> None:
        """Put `queue` or a test's id into every worker's mailbox."""
        for mailbox in self._mailboxes:
            mailbox.put(what)

    def wake_all(self) -> None:
        """Wake everybody: something may have been missed."""
        for bells in self._bells.values():
            for bell in bells:
                bell.set()
        self.tell_workers(QUEUE)
        self.tell_workers(TICK)

    async def changes(self, test_id: str) -> AsyncGenerator[None]:
        """Yield at the start, after each growth, and every poll interval."""
        with self._bell(test_id) as bell:
            while True:
                bell.clear()
                yield
                await _wait(bell, self._poll_seconds)

    async def wakeups(self) -> AsyncGenerator[str]:
        """Yield `queue` at the start, then what comes in, and a tick every poll interval."""
        mailbox = _Mailbox()
        self._mailboxes.add(mailbox)
        try:
            yield QUEUE
            clock = asyncio.get_running_loop().time
            next_tick = clock() + self._poll_seconds
            while True:
                await _wait(mailbox.bell, max(0.0, next_tick - clock()))
                for what in mailbox.take():
                    yield what
                if clock() >= next_tick:
                    next_tick = clock() + self._poll_seconds
                    yield TICK
        finally:
            self._mailboxes.discard(mailbox)

    @contextmanager
    def _bell(self, test_id: str) -> Generator[asyncio.Event, None, None]:
        bell = asyncio.Event()
        self._bells[test_id].add(bell)
        try:
            yield bell
        finally:
            self._bells[test_id].discard(bell)
            if not self._bells[test_id]:
                del self._bells[test_id]


class _Mailbox:
    """What a worker has not looked at yet, each thing once, oldest first."""

    def __init__(self) -> None:
        self.bell = asyncio.Event()
        self._waiting: dict[str, None] = {}

    def put(self, what: str) -> None:
        self._waiting[what] = None
        self.bell.set()

    def take(self) -> tuple[str, ...]:
        taken = tuple(self._waiting)
        self._waiting.clear()
        self.bell.clear()
        return taken


async def _wait(bell: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await bell.wait()
    except TimeoutError:
        return
