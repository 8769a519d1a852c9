"""Tells when containers end, over one stream of events for all of them.

A request per waiting caller would do, but Podman answers those by polling: fifty of them burn a
core. So there is one `/events` stream, and a look at the list of all containers after every
(re)connect and every few seconds, which catches whatever the stream missed. The stream makes it
prompt, the list makes it right.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from seatrial.domain.errors import EngineUnavailable, PlatformError

from .answers import Event, is_end
from .api import Api

_RECONNECT_SECONDS = 0.25
_SWEEP_WITHOUT_STREAM_SECONDS = 0.5

Ending = int | None
"""The exit code, when the engine told it."""


class Endings:
    """Everybody who waits for a container's end. One per engine; used inside one loop."""

    def __init__(self, api: Api, *, sweep_seconds: float, patience_seconds: float) -> None:
        """Connects when the first caller waits."""
        self._api = api
        self._sweep_seconds = sweep_seconds
        self._patience_seconds = patience_seconds
        self._waiting: dict[str, asyncio.Future[Ending]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._connected = False
        self._look_now = asyncio.Event()

    def watch(self, container: str) -> asyncio.Future[Ending]:
        """A future that is done when the container has ended or is gone; shared, so shield it.

        Register first, then inspect: an end in between is not missed. EngineUnavailable through
        the future when the engine stays silent.
        """
        future = self._waiting.get(container)
        if future is None:
            future = self._waiting[container] = asyncio.get_running_loop().create_future()
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._sweep())]
        return future

    def forget(self, container: str) -> None:
        """Wake everybody who waits for it: it is known to have ended or to be gone."""
        self._resolve(container, None)

    async def close(self) -> None:
        """Stop; whoever still waits gets EngineUnavailable."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self._fail(EngineUnavailable("The connection to the container engine was closed."))

    async def _follow(self) -> None:
        """Keep the stream open and resolve what it tells."""
        while True:
            with contextlib.suppress(PlatformError):
                async with contextlib.aclosing(self._api.events()) as events:
                    await self._read(events)
            self._connected = False
            self._look_now.set()
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _read(self, events: AsyncIterator[Event | None]) -> None:
        async for event in events:
            if event is None:
                self._connected = True
                self._look_now.set()
            elif event.is_end:
                self._resolve(event.actor.id, event.exit_code)

    async def _sweep(self) -> None:
        """Look at all containers again and again; give up on an engine that stays silent."""
        answered = time.monotonic()
        while True:
            try:
                if self._waiting:
                    await self._look()
                answered = time.monotonic()
            except PlatformError as error:
                if time.monotonic() - answered > self._patience_seconds:
                    self._fail(error)
            await self._pause()

    async def _pause(self) -> None:
        seconds = self._sweep_seconds if self._connected else _SWEEP_WITHOUT_STREAM_SECONDS
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._look_now.wait(), seconds)
        self._look_now.clear()

    async def _look(self) -> None:
        """Resolve everybody whose container has ended or is not in the list any more.

        Only those who waited before the list was asked for: it says nothing about newer ones.
        """
        waiting = list(self._waiting)
        listed = {found.id: found for found in await self._api.containers("seatrial")}
        for container in waiting:
            found = listed.get(container)
            if found is None or is_end(found.state):
                self._resolve(container, None)

    def _resolve(self, container: str, code: Ending) -> None:
        future = self._waiting.pop(container, None)
        if future is not None and not future.done():
            future.set_result(code)

    def _fail(self, error: PlatformError) -> None:
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(error)
                future.exception()  # nobody may be listening any more: that is no leak
