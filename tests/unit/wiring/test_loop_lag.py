"""How late the event loop is, and what it is blamed on."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest
from tests.support.loop_lag import responsive_loop

from seatrial.wiring.loop_lag import Lag, watch_loop_lag


def compute(seconds: float) -> None:
    """Use the processor for so long, however busy the machine is."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


async def test_a_blocked_loop_is_seen() -> None:
    with pytest.raises(AssertionError, match="blocked for"):
        async with responsive_loop(limit=0.25):
            compute(0.6)


async def test_a_loop_that_only_waits_is_not_blocked() -> None:
    async with responsive_loop(limit=0.25):
        await asyncio.sleep(0.2)


async def test_a_long_lag_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[float] = []
    with caplog.at_level(logging.WARNING, "seatrial.wiring.loop_lag"):
        watching = asyncio.create_task(watch_loop_lag(lambda late, _: seen.append(late)))
        await asyncio.sleep(0)
        compute(1.3)
        while not seen:
            await asyncio.sleep(0.01)
        watching.cancel()

    assert max(seen) > 1
    # On a busy machine the other processes are the likely reason.
    assert "The event loop was blocked for" in caplog.text


@pytest.mark.parametrize(
    ("lag", "said"),
    [
        (Lag(2, 1.9, 1.9), "the event loop itself"),
        (Lag(2, 0, 1.9), "another thread"),
        (Lag(2, 0, 0), "was stopped"),
    ],
)
def test_the_reason_is_what_used_the_processor(lag: Lag, said: str) -> None:
    assert said in lag.reason
    assert lag.busy == min(lag.seconds, lag.process)
