"""What the reaper takes for left over."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from seatrial.domain.ports import ContainerInfo, Engine, Gateway, VolumeInfo
from seatrial.slots import Slots
from seatrial.worker.reaper import Reaper


class ListedEngine:
    """Only lists and removes: all that a reaper asks an engine for."""

    def __init__(self, *containers: ContainerInfo) -> None:
        self.listed = {container.id: container for container in containers}
        self.kept: list[str] = []

    async def containers(self, installation: str) -> list[ContainerInfo]:
        assert installation == "here"
        return list(self.listed.values())

    async def remove(self, container_id: str) -> None:
        del self.listed[container_id]

    async def volumes(self, installation: str) -> list[VolumeInfo]:
        assert installation == "here"
        return [VolumeInfo(name, {}) for name in self.kept]

    async def remove_volume(self, name: str) -> None:
        self.kept.remove(name)


def container(name: str, *, worker: str, running: bool, age_seconds: float) -> ContainerInfo:
    return ContainerInfo(
        id=name,
        name=name,
        labels={"seatrial": name, "seatrial.attempt": "1", "seatrial.worker": worker},
        running=running,
        created_at=datetime.now(UTC) - timedelta(seconds=age_seconds),
    )


async def left_after(tmp_path: Path, held: str, *containers: ContainerInfo) -> set[str]:
    engine = ListedEngine(*containers)
    typed = cast("Engine", engine)
    slots = Slots(typed, cast("Gateway", None), state=tmp_path, installation="here")
    await Reaper(typed, slots, "me", lambda test_id, _: test_id == held).look()
    return set(engine.listed)


async def test_own_containers_that_nobody_drives_are_removed_once_they_are_old(
    tmp_path: Path,
) -> None:
    left = await left_after(
        tmp_path,
        "driven",
        container("driven", worker="me", running=True, age_seconds=600),
        container("lost", worker="me", running=True, age_seconds=600),
        container("starting", worker="me", running=True, age_seconds=1),
    )
    assert left == {"driven", "starting"}


async def test_another_workers_containers_are_its_own_business_at_first(tmp_path: Path) -> None:
    left = await left_after(
        tmp_path,
        "",
        container("works", worker="other", running=True, age_seconds=900),
        container("just ended", worker="other", running=False, age_seconds=900),
    )
    assert left == {"works", "just ended"}


async def test_a_relay_goes_with_its_slot_and_a_volume_after_its_containers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = ListedEngine(
        container("lost", worker="me", running=True, age_seconds=600),
        container("lost-relay", worker="me", running=False, age_seconds=600),
        container("driven-relay", worker="me", running=True, age_seconds=600),
    )
    engine.kept = ["lost", "driven", "nobody's"]
    typed = cast("Engine", engine)
    slots = Slots(typed, cast("Gateway", None), state=tmp_path, installation="here")
    reaper = Reaper(typed, slots, "me", lambda test_id, _: test_id == "driven-relay")
    assert await reaper.look() == 3
    assert (set(engine.listed), engine.kept) == ({"driven-relay"}, ["driven", "nobody's"])

    later = time.monotonic() + 61
    monkeypatch.setattr("seatrial.worker.reaper.time.monotonic", lambda: later)
    assert await reaper.look() == 1
    assert engine.kept == ["driven"]
