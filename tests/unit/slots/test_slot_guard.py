"""When a slot's container is ended from outside, and when the worker must not judge it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from seatrial.domain.ports import ContainerExit
from seatrial.harness.protocol import Assign, Exit, Log
from seatrial.slots.slot import OnFrames, Slot, SlotEnd

DEADLINE_SECONDS = 0.4
ENDED = Exit(0, None, "exited", 0.1, 0.1, 0, None, 1, 0, 0, False, 0, 0, 0, "")


class Container:
    """Engine, channel, door and doorway of one container that does what a test says."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self.killed = False
        self.calls = ()
        self.starting = False
        self.coming: asyncio.Queue[list[tuple[int, Any]]] = asyncio.Queue()

    async def wait(self, _: str) -> ContainerExit:
        await self.gone.wait()
        return ContainerExit(137)

    async def kill(self, _: str) -> None:
        self.killed = True
        self.gone.set()

    def assign(self, _: Assign) -> None:
        return None

    def ack(self, _: int) -> None:
        return None

    def silent_seconds(self) -> float:
        return 0.0

    async def batches(self) -> AsyncIterator[list[tuple[int, Any]]]:
        while True:
            yield await self.coming.get()
            self.coming.task_done()

    async def hung_up(self) -> None:
        return None

    async def taken(self) -> None:
        await self.coming.join()

    async def lost(self) -> str:
        await asyncio.Event().wait()
        return ""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same proportions in less time."""
    seconds = {"AGAIN": 0.02, "STOOD_STILL": 0.2, "HEARING": 0.3, "OUTER_MARGIN": 0.1}
    for name, value in {**seconds, "STORED": 0.1, "LAST_FRAMES": 0.2}.items():
        monkeypatch.setattr(f"seatrial.slots.slot._{name}_SECONDS", value)


def running(container: Container, on_frames: OnFrames) -> asyncio.Task[SlotEnd]:
    part: Any = container
    slot = Slot(
        part,
        "c1",
        part,
        part,
        part,
        part,
        uid=1,
        on_end=lambda: None,
        on_left=lambda: None,
        silence_seconds=60,
    )
    times = {"deadline_seconds": DEADLINE_SECONDS, "grace_seconds": 0.0}
    work = cast("Assign", SimpleNamespace(**times))
    return asyncio.create_task(slot.run(work, on_frames))


async def store(_: object) -> None:
    """A database that is there."""


async def test_a_container_that_outlives_its_deadline_is_ended() -> None:
    container = Container()
    end = await asyncio.wait_for(running(container, store), 30)
    assert container.killed
    assert end.stopped == "deadline"


async def test_a_worker_that_stood_still_hears_of_an_end_before_it_judges() -> None:
    container = Container()
    run = running(container, store)
    await asyncio.sleep(0.1)
    time.sleep(DEADLINE_SECONDS * 2)  # the whole process stands still
    asyncio.get_running_loop().call_later(0.1, container.gone.set)
    end = await asyncio.wait_for(run, 30)
    assert not container.killed
    assert end.stopped is None


async def test_what_waits_for_the_database_is_stored_before_the_deadline_counts() -> None:
    container, back = Container(), asyncio.Event()

    async def slowly(_: object) -> None:
        await back.wait()

    run = running(container, slowly)
    container.coming.put_nowait([(1, Log("stdout", "out"))])
    container.coming.put_nowait([(2, ENDED)])
    asyncio.get_running_loop().call_later(DEADLINE_SECONDS * 3, back.set)
    end = await asyncio.wait_for(run, 30)
    assert not container.killed
    assert (end.exit, end.stopped) == (ENDED, None)


async def test_what_came_before_the_containers_end_is_stored_however_long_that_takes() -> None:
    container, back = Container(), asyncio.Event()

    async def slowly(_: object) -> None:
        await back.wait()

    run = running(container, slowly)
    container.coming.put_nowait([(1, ENDED)])
    await asyncio.sleep(0.15)
    container.gone.set()
    asyncio.get_running_loop().call_later(1.0, back.set)
    assert (await asyncio.wait_for(run, 30)).exit == ENDED
