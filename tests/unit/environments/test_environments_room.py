"""Builds set disk aside before they begin, and owners take turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from seatrial.domain.errors import NoCapacity
from seatrial.environments.room import BuildRoom

GB = 10**9


class Builds:
    """Builds that last until the test ends them."""

    def __init__(self, room: BuildRoom) -> None:
        self._room = room
        self.running: list[str] = []
        self.told: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, *names: str) -> None:
        """Begin or wait; the first letter of a name is its owner."""
        for name in names:
            self._ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._build(name))
        await settled()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await settled()

    async def _build(self, name: str) -> None:
        async def on_wait() -> None:
            self.told.append(name)

        async with self._room.one(name[0], on_wait, seconds=600):
            self.running.append(name)
            try:
                await self._ends[name].wait()
            finally:
                self.running.remove(name)


async def settled() -> None:
    """Everything that could happen now has happened."""
    for _ in range(20):
        await asyncio.sleep(0)


def builds(*, share: int = 2, free: Callable[[], int] = lambda: 100 * GB) -> Builds:
    return Builds(BuildRoom(each=8 * GB, share=share, free=free))


async def test_one_owner_alone_has_no_share() -> None:
    alone = builds()
    await alone.start("a1", "a2", "a3", "a4")
    assert alone.running == ["a1", "a2", "a3", "a4"]
    assert alone.told == []


async def test_builds_that_the_disk_could_not_hold_together_wait() -> None:
    full = builds(free=lambda: 17 * GB)
    await full.start("a1", "a2", "a3")
    assert full.running == ["a1", "a2"]
    assert full.told == ["a3"]
    await full.end("a1")
    assert full.running == ["a2", "a3"]


async def test_one_build_runs_however_full_the_disk_is() -> None:
    full = builds(free=lambda: 0)
    await full.start("a1", "b1")
    assert full.running == ["a1"]
    await full.end("a1")
    assert full.running == ["b1"]


async def test_who_has_fewer_builds_goes_first() -> None:
    full = builds(free=lambda: 17 * GB)
    await full.start("a1", "a2", "a3", "a4", "b1")
    await full.end("a1")
    assert full.running == ["a2", "b1"]


async def test_beside_others_an_owner_has_a_share() -> None:
    shared = builds(share=2)
    await shared.start("b1", "a1", "a2", "a3")
    assert shared.running == ["b1", "a1", "a2"]
    await shared.start("b2")
    assert shared.running == ["b1", "a1", "a2", "b2"]
    await shared.end("a1")
    assert "a3" in shared.running


async def test_who_is_cancelled_leaves_the_room_to_the_next() -> None:
    full = builds(free=lambda: 0)
    await full.start("a1", "a2", "b1")
    full.tasks["b1"].cancel()
    full.tasks["a1"].cancel()
    await settled()
    assert full.running == ["a2"]
    await full.end("a2")
    await full.start("b2")
    assert full.running == ["b2"]


async def test_who_waits_too_long_is_told() -> None:
    room = BuildRoom(each=1, share=1, free=lambda: 0)

    async def on_wait() -> None:
        pass

    async with room.one("a", on_wait, seconds=600):
        with pytest.raises(NoCapacity):
            async with room.one("b", on_wait, seconds=0):
                pass
    async with room.one("b", on_wait, seconds=0):
        pass
