"""What the reaper takes for left over."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from seatrial.domain.ports import ContainerInfo, Engine, Gateway, VolumeInfo
from seatrial.slots import WORKER_LABEL, Slots
from seatrial.worker.reaper import Reaper

MINE = {WORKER_LABEL: "me"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    made = Path(tempfile.mkdtemp(prefix="st-"))
    yield made
    shutil.rmtree(made)


class ListedEngine:
    """Only lists and removes: all that a reaper asks an engine for."""

    def __init__(self, *containers: ContainerInfo) -> None:
        self.listed = {container.id: container for container in containers}
        self.kept: dict[str, dict[str, str]] = {}

    async def containers(self, installation: str) -> list[ContainerInfo]:
        assert installation == "here"
        return list(self.listed.values())

    async def remove(self, container_id: str) -> None:
        del self.listed[container_id]

    async def volumes(self, installation: str) -> list[VolumeInfo]:
        assert installation == "here"
        return [VolumeInfo(name, labels) for name, labels in self.kept.items()]

    async def remove_volume(self, name: str) -> None:
        del self.kept[name]


class Clock:
    """A steady clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("seatrial.worker.reaper.time.monotonic", clock)
    return clock


def container(name: str, *, worker: str, running: bool, age: float = 600) -> ContainerInfo:
    return ContainerInfo(
        id=name,
        name=name,
        labels={"seatrial": name, "seatrial.attempt": "1", WORKER_LABEL: worker},
        running=running,
        created_at=datetime.now(UTC) - timedelta(seconds=age),
    )


def reaper_of(engine: ListedEngine, folder: Path, *, holds: str = "") -> tuple[Reaper, Slots]:
    typed = cast("Engine", engine)
    slots = Slots(typed, cast("Gateway", None), state=folder, installation="here", worker="me")
    return Reaper(typed, slots, "me", lambda test_id, _: test_id == holds), slots


async def after(seconds: float, reaper: Reaper, clock: Clock) -> int:
    """What a second look removes that much later."""
    assert await reaper.look() == 0
    clock.now += seconds
    return await reaper.look()


@pytest.mark.parametrize("age", [-3600, 1, 10**6], ids=["clock set back", "new", "old"])
async def test_own_containers_that_nobody_drives_go_whatever_the_wall_clock_says(
    folder: Path, clock: Clock, age: float
) -> None:
    engine = ListedEngine(
        container("driven", worker="me", running=True, age=age),
        container("lost", worker="me", running=True, age=age),
    )
    reaper, _ = reaper_of(engine, folder, holds="driven")
    assert await after(11, reaper, clock) == 1
    assert set(engine.listed) == {"driven"}


async def test_an_own_container_that_is_just_being_started_stays(
    folder: Path, clock: Clock
) -> None:
    engine = ListedEngine(container("starting", worker="me", running=True))
    reaper, slots = reaper_of(engine, folder)
    slots._opened.add("starting")  # pyright: ignore[reportPrivateUsage]
    assert await after(3600, reaper, clock) == 0
    slots._opened.leave("starting")  # pyright: ignore[reportPrivateUsage]
    assert await after(11, reaper, clock) == 1


async def test_a_slot_whose_container_another_worker_removed_is_forgotten(
    folder: Path, clock: Clock
) -> None:
    engine = ListedEngine()
    reaper, slots = reaper_of(engine, folder)
    slots._opened.add("failed")  # pyright: ignore[reportPrivateUsage]
    slots.folders("failed").create()
    slots._opened.leave("failed")  # pyright: ignore[reportPrivateUsage]
    await reaper.look()
    assert (slots.left, slots.names()) == (frozenset(), frozenset())


async def test_another_workers_containers_are_its_own_business_until_they_have_ended(
    folder: Path, clock: Clock
) -> None:
    engine = ListedEngine(
        container("works", worker="other", running=True),
        container("ended", worker="other", running=False),
    )
    reaper, _ = reaper_of(engine, folder)
    assert await after(10, reaper, clock) == 0
    clock.now += 6
    assert await reaper.look() == 1
    assert set(engine.listed) == {"works"}


async def test_a_relay_goes_with_its_slot_and_a_volume_after_its_containers(
    folder: Path, clock: Clock
) -> None:
    engine = ListedEngine(
        container("lost", worker="me", running=True),
        container("lost-relay", worker="me", running=False),
        container("driven-relay", worker="me", running=True),
    )
    engine.kept = {"lost": MINE, "driven": MINE, "mine": MINE, "other's": {}}
    reaper, _ = reaper_of(engine, folder, holds="driven-relay")
    assert await after(9, reaper, clock) == 0
    clock.now += 2
    assert await reaper.look() == 4
    assert (set(engine.listed), set(engine.kept)) == ({"driven-relay"}, {"driven", "other's"})
    clock.now += 5
    assert await reaper.look() == 1
    assert set(engine.kept) == {"driven"}


async def test_folders_of_a_former_worker_go_once_their_container_has(
    folder: Path, clock: Clock
) -> None:
    engine = ListedEngine(container("there", worker="me", running=True))
    reaper, slots = reaper_of(engine, folder)
    for name in ("there", "gone"):
        slots.folders(name).create()
    former = slots.names()
    reaper._former = former  # pyright: ignore[reportPrivateUsage]
    slots.folders("mine").create()
    await reaper.look()
    assert slots.names() == {"there", "mine"}
    clock.now += 11
    assert await reaper.look() == 1
    assert slots.names() == {"mine"}
