"""One user's open streams are not everybody's limit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from seatrial.client import AsyncClient
from seatrial.domain.errors import StreamsFull, StreamsShareFull
from seatrial.server.occupancy import OpenStreams
from seatrial.settings import Settings
from seatrial.store import SqlStore

from .running import Running, running

STREAM = {"accept": "text/event-stream"}


@pytest_asyncio.fixture
async def small(store: SqlStore, folder: Path) -> AsyncIterator[Running]:
    """A server for five streams, of which one user may have two."""
    settings = Settings(
        data_dir=folder, port=0, max_cpus=4.0, max_streams=5, max_streams_per_user=2
    )
    async with running(store, folder, local_owner=None, settings=settings) as server:
        yield server


async def opened(stack: AsyncExitStack, client: httpx.AsyncClient, test_id: str) -> httpx.Response:
    """The answer to one more stream, which stays open until the stack is left."""
    asked = client.stream("GET", f"/api/v1/tests/{test_id}/events", headers=STREAM)
    return await stack.enter_async_context(asked)


async def test_a_user_leaves_room_for_the_streams_of_others(small: Running) -> None:
    async with (
        small.client(await small.token_of("ann")) as ann,
        small.client(await small.token_of("bob")) as bob,
        AsyncExitStack() as stack,
    ):
        mine, others = await small.submitted(ann), await small.submitted(bob)
        alone = [(await opened(stack, ann, mine)).status_code for _ in range(4)]
        assert alone == [200, 200, 200, 503]
        assert (await opened(stack, bob, others)).status_code == 200
        share = await opened(stack, ann, mine)
        problem = httpx.Response(429, content=await share.aread()).json()
        assert (share.status_code, problem["code"]) == (429, "streams.share_full")
        assert share.headers["retry-after"] == "5"
        assert "Close one" in problem["hint"]
        assert (await opened(stack, bob, others)).status_code == 200
        full = await opened(stack, bob, others)
        assert full.status_code == 429
        async with AsyncClient(small.url, token=ann.headers["authorization"][7:]) as program:
            with pytest.raises(StreamsShareFull, match="one user's share"):
                await anext(program.events(mine))
    # Streams that ended take no room.
    async with asyncio.timeout(60):
        while small.deps.streams.taken:
            await asyncio.sleep(0.02)


async def test_a_user_reads_the_limits_of_one_user(small: Running) -> None:
    async with small.client(await small.token_of("ann")) as ann:
        found = (await ann.get("/api/v1/limits")).json()["per_user"]
    names = {name for name in Settings.model_fields if name.endswith("_per_user")}
    assert set(found) == names
    assert (found["max_streams_per_user"], found["max_queued_per_user"]) == (2, 100)


def test_the_total_holds_whoever_asks() -> None:
    streams = OpenStreams(total=3, share=2)
    with streams.one("a"), streams.one("b"), streams.one("c"):
        with pytest.raises(StreamsFull), streams.one("d"):
            pass
        with pytest.raises(StreamsFull), streams.one("a"):
            pass
    assert streams.taken == 0
