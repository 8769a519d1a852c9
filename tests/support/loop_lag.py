"""Holds the event loop of a server, or of the test itself, to a limit.

Counted are the seconds of a lag during which the watched process itself computed, so a machine
that has other things to do fails no test.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from seatrial.settings import Settings
from seatrial.wiring.loop_lag import watch_loop_lag

LIMIT_SECONDS = 0.25
"""A bound of the metric's buckets."""

_METRIC = "seatrial_event_loop_busy_seconds"


def _buckets(data_dir: Path) -> dict[float, float]:
    """How many wake-ups were at most so many seconds late, since the process began."""
    socket = Settings(data_dir=data_dir).socket_path
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), timeout=60) as client:
        answer = client.get("http://localhost/metrics").raise_for_status()
    return {
        float(sample.labels["le"]): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == f"{_METRIC}_bucket"
    }


@contextlib.contextmanager
def responsive(data_dir: Path, *, limit: float = LIMIT_SECONDS) -> Generator[None]:
    """Fail when the loop of the server that owns this data folder was blocked in the block.

    It must be the same process at the end. `limit` is a bound of the metric's buckets.
    """
    before = _buckets(data_dir)
    yield
    after = _buckets(data_dir)
    grown = {bound: count - before[bound] for bound, count in after.items()}
    assert grown[float("inf")] > 0, "the event loop's lag is not measured"
    late = grown[float("inf")] - grown[limit]
    most = min(bound for bound, count in grown.items() if count == grown[float("inf")])
    assert late == 0, f"the event loop was blocked {late:.0f} times, for up to {most} s"


@contextlib.asynccontextmanager
async def responsive_loop(*, limit: float = LIMIT_SECONDS) -> AsyncGenerator[None]:
    """The same of the loop that runs the test: for parts that are tried without a server."""
    seen: list[float] = []
    watching = asyncio.create_task(watch_loop_lag(lambda _, busy: seen.append(busy)))
    await asyncio.sleep(0)
    try:
        yield
        count = len(seen)
        while len(seen) <= count:  # the wake-up that the block's last step made late
            await asyncio.sleep(0.01)
    finally:
        watching.cancel()
    assert max(seen) < limit, f"the event loop was blocked for {max(seen):.2f} s"
