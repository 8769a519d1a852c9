"""Everything that a test of environments needs: engine, gateway, slots and the room itself."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatrial.domain.errors import EngineRefused
from seatrial.domain.events import ModelCallEvent, NoticeEvent
from seatrial.domain.ports import (
    ContainerLimits,
    Environment,
    EnvironmentRequest,
    Mount,
)
from seatrial.engines.docker.config import DockerConfig
from seatrial.engines.docker.engine import DockerEngine
from seatrial.environments import BuiltEnvironments
from seatrial.gateway import SocketGateway
from seatrial.harness.protocol import Assign, Exit, Log
from seatrial.settings import Settings
from seatrial.slots import FrameBatch, Slot, Slots, SlotSpec

PYTHON = "3.11"


@dataclass(frozen=True)
class Place:
    """Where a rig works: everything that a second process needs to share it."""

    url: str
    state: Path
    images: Path
    settings: Mapping[str, Any]

    @property
    def kept(self) -> Path:
        """The folder of the environments."""
        return self.state / "environments"

    @property
    def shared(self) -> Path:
        return self.kept / "shared"


@dataclass
class Rig:
    """One process's worth of environments."""

    place: Place
    engine: DockerEngine
    slots: Slots
    environments: BuiltEnvironments
    said: list[str] = field(default_factory=list[str])

    async def prepare(self, requirements: str, *, owner: str = "ada") -> Environment:
        """Prepare; what is said is kept."""
        request = EnvironmentRequest(owner=owner, requirements=requirements, python=PYTHON)
        return await self.environments.prepare(request, self._hear)

    async def _hear(self, text: str) -> None:
        self.said.append(text)

    @property
    def output(self) -> str:
        return "".join(self.said)

    async def containers(self) -> list[str]:
        """The names of all containers of this installation."""
        found = await self.engine.containers(self.slots.installation)
        return [container.name for container in found]

    async def run(
        self, environment: Environment, code: str, *, labels: Mapping[str, str] | None = None
    ) -> tuple[int | None, str]:
        """Run code in a container as a test's agent would; exit code and output."""
        mounts: tuple[Mount, ...] = ()
        if environment.path and environment.mount_path:
            mounts = (Mount(environment.path, environment.mount_path),)
        spec = SlotSpec(
            name=f"seatrial-run-{secrets.token_hex(4)}",
            test_id="run",
            attempt=1,
            image=environment.image,
            limits=ContainerLimits(memory_mb=256, cpus=1.0, processes=64),
            disk_mb=16,
            mounts=mounts,
            labels=labels or {},
        )
        slot = await self.slots.open(spec, _ignore)
        output: list[str] = []
        codes: list[int | None] = []

        async def on_frames(batch: FrameBatch) -> None:
            for _, frame in batch:
                if isinstance(frame, Log):
                    output.append(frame.text)
                elif isinstance(frame, Exit):
                    codes.append(frame.code)

        try:
            await slot.run(_command(environment, code), on_frames)
        finally:
            await self._remove(spec.name, slot)
        return codes[0] if codes else None, "".join(output)

    async def _remove(self, name: str, slot: Slot) -> None:
        try:
            await slot.remove()
        except EngineRefused:
            # Podman 4.3 may refuse to remove a container in the moment in which it ends.
            await self.slots.discard(name)


def _command(environment: Environment, code: str) -> Assign:
    return Assign(
        mode="command",
        argv=[environment.python, "-c", code],
        files={},
        entry_point=None,
        query="",
        env={},
        uid=31_337,
        python=environment.python,
        deadline_seconds=30.0,
        log_bytes=100_000,
        response_bytes=0,
    )


async def _ignore(event: ModelCallEvent | NoticeEvent) -> None:
    pass


@asynccontextmanager
async def rig_at(place: Place) -> AsyncGenerator[Rig]:
    """A rig that is closed again; its containers are removed."""
    # No registry listens on port 1: the image is the one built from Debian packages.
    engine = DockerEngine(
        DockerConfig(
            place.url, state=place.state / "f", images=place.images, registry="127.0.0.1:1"
        )
    )
    gateway = SocketGateway()
    slots = Slots(engine, gateway, state=place.state, installation=f"test {place.state}")
    settings = Settings(data_dir=place.state, **place.settings)
    environments = BuiltEnvironments(slots, engine, settings, state=place.state)
    try:
        yield Rig(place, engine, slots, environments)
    finally:
        await environments.aclose()
        for container in await engine.containers(slots.installation):
            await engine.remove(container.id)
        await gateway.aclose()
        await engine.aclose()


class Rigs:
    """Opens rigs that are closed after the test."""

    def __init__(self, stack: AsyncExitStack, place: Place) -> None:
        self._stack = stack
        self.place = place

    async def open(self, **settings: Any) -> Rig:
        """A rig with these settings over those of the place."""
        place = self.place
        changed = Place(place.url, place.state, place.images, {**place.settings, **settings})
        return await self._stack.enter_async_context(rig_at(changed))


def snapshot(folder: Path) -> dict[str, str]:
    """Every file below with the hash of its content; uv's lock files aside."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.name != ".lock":
            found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
