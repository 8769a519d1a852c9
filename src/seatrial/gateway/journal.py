"""What a door tells: every call when it ended, every refusal once; in order, off the data path."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from seatrial.domain.errors import SeatrialError
from seatrial.domain.events import ModelCallEvent, NoticeEvent
from seatrial.domain.ports import GatewayReport

_log = logging.getLogger(__name__)

MAX_CALLS = 10_000
"""Calls of one door that are journalled. An agent can make refused calls without end."""

MAX_NOTICES = 100
"""Different notices of one door."""


class DoorJournal:
    """Collects a door's events and hands them to its report, one after the other."""

    def __init__(self, report: GatewayReport) -> None:
        """Needs a running loop. Close it to be sure that everything was reported."""
        self._report = report
        self._calls: list[ModelCallEvent] = []
        self._noticed: set[tuple[str, str]] = set()
        self._queue: asyncio.Queue[ModelCallEvent | NoticeEvent | None] = asyncio.Queue()
        self._pump = asyncio.create_task(self._deliver())

    @property
    def calls(self) -> Sequence[ModelCallEvent]:
        """The calls that ended so far, oldest first."""
        return tuple(self._calls)

    def add_call(self, event: ModelCallEvent) -> None:
        """Note a call; beyond the limit only that there were more."""
        if len(self._calls) >= MAX_CALLS:
            message = f"Only the first {MAX_CALLS} model calls are journalled; there were more."
            self.add_notice("model_calls_truncated", "", message)
            return
        self._calls.append(event)
        self._queue.put_nowait(event)

    def add_notice(
        self, code: str, about: str, message: str, data: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """Note something once per code and subject; `data` is what a program can use of it."""
        if (code, about) in self._noticed or len(self._noticed) >= MAX_NOTICES:
            return
        self._noticed.add((code, about))
        self._queue.put_nowait(NoticeEvent(code=code, message=message, data=dict(data)))

    async def close(self) -> None:
        """Return when everything noted before was reported."""
        self._queue.put_nowait(None)
        await self._pump

    async def _deliver(self) -> None:
        while (event := await self._queue.get()) is not None:
            try:
                await self._report(event)
            except SeatrialError as error:
                _log.warning("a gateway event was not taken: %s", error)
