"""A worker in a process of its own: drives one slot and prints each frame once it is stored.

Its one argument is JSON: see `Place`. It prints JSON lines; who reads them is the database.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from seatrial.domain.events import ModelCallEvent, NoticeEvent
from seatrial.domain.ports import ContainerLimits
from seatrial.engines.docker.config import DockerConfig
from seatrial.engines.docker.engine import DockerEngine
from seatrial.gateway import SocketGateway
from seatrial.harness.protocol import Assign, Log
from seatrial.slots import FrameBatch, Slots, SlotSpec

PYTHON = "3.11"


@dataclass(frozen=True)
class Place:
    """Where and what to run. With `acked` the slot is adopted, with that many frames stored."""

    url: str
    state: str
    images: str
    installation: str
    source: str
    acked: int | None = None
    grace: float = 40.0
    door: Literal["socket", "relay"] = "socket"

    @property
    def name(self) -> str:
        return f"{self.installation}-slot"


@asynccontextmanager
async def slots_at(place: Place) -> AsyncGenerator[Slots]:
    """Engine, gateway and slots of one process."""
    engine = DockerEngine(
        DockerConfig(place.url, Path(place.state) / "engine", Path(place.images), "127.0.0.1:1")
    )
    gateway = SocketGateway()
    yield Slots(
        engine,
        gateway,
        state=Path(place.state),
        installation=place.installation,
        silence_seconds=place.grace,
        door=place.door,
    )
    await gateway.aclose()
    await engine.aclose()


def spec_of(place: Place, image: str) -> SlotSpec:
    return SlotSpec(
        name=place.name,
        test_id="slot-test",
        attempt=1,
        image=image,
        limits=ContainerLimits(memory_mb=128, cpus=1.0, processes=64),
        disk_mb=8,
    )


def work_of(place: Place) -> Assign:
    return Assign(
        mode="agent",
        argv=[],
        files={"agent.py": place.source},
        entry_point=None,
        query="q",
        env={},
        uid=23_456,
        python="python3",
        deadline_seconds=120.0,
        log_bytes=1_000_000,
        response_bytes=100_000,
        grace_seconds=0.5,
        orphan_seconds=place.grace,
    )


async def ignore(_: ModelCallEvent | NoticeEvent) -> None:
    """Nothing is called."""


def say(**said: object) -> None:
    print(json.dumps(said), flush=True)


async def store(batch: FrameBatch) -> None:
    for number, frame in batch:
        say(n=number, kind=frame.kind, text=frame.text if isinstance(frame, Log) else "")


async def main(place: Place) -> None:
    async with slots_at(place) as slots:
        spec = spec_of(place, await slots.engine.image(PYTHON))
        if place.acked is None:
            slot = await slots.open(spec, ignore)
        else:
            # Who adopts a container knows of no image, as the worker's adoption does not.
            adopted = await slots.adopt(replace(spec, image=""), ignore, acked=place.acked)
            assert adopted is not None, "there is nothing to adopt"
            slot = adopted
        say(container=slot.container_id)
        end = await slot.run(work_of(place), store)
        say(exit=end.exit.code if end.exit else None, stopped=end.stopped)
        await slot.remove()


if __name__ == "__main__":
    asyncio.run(main(Place(**json.loads(sys.argv[1]))))
