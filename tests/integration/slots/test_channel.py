"""The worker's end of the channel, when it breaks and when somebody else speaks."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from seatrial.harness.protocol import (
    MAX_FROM_HARNESS,
    VERSION,
    Assign,
    Begun,
    Cancel,
    Heartbeat,
    Hello,
    Log,
    Refused,
    ResultPart,
    Welcome,
    encode,
)
from seatrial.slots import SlotFolders
from seatrial.slots.channel import Channel

from .peers import ASSIGN, SCRIPT, SECONDS, WHOLE, Harness, Peer, Stored, wire

LAST = len(SCRIPT)


@dataclass
class Slot:
    """A channel with a worker that stores, and the true harness."""

    folders: SlotFolders
    channel: Channel
    stored: Stored
    harness: Harness

    @property
    def path(self) -> Path:
        return self.folders.channel_socket

    async def is_whole(self) -> None:
        """Play what is left to its end; every frame came out once, in order."""
        await self.harness.send(LAST)
        await self.harness.until_acked(LAST)
        assert self.stored.frames == list(WHOLE.items())


@pytest_asyncio.fixture
async def slot(short_folder: Path) -> AsyncIterator[Slot]:
    folders = SlotFolders(short_folder / "slot")
    claim = folders.create()
    channel = Channel(
        folders, claim=claim, on_claimed=lambda: folders.claim.unlink(missing_ok=True)
    )
    await channel.open()
    stored = Stored(channel).start()
    yield Slot(folders, channel, stored, Harness(folders.channel_socket, claim, stored))
    assert stored.task is not None
    stored.task.cancel()
    await channel.close()


# --------------------------------------------------------------------------- the true harness


@pytest.mark.spec("SC-006")
@pytest.mark.parametrize("number", range(1, LAST + 1))
@pytest.mark.parametrize("where", ["before", "within", "unheard", "acknowledged"])
async def test_a_cut_at_any_frame_loses_and_doubles_nothing(
    slot: Slot, number: int, where: str
) -> None:
    await slot.harness.connect()
    if where in {"before", "within"}:
        await slot.harness.send(number - 1, half_of_next=where == "within")
    else:
        await slot.harness.send(number)
    if where == "acknowledged":
        await slot.harness.until_acked(max(n for n in [0, *WHOLE] if n <= number))
    slot.harness.cut()

    await slot.harness.connect()
    await slot.is_whole()


async def test_cuts_after_every_byte_of_a_frame_lose_nothing(slot: Slot) -> None:
    whole = wire(SCRIPT[:1], 1)
    for size in range(len(whole)):
        await slot.harness.connect()
        assert slot.harness.peer is not None
        slot.harness.peer.writer.write(whole[:size])
        await slot.harness.peer.writer.drain()
        slot.harness.cut()
    await slot.harness.connect()
    await slot.is_whole()


@pytest.mark.spec("SC-006")
async def test_what_is_not_stored_is_never_acknowledged(slot: Slot) -> None:
    slot.stored.paused.clear()
    for _ in range(3):
        welcome = await slot.harness.connect()
        assert welcome.acked == 0
        await slot.harness.send(6)
        slot.harness.cut()
    slot.stored.paused.set()
    await slot.harness.connect()
    await slot.is_whole()


async def test_a_part_of_a_result_is_acknowledged_with_the_result_only(slot: Slot) -> None:
    await slot.harness.connect()
    await slot.harness.send(8)
    await slot.harness.until_acked(6)
    slot.harness.cut()
    assert (await slot.harness.connect()).acked == 6
    await slot.is_whole()


async def fill(slot: Slot, frames: int) -> int:
    """Send single log lines until the channel reads no more; how many were sent."""
    slot.harness.script = [Log("stdout", f"{n}\n") for n in range(1, frames + 1)]
    assert slot.harness.peer is not None
    async with asyncio.timeout(SECONDS):
        for number in range(1, frames + 1):
            await slot.harness.send(number, first=number)
            before = slot.channel.heard_at
            while slot.channel.heard_at == before and slot.channel.silent_seconds() > 0:
                await asyncio.sleep(0)
            if slot.channel.silent_seconds() == 0:
                return number
    raise AssertionError("the channel never stopped reading")


@pytest.mark.spec("SC-006")
async def test_a_harness_that_is_not_read_is_not_taken_for_silent(slot: Slot) -> None:
    slot.stored.paused.clear()
    await slot.harness.connect()
    sent = await fill(slot, 100)
    assert slot.channel.silent_seconds() == 0
    slot.stored.paused.set()
    await slot.harness.until_acked(sent)
    assert [number for number, _ in slot.stored.frames] == list(range(1, sent + 1))


async def test_what_a_slow_engine_took_is_not_the_silence_of_the_harness(slot: Slot) -> None:
    slot.channel.heard_at -= 100  # the container was ordered so long ago
    assert slot.channel.starting
    slot.channel.assign(ASSIGN)
    assert slot.channel.silent_seconds() < 50
    await slot.harness.connect()
    assert not slot.channel.starting


async def test_a_new_connection_never_overtakes_what_an_older_one_sent(slot: Slot) -> None:
    slot.stored.paused.clear()
    await slot.harness.connect()
    sent = await fill(slot, 100)
    slot.harness.cut()
    await slot.harness.connect()
    await slot.harness.send(100)
    assert sent < 100
    slot.stored.paused.set()
    await slot.harness.until_acked(100)
    assert [number for number, _ in slot.stored.frames] == list(range(1, 101))


# --------------------------------------------------------------------------- keys


async def test_the_claim_is_traded_once_and_its_file_is_gone(slot: Slot) -> None:
    welcome = await slot.harness.connect()
    assert welcome.session
    assert slot.channel.claimed.is_set()
    assert not slot.folders.claim.exists()
    assert slot.folders.read_session() == welcome.session
    assert stat.S_IMODE(slot.folders.session.stat().st_mode) == 0o600
    again = await Peer.hello(slot.path, claim=slot.harness.claim)
    assert [type(frame) for frame in await again.until_cut()] == [Refused]
    await slot.is_whole()


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"claim": "forged"},
        {"claim": ""},
        {"session": "forged"},
        {"session": "", "claim": ""},
        {"session": "ä" * 50},
        {"session": None, "claim": None, "assigned": True},
    ],
)
async def test_who_shows_no_key_is_refused_before_and_after_the_claim(
    slot: Slot, said: dict[str, object]
) -> None:
    before = await Peer.hello(slot.path, **said)
    assert [type(frame) for frame in await before.until_cut()] == [Refused]
    assert not slot.channel.claimed.is_set()
    await slot.harness.connect()
    after = await Peer.hello(slot.path, **said)
    assert [type(frame) for frame in await after.until_cut()] == [Refused]
    await slot.is_whole()


@pytest.mark.parametrize("version", [0, VERSION + 1, -1])
async def test_a_harness_of_another_version_is_refused_with_the_right_claim(
    slot: Slot, version: int
) -> None:
    peer = await Peer.hello(slot.path, claim=slot.harness.claim, version=version)
    assert [type(frame) for frame in await peer.until_cut()] == [Refused]
    assert not slot.channel.claimed.is_set()
    await slot.harness.connect()
    await slot.is_whole()


# --------------------------------------------------------------------------- somebody else

FORGED: dict[str, bytes] = {
    "nothing": b"",
    "garbage": b"\xff" * 64,
    "a web request": b"GET / HTTP/1.1\r\n\r\n",
    "an oversize header": (MAX_FROM_HARNESS + 1).to_bytes(4, "big"),
    "half a frame": encode(Hello(VERSION, None, None, False))[:9],
    "an exit": wire(SCRIPT[-1:], 1),
    "a heartbeat": encode(Heartbeat()),
    "a frame of the worker": encode(Welcome("mine", 0)),
    "a hello and an exit": encode(Hello(VERSION, None, "x", True)) + wire(SCRIPT[-1:], 4),
    "a number far ahead": encode(Begun(1), 2**62),
}


@pytest.mark.spec("FR-008")
@pytest.mark.parametrize("forged", FORGED)
async def test_a_stranger_loses_its_own_connection_only(slot: Slot, forged: str) -> None:
    await slot.harness.connect()
    await slot.harness.send(3)
    await slot.harness.until_acked(3)
    stranger = await Peer.connect(slot.path)
    stranger.writer.write(FORGED[forged])
    stranger.writer.write_eof()
    assert all(isinstance(frame, Refused) for frame in await stranger.until_cut())
    await slot.is_whole()


async def test_strangers_who_say_nothing_do_not_keep_the_true_one_out(slot: Slot) -> None:
    strangers = [await Peer.connect(slot.path) for _ in range(40)]
    await slot.harness.connect()
    await slot.is_whole()
    assert await strangers[0].until_cut() == []
    for stranger in strangers:
        stranger.cut()


BROKEN: dict[str, bytes] = {
    "garbage": b"\xff" * 64,
    "an oversize header": (MAX_FROM_HARNESS + 1).to_bytes(4, "big"),
    "a gap": wire(SCRIPT[4:6], 5),
    "a frame of the worker": encode(Welcome("mine", 0)),
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("together", [True, False])
async def test_a_broken_stream_is_cut_and_goes_on_with_what_follows_the_good_part(
    slot: Slot, broken: str, *, together: bool
) -> None:
    await slot.harness.connect()
    assert slot.harness.peer is not None
    good = wire(SCRIPT[:3], 1)
    if together:
        slot.harness.peer.writer.write(good + BROKEN[broken])
    else:
        slot.harness.peer.writer.write(good)
        await slot.harness.until_acked(3)
        slot.harness.peer.writer.write(BROKEN[broken])
    await slot.harness.peer.until_cut()
    await slot.harness.connect()
    await slot.is_whole()


@pytest.mark.parametrize(("parts", "size"), [(1025, 1), (70, 1_000_000)])
async def test_a_result_without_an_end_is_cut(slot: Slot, parts: int, size: int) -> None:
    await slot.harness.connect()
    peer = slot.harness.peer
    assert peer is not None
    listening = asyncio.create_task(peer.until_cut())
    text = "x" * size
    try:
        for number in range(1, parts + 1):
            peer.writer.write(encode(ResultPart("response", text), number))
            await peer.writer.drain()
    except ConnectionError:
        pass
    await listening
    assert slot.stored.frames == []
    assert (await slot.harness.connect()).acked == 0


# --------------------------------------------------------------------------- orders


async def heard_on_a_new_connection(slot: Slot, *, assigned: bool) -> list[type]:
    """What a harness that connects now is told before its first frame is acknowledged."""
    await slot.harness.connect(assigned=assigned)
    number = slot.harness.acked + 1
    await slot.harness.send(number)
    await slot.harness.until_acked(number)
    assert slot.harness.peer is not None
    return [type(f) for f in slot.harness.peer.heard if isinstance(f, Assign | Cancel)]


async def test_the_work_is_given_until_the_harness_says_that_it_has_it(slot: Slot) -> None:
    slot.channel.assign(ASSIGN)
    assert await heard_on_a_new_connection(slot, assigned=False) == [Assign]
    slot.harness.cut()
    assert await heard_on_a_new_connection(slot, assigned=False) == [Assign]
    slot.harness.cut()
    assert await heard_on_a_new_connection(slot, assigned=True) == []


async def test_work_that_comes_after_the_claim_is_given_at_once(slot: Slot) -> None:
    await slot.harness.connect(assigned=False)
    slot.channel.assign(ASSIGN)
    assert slot.harness.peer is not None
    assert await slot.harness.peer.hear() == ASSIGN


@pytest.mark.spec("FR-007")
async def test_a_cancellation_is_said_again_on_every_connection(slot: Slot) -> None:
    slot.channel.assign(ASSIGN)
    slot.channel.cancel(0.5)
    assert await heard_on_a_new_connection(slot, assigned=False) == [Assign, Cancel]
    slot.harness.cut()
    assert await heard_on_a_new_connection(slot, assigned=True) == [Cancel]


# --------------------------------------------------------------------------- the next worker


@pytest.mark.spec("SC-006", "edge-3")
@pytest.mark.parametrize("number", range(1, LAST + 1))
async def test_the_next_worker_goes_on_with_the_session_that_the_former_one_left(
    slot: Slot, number: int
) -> None:
    await slot.harness.connect()
    await slot.harness.send(number)
    await slot.harness.until_acked(max(n for n in WHOLE if n <= number))
    assert slot.stored.task is not None
    slot.stored.task.cancel()
    await slot.channel.close()
    assert slot.harness.peer is not None
    await slot.harness.peer.until_cut()

    heir = Channel(slot.folders, claim=None, acked=slot.stored.last)
    await heir.open()
    assert not heir.starting
    slot.stored.channel = heir
    slot.stored.start()
    refused = await Peer.hello(slot.path, claim=slot.harness.claim)
    assert [type(frame) for frame in await refused.until_cut()] == [Refused]
    session = slot.harness.session
    welcome = await slot.harness.connect()
    assert (welcome.session, welcome.acked) == (session, slot.stored.last)
    await slot.is_whole()
    await heir.close()


async def test_a_channel_that_was_never_claimed_cannot_be_adopted(slot: Slot) -> None:
    await slot.channel.close()
    heir = Channel(slot.folders, claim=None)
    await heir.open()
    peer = await Peer.hello(slot.path, claim=slot.harness.claim)
    assert [type(frame) for frame in await peer.until_cut()] == [Refused]
    await heir.close()


async def test_closing_cuts_everybody_and_leaves_no_socket_and_no_task(slot: Slot) -> None:
    stranger = await Peer.connect(slot.path)
    await slot.harness.connect()
    await slot.channel.close()
    await slot.channel.close()
    assert slot.harness.peer is not None
    await slot.harness.peer.until_cut()
    await stranger.until_cut()
    assert not slot.path.exists()
