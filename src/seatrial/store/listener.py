"""PostgreSQL's LISTEN: one connection per process, which comes back when it was lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from typing import Any

from sqlalchemy.pool import NullPool

from .engine import make_engine
from .errors import FOREIGN, store_error
from .wakeups import QUEUE, Hub

JOURNAL = "seatrial_journal"
"""A journal grew; the payload is the test's id."""

QUEUE_CHANGED = "seatrial_queue"
"""A test was submitted or a slot became free; no payload."""

CANCEL = "seatrial_cancel"
"""A test's end was asked for; the payload is the test's id."""

_log = logging.getLogger(__name__)
_PING_SECONDS = 10.0
_ANSWER_SECONDS = 5.0
_CONNECTED_SECONDS = 15.0
_LISTENING_SECONDS = 20.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 3.0


class Listener:
    """Rings the hub for what other processes (and this one) committed."""

    def __init__(self, url: str, hub: Hub, set_time: Callable[[datetime], None]) -> None:
        """`set_time` is told the server's clock now and then."""
        self._engine = make_engine(url, poolclass=NullPool)
        self._hub = hub
        self._set_time = set_time
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return once it listens; raises what the first connection raises."""
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(first), name="store listener")
        await first

    async def stop(self) -> None:
        """Stop listening. May be called again."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self, first: asyncio.Future[None]) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            connected = asyncio.Event()
            try:
                await self._listen(connected, first)
            except FOREIGN as error:
                if not first.done():
                    first.set_exception(error)
                    return
                _log.warning("Lost the notifications: %s", store_error(error))
            pause = _FIRST_PAUSE_SECONDS if connected.is_set() else pause * 2
            await asyncio.sleep(min(pause, _LONGEST_PAUSE_SECONDS))

    async def _listen(self, connected: asyncio.Event, first: asyncio.Future[None]) -> None:
        """Listen until the connection is lost."""
        async with self._connection() as driver:
            lost = asyncio.Event()

            def ended(_connection: Any) -> None:
                lost.set()

            driver.add_termination_listener(ended)
            async with asyncio.timeout(_LISTENING_SECONDS):
                for channel in (JOURNAL, QUEUE_CHANGED, CANCEL):
                    await driver.add_listener(channel, self._heard)
                await self._ask_time(driver)
            connected.set()
            if not first.done():
                first.set_result(None)
            # What was committed while nobody listened was told to nobody.
            self._hub.wake_all()
            while not lost.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_PING_SECONDS):
                        await lost.wait()
                if not lost.is_set():
                    await self._ask_time(driver)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Any, None]:
        """A connection as the driver has it, closed without waiting for the server's answer."""
        async with asyncio.timeout(_CONNECTED_SECONDS) as limit, self._engine.connect() as opened:
            limit.reschedule(None)
            driver: Any = (await opened.get_raw_connection()).driver_connection
            try:
                yield driver
            finally:
                driver.terminate()

    async def _ask_time(self, driver: Any) -> None:
        """The server's time, and a proof that the connection is alive."""
        self._set_time(await driver.fetchval("SELECT clock_timestamp()", timeout=_ANSWER_SECONDS))

    def _heard(self, _connection: Any, _pid: int, channel: str, payload: str) -> None:
        if channel == JOURNAL:
            self._hub.journal_grew(payload)
        else:
            self._hub.tell_workers(payload or QUEUE)
