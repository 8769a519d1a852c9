"""What the reaper takes for left over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from seatrial.domain.ports import ContainerInfo, Engine, Gateway
from seatrial.slots import Slots
from seatrial.worker.reaper import Reaper


class ListedEngine:
    """Only lists and removes: all that a reaper asks an engine for."""

    def __init__(self, *containers: ContainerInfo) -> None:
        self.listed = {container.id: container for container in containers}

    async def containers(self, installation: str) -> list[ContainerInfo]:
        assert installation == "here"
        return list(self.listed.values())

    async def remove(self, container_id: str) -> None:
        del self.listed[container_id]


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
