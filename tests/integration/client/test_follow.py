"""A journal followed over connections that break: no event is missed, none comes twice."""

from __future__ import annotations

import asyncio
import random

import pytest

from seatrial.client import AsyncClient, Client, ServerUnreachable
from seatrial.client.errors import BadAnswer
from seatrial.client.follow import Patience
from seatrial.domain.errors import NotFound, PlatformError

from .scripted import Scripted, as_stream, journal, serving


async def _numbers(client: AsyncClient, after: int = 0) -> list[int]:
    return [event.number async for event in client.events("t1", after=after)]


@pytest.mark.parametrize("seed", range(8))
async def test_a_stream_cut_at_any_byte_again_and_again_gives_each_event_once(seed: int) -> None:
    events = journal(30)
    chance = random.Random(seed)

    def script(_: int, after: int) -> bytes:
        whole = as_stream(events[after:])
        # At least the first event gets through, so that the client is never out of patience.
        least = len(as_stream(events[after : after + 1]))
        return whole[: chance.randint(least, max(least, len(whole) // 3))]

    scripted = Scripted(events, script)
    async with serving(scripted) as client:
        assert await _numbers(client) == list(range(1, 32))
    assert len(scripted.resumed_after) > 2


async def test_a_server_that_sends_events_again_is_not_believed_twice() -> None:
    events = journal(4)
    scripted = Scripted(events, lambda n, _: as_stream(events[:3] if n == 0 else events))
    async with serving(scripted) as client:
        assert await _numbers(client) == [1, 2, 3, 4, 5]


async def test_a_gap_makes_the_client_ask_again_from_before_it() -> None:
    events = journal(4)
    scripted = Scripted(
        events,
        lambda n, after: as_stream([events[0], *events[2:]] if n == 0 else events[after:]),
    )
    async with serving(scripted) as client:
        assert await _numbers(client) == [1, 2, 3, 4, 5]
    assert scripted.resumed_after == [0, 1]


async def test_a_gap_that_stays_is_an_error_and_not_silence() -> None:
    events = journal(4)
    scripted = Scripted(events, lambda _n, _after: as_stream([events[0], *events[2:]]))
    async with serving(scripted) as client:
        with pytest.raises(PlatformError, match="Event 3 came after event 1"):
            await _numbers(client)


async def test_following_behind_the_end_of_a_completed_test_ends() -> None:
    events = journal(2)
    async with serving(Scripted(events, lambda _n, _after: b"")) as client:
        assert await _numbers(client, after=3) == []


async def test_a_restarting_server_is_waited_for_through_its_errors() -> None:
    events = journal(2)
    answers: dict[int, bytes | int] = {0: as_stream(events[:1]), 1: 503, 2: 502, 3: b""}
    scripted = Scripted(
        events, lambda n, after: answers.get(n, as_stream(events[after:])), completed=False
    )
    async with serving(scripted) as client:
        assert await _numbers(client) == [1, 2, 3]
    assert scripted.resumed_after == [0, 1, 1, 1, 1]


async def test_a_server_that_never_comes_back_is_given_up_after_the_stated_attempts() -> None:
    events = journal(2)
    scripted = Scripted(
        events, lambda n, _: as_stream(events[:1]) if n == 0 else 503, completed=False
    )
    async with serving(scripted) as client:
        with pytest.raises(PlatformError):
            await _numbers(client)
    assert len(scripted.resumed_after) == 1 + 5


async def test_a_test_deleted_while_it_is_followed_is_not_found() -> None:
    events = journal(2)
    scripted = Scripted(
        events, lambda n, _: as_stream(events[:1]) if n == 0 else 404, completed=False
    )
    async with serving(scripted) as client:
        with pytest.raises(NotFound):
            await _numbers(client)


async def test_a_silent_connection_counts_as_lost() -> None:
    events = journal(1)
    silent = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        after = int(head.partition("last-event-id: ")[2].partition("\r")[0])
        writer.write(as_stream(events[after : after + 1]))
        await writer.drain()
        if after == 0:
            await silent.wait()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with AsyncClient(url, patience=Patience(first=0.001, silence=0.1)) as client:
            assert await _numbers(client) == [1, 2]
        silent.set()


async def test_what_is_no_event_is_an_error_that_is_not_tried_again() -> None:
    scripted = Scripted([], lambda _n, _after: b"data: {}\n\n")
    async with serving(scripted) as client:
        with pytest.raises(BadAnswer):
            await _numbers(client)
    assert scripted.resumed_after == [0]


async def test_no_server_at_all_is_said_at_once() -> None:
    async with AsyncClient("http://127.0.0.1:9") as client:
        with pytest.raises(ServerUnreachable, match="cannot be reached"):
            await _numbers(client)


async def test_the_sync_client_follows_and_may_stop_in_the_middle() -> None:
    events = journal(50)
    scripted = Scripted(events, lambda _, after: as_stream(events[after : after + 20]))

    def use(url: str) -> tuple[list[int], list[int]]:
        with Client(url) as client:
            first: list[int] = []
            for event in client.events("t1"):
                first.append(event.number)
                if event.number == 3:
                    break
            return first, [event.number for event in client.events("t1", after=40)]

    server = await asyncio.start_server(scripted.answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        first, last = await asyncio.to_thread(use, url)
    assert (first, last) == ([1, 2, 3], list(range(41, 52)))
