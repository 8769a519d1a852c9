"""Carries a plan out: submits, waits for the moment, strikes, and hears every test's end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from seatrial.client import AsyncClient
from seatrial.domain.errors import PlatformError, QueueFull
from seatrial.domain.events import Event, LogEvent, PhaseEvent, ResultEvent
from seatrial.domain.phases import Phase
from seatrial.domain.tests import Test

from . import agents
from .faults import SPLIT
from .plan import Moment, Planned, Round, Strike
from .site import Site

_MOMENT_SECONDS = 30.0
_CANCEL_SECONDS = 3.0
_END_SECONDS = 600.0
_BACKLOG = 12
"""Tests that may be unfinished when the next round begins."""


class Story:
    """One run of a plan, and the tests that came of it."""

    def __init__(self, site: Site, seed: int) -> None:
        """Does nothing yet."""
        self.site = site
        self.tests: dict[int, str] = {}
        self._seed = seed
        self._client = site.client()
        self._ends: set[asyncio.Task[Test]] = set()
        self._began = time.monotonic()

    async def run(self, rounds: Sequence[Round]) -> None:
        """Carry it out; returns when every test has ended. AssertionError when one does not."""
        for number, each in enumerate(rounds, start=1):
            self.say(f"round {number}: {each}")
            await self._round(each)
            for daemon in self.site.daemons:
                daemon.look()
        async with asyncio.timeout(_END_SECONDS):
            await asyncio.gather(*self._ends)
        self.say("every test has ended")

    async def aclose(self) -> None:
        """Close the connections."""
        for task in self._ends:
            task.cancel()
        await self._client.aclose()

    def say(self, text: str) -> None:
        """Note it with its time."""
        print(f"{time.monotonic() - self._began:6.1f} s  {text}", flush=True)

    async def _round(self, planned: Round) -> None:
        for test in planned.tests:
            self.tests[test.number] = await self._submit(test)
        for test in planned.tests:
            self._ends.add(asyncio.create_task(self._until_its_end(test)))
        await self._reached(self.tests[planned.tests[0].number], planned.moment)
        await asyncio.gather(*(self._strike(strike) for strike in planned.strikes))
        while sum(not task.done() for task in self._ends) > _BACKLOG:
            running = [task for task in self._ends if not task.done()]
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)

    async def _submit(self, planned: Planned) -> str:
        """Submit it once, however often that has to be tried."""
        given: Any = agents.fields(planned)
        while True:
            try:
                key = f"chaos-{self._seed}-{planned.number}"
                return (await self._client.submit(**given, idempotency_key=key)).id
            except (PlatformError, QueueFull):
                await asyncio.sleep(0.3)

    async def _strike(self, strike: Strike) -> None:
        async with SPLIT[strike.fault](self.site, strike):
            await asyncio.sleep(strike.seconds)

    async def _reached(self, test_id: str, moment: Moment) -> None:
        """Return when the test is there, has gone by, or is kept too long by an earlier fault."""
        seen = _SIGNS.get(moment)
        if seen is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_MOMENT_SECONDS):
                async for event in patiently_followed(self._client, test_id):
                    if seen(event):
                        return

    async def _until_its_end(self, planned: Planned) -> Test:
        test_id = self.tests[planned.number]
        if planned.kind == "is cancelled":
            await asyncio.sleep(_CANCEL_SECONDS * (planned.ticks % 10) / 10)
            await self._cancel(test_id)
        async for _ in patiently_followed(self._client, test_id):
            pass
        return await self.test(test_id)

    async def test(self, test_id: str) -> Test:
        """The test, from whichever server answers at last."""
        while True:
            try:
                return await self._client.test(test_id)
            except PlatformError:
                await asyncio.sleep(0.3)

    async def events(self, test_id: str) -> list[Event]:
        """Its whole journal."""
        return [event async for event in patiently_followed(self._client, test_id)]

    async def _cancel(self, test_id: str) -> None:
        while True:
            try:
                await self._client.cancel(test_id)
            except PlatformError:
                await asyncio.sleep(0.3)
            else:
                return


async def patiently_followed(client: AsyncClient, test_id: str) -> AsyncGenerator[Event, None]:
    """The journal to its end; the first connection may fail, too."""
    after = 0
    while True:
        try:
            async for event in client.events(test_id, after=after):
                after = event.number
                yield event
        except PlatformError:
            await asyncio.sleep(0.3)
        else:
            return


def _is_phase(phase: Phase) -> Callable[[Event], bool]:
    return lambda event: isinstance(event.data, PhaseEvent) and event.data.phase is phase


_SIGNS: dict[Moment, Callable[[Event], bool]] = {
    "building": lambda event: isinstance(event.data, LogEvent) and event.data.stream == "build",
    "running": lambda event: isinstance(event.data, LogEvent) and event.data.stream == "stdout",
    "ending": lambda event: (
        isinstance(event.data, ResultEvent) or _is_phase(Phase.COMPLETED)(event)
    ),
}
