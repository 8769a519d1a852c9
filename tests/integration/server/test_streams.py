"""The event stream: no gap, no repeat, from any position, for any client."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from tests.support.loop_lag import responsive_loop

from seatrial.domain.events import LogEvent
from seatrial.domain.phases import Outcome
from seatrial.services.read_events import MAX_PAGE_BYTES
from seatrial.store import SqlStore

from .running import Running, Sent, log_events, running, sent_events

TESTS = "/api/v1/tests"


@contextlib.asynccontextmanager
async def stream(
    client: httpx.AsyncClient, test_id: str, last: int | None = None, after: int | None = None
) -> AsyncGenerator[AsyncGenerator[Sent]]:
    headers = {"accept": "text/event-stream"}
    if last is not None:
        headers["last-event-id"] = str(last)
    params = {} if after is None else {"after": after}
    path = f"{TESTS}/{test_id}/events"
    async with client.stream("GET", path, headers=headers, params=params) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield sent_events(answer.aiter_lines())


async def numbers(client: httpx.AsyncClient, test_id: str, **where: int) -> list[int]:
    async with asyncio.timeout(120), stream(client, test_id, **where) as events:
        return [event.id async for event in events]


@pytest.mark.spec("US3-1", "FR-003")
async def test_events_arrive_as_they_are_written_and_the_stream_ends_after_the_last(
    server: Running, client: httpx.AsyncClient
) -> None:
    test_id = await server.submitted(client)
    async with asyncio.timeout(120), stream(client, test_id) as events:
        first = await anext(events)
        assert (first.id, first.event, first.data["data"]["phase"]) == (1, "phase", "queued")
        claim = await server.claim(test_id)
        building = await anext(events)
        assert building.data["data"]["phase"] == "building"
        await server.store.append(test_id, claim.attempt, log_events(1))
        log = await anext(events)
        assert (log.event, log.data["data"]["text"]) == ("log", "line 0\n")
        await server.complete(claim)
        rest = [event async for event in events]
    assert rest[-1].data["data"]["outcome"] == "succeeded"


async def _write(server: Running, test_id: str, count: int) -> None:
    claim = await server.claim(test_id)
    for n in range(count):
        event = LogEvent(stream="stdout", text=f"{n}\n")
        await server.store.append(test_id, claim.attempt, [event])
        await asyncio.sleep(0)
    await server.complete(claim)


@pytest.mark.spec("US1-5")
async def test_a_stream_resumes_from_every_position_while_events_are_written(
    server: Running,
) -> None:
    async with server.client() as client:
        test_id = await server.submitted(client)
        writer = asyncio.create_task(_write(server, test_id, 40))
        streams = [asyncio.create_task(numbers(client, test_id, last=n)) for n in range(30)]
        seen = await asyncio.gather(*streams)
        await writer
        last = (await client.get(f"{TESTS}/{test_id}")).json()["last_event"]
        assert last >= 42
        for start, ids in enumerate(seen):
            assert ids == list(range(start + 1, last + 1))


async def test_a_client_that_comes_back_again_and_again_sees_each_event_once(
    server: Running, client: httpx.AsyncClient
) -> None:
    test_id = await server.submitted(client)
    writer = asyncio.create_task(_write(server, test_id, 30))
    seen: list[int] = []
    over = False
    async with asyncio.timeout(60):
        while not over:
            last = seen[-1] if seen else 0
            async with stream(client, test_id, last=last) as events:
                async for event in events:
                    seen.append(event.id)
                    over = event.data["data"].get("phase") == "completed"
                    if over or len(seen) % 3 == 0:
                        break
    await writer
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) >= 32


async def test_a_finished_test_is_streamed_whole_from_any_position(
    server: Running, client: httpx.AsyncClient
) -> None:
    test_id = await server.completed(client, logs=250)
    last = (await client.get(f"{TESTS}/{test_id}")).json()["last_event"]
    for start in (0, 1, 99, 100, 101, last - 1):
        assert await numbers(client, test_id, last=start) == list(range(start + 1, last + 1))
        assert await numbers(client, test_id, after=start) == list(range(start + 1, last + 1))
    assert await numbers(client, test_id, last=last - 1, after=0) == [last]


@pytest.mark.parametrize("beyond", [0, 5])
async def test_a_stream_behind_the_last_event_is_a_204_that_ends_reconnecting(
    server: Running, client: httpx.AsyncClient, beyond: int
) -> None:
    test_id = await server.completed(client)
    last = (await client.get(f"{TESTS}/{test_id}")).json()["last_event"]
    headers = {"accept": "text/event-stream", "last-event-id": str(last + beyond)}
    answer = await client.get(f"{TESTS}/{test_id}/events", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "٣", "9" * 30])
async def test_a_last_event_id_that_is_no_number_is_a_422(
    server: Running, client: httpx.AsyncClient, text: str
) -> None:
    test_id = await server.submitted(client)
    headers = [(b"accept", b"text/event-stream"), (b"last-event-id", text.encode())]
    answer = await client.get(f"{TESTS}/{test_id}/events", headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Last-Event-ID"


async def test_silence_is_broken_by_keep_alives(store: SqlStore, folder: Path) -> None:
    async with running(store, folder, keep_alive_seconds=0.01) as server, server.client() as client:
        test_id = await server.submitted(client)
        headers = {"accept": "text/event-stream"}
        path = f"{TESTS}/{test_id}/events"
        async with asyncio.timeout(120), client.stream("GET", path, headers=headers) as answer:
            comments, finished = 0, False
            async for line in answer.aiter_lines():
                comments += line == ": keep-alive"
                if line and comments == 3:
                    await server.complete(await server.claim(test_id))
                finished = '"completed"' in line or finished
        assert finished


async def test_streams_end_when_the_server_stops(store: SqlStore, folder: Path) -> None:
    async with running(store, folder) as server, server.client() as client:
        test_id = await server.submitted(client)
        async with asyncio.timeout(120), stream(client, test_id) as events:
            await anext(events)
            server.deps.stopping.set()
            assert [event async for event in events] == []


async def test_a_client_that_left_is_forgotten(server: Running, client: httpx.AsyncClient) -> None:
    test_id = await server.submitted(client)
    async with stream(client, test_id) as events:
        await anext(events)
        assert server.deps.activity.active == 1
    async with asyncio.timeout(60):
        while server.deps.activity.active:
            await asyncio.sleep(0.01)


async def _reads_nothing(server: Running, test_id: str) -> socket.socket:
    """A client that asks for the stream and never reads it, with the smallest buffer."""
    loop = asyncio.get_running_loop()
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    await loop.sock_connect(raw, ("127.0.0.1", server.port))
    request = (
        f"GET {TESTS}/{test_id}/events HTTP/1.1\r\nHost: localhost\r\n"
        "Accept: text/event-stream\r\n\r\n"
    )
    await loop.sock_sendall(raw, request.encode())
    return raw


async def test_clients_that_do_not_read_hold_up_nobody(store: SqlStore, folder: Path) -> None:
    async with running(store, folder) as server, server.client() as client:
        test_id = await server.submitted(client)
        slow = [await _reads_nothing(server, test_id) for _ in range(20)]
        claim = await server.claim(test_id)
        for _ in range(10):
            await server.store.append(test_id, claim.attempt, log_events(50, size=20_000))
        await server.complete(claim, outcome=Outcome.SUCCEEDED)
        ids = await numbers(client, test_id)
        assert ids == list(range(1, ids[-1] + 1))
        assert len(ids) > 500
        assert server.deps.activity.active == 20
        # The server's end waits for none of them either: `running` allows it 20 seconds.
    for raw in slow:
        raw.close()


@pytest.mark.spec("FR-014")
async def test_many_clients_follow_one_test_at_once(server: Running) -> None:
    async with httpx.AsyncClient(
        base_url=server.url, limits=httpx.Limits(max_connections=200), timeout=60
    ) as client:
        test_id = await server.submitted(client)
        readers = [asyncio.create_task(numbers(client, test_id)) for _ in range(100)]
        await _write(server, test_id, 50)
        seen = await asyncio.gather(*readers)
    assert all(ids == seen[0] for ids in seen)
    assert seen[0] == list(range(1, len(seen[0]) + 1))


async def test_a_page_of_a_large_journal_ends_at_4_mib_and_the_next_one_goes_on(
    server: Running, client: httpx.AsyncClient
) -> None:
    test_id = await server.submitted(client)
    claim = await server.claim(test_id)
    await server.complete(claim, events=log_events(300, 60_000))
    whole = await numbers(client, test_id)

    sizes: list[int] = []
    seen: list[int] = []
    async with responsive_loop():
        complete = False
        while not complete:
            last = seen[-1] if seen else 0
            answer = await client.get(f"{TESTS}/{test_id}/events", params={"after": last})
            page = answer.json()
            sizes.append(len(answer.content))
            seen += [event["number"] for event in page["events"]]
            complete = page["complete"]

    assert seen == whole
    assert max(sizes) < MAX_PAGE_BYTES + 100_000
    assert len(sizes) > 3


async def test_following_a_large_journal_does_not_hold_the_loop(
    server: Running, client: httpx.AsyncClient
) -> None:
    test_id = await server.submitted(client)
    claim = await server.claim(test_id)
    await server.complete(claim, events=log_events(900, 60_000))

    async with responsive_loop(), server.client() as other:
        headers = {"accept": "text/event-stream"}
        size = 0
        async with other.stream("GET", f"{TESTS}/{test_id}/events", headers=headers) as answer:
            async for chunk in answer.aiter_raw():
                size += len(chunk)

    assert size > 900 * 60_000
