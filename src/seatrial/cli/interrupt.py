"""Ctrl-C while a test runs: the first stops the test, the second leaves."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from types import TracebackType
from typing import Self

from seatrial.client import AsyncClient
from seatrial.domain.errors import SeatrialError

from .lines import Span
from .screen import Screen

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopsTest:
    """While it is entered, an interrupt cancels the test instead of ending the process.

    The block goes on and sees the test's end. A second interrupt leaves the block at once;
    `left` is then True and the test may still be running.
    """

    def __init__(self, client: AsyncClient, test_id: str, screen: Screen) -> None:
        """Nothing happens before the block is entered."""
        self._client = client
        self._test_id = test_id
        self._screen = screen
        self._stopping: asyncio.Task[None] | None = None
        self._block: asyncio.Task[object] | None = None
        self.left = False

    async def __aenter__(self) -> Self:
        self._block = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._interrupted)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
        if self._stopping is not None and not self._stopping.done():
            self._stopping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._stopping
        return self.left and isinstance(error, asyncio.CancelledError)

    def _interrupted(self) -> None:
        if self._stopping is None:
            self._screen.problem(f"Stopping the test {self._test_id}. Again to leave at once.")
            self._stopping = asyncio.create_task(self._stop())
        elif not self.left and self._block is not None:
            self.left = True
            self._screen.problem(
                f"Left. The test may still be stopping: seatrial tests show {self._test_id}"
            )
            self._block.cancel()

    async def _stop(self) -> None:
        try:
            await self._client.cancel(self._test_id)
        except SeatrialError as error:
            self._screen.problem(Span("Error: ", "bad"), f"It could not be stopped: {error}")
