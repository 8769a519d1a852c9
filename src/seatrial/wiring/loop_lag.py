"""How late the event loop runs what is due: measured, and logged when it was blocked."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import NamedTuple

_LOG = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.05
WARN_SECONDS = 1.0
_MOST = 0.5
"""The share of a lag from which on it is blamed on what used the processor meanwhile."""


class Lag(NamedTuple):
    """One wake-up of the loop: how many seconds late, and what used the processor until then.

    `thread` and `process` are processor seconds of the loop's own thread and of the whole process.
    """

    seconds: float
    thread: float
    process: float

    @property
    def busy(self) -> float:
        """The part of the lag during which this process itself computed, in any thread.

        What the machine's other processes cost is not in it, so it also holds on a busy machine.
        """
        return min(self.seconds, self.process)

    @property
    def reason(self) -> str:
        """The likely cause, for the log."""
        if self.thread >= _MOST * self.seconds:
            return f"the event loop itself computed for {self.thread:.1f} s"
        if self.process >= _MOST * self.seconds:
            return f"another thread of this process computed for {self.process:.1f} s"
        return "the process waited for a disk, was stopped, or the machine is overloaded"


async def watch_loop_lag(observe: Callable[[float, float], None] | None = None) -> None:
    """Pass seconds and `busy` of each wake-up's lag to `observe`, until cancelled.

    A lag above 1 s is logged with its likely reason.
    """
    while True:
        lag = await _next_lag()
        if observe is not None:
            observe(lag.seconds, lag.busy)
        if lag.seconds > WARN_SECONDS:
            _LOG.warning("The event loop was blocked for %.1f s: %s.", lag.seconds, lag.reason)


async def _next_lag() -> Lag:
    began, thread, process = time.perf_counter(), time.thread_time(), time.process_time()
    await asyncio.sleep(INTERVAL_SECONDS)
    late = max(0.0, time.perf_counter() - began - INTERVAL_SECONDS)
    return Lag(late, time.thread_time() - thread, time.process_time() - process)
