"""Makes and adopts slots: the hardened container, its door and its channel."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from seatrial.domain.door_limits import DoorLimits
from seatrial.domain.errors import PlatformError
from seatrial.domain.ports import (
    ContainerInfo,
    ContainerLimits,
    ContainerSpec,
    Door,
    DoorSpec,
    Engine,
    Gateway,
    GatewayReport,
    Mount,
    Peers,
    Tmpfs,
    Upstream,
)
from seatrial.domain.recording_ports import Recorder
from seatrial.domain.recordings import Replay
from seatrial.domain.redaction import Known

from .channel import Channel
from .door_choice import DoorChoice, DoorSetting
from .doorways import (
    HARNESS_PATH,
    DoorKind,
    Doorway,
    RelayDoorway,
    RelaySpec,
    SocketDoorway,
    relay_name,
)
from .folders import SlotFolders, disk_errors, harness_files, harness_folder, slots_folder
from .opened import Opened
from .peers import OwnContainer
from .removal import Removal
from .self_test import SelfTest, ignore
from .slot import Slot

WORKER_LABEL = "seatrial.worker"
"""The worker whose container or volume it is."""
_DOOR_LABEL = "seatrial.door"
_IMAGE_LABEL = "seatrial.image"
"""What the relay of an adopted container is made of: whoever adopts it knows no image."""
_ARGV = ("python3", "-I", "-S", f"{HARNESS_PATH}/harness/boot.py")
_UID_LABEL = "seatrial.uid"
SELF_TEST = "self-test"
"""Stands in place of a test's id on the label of the probe's container."""
_AGENT_FILES_MB = 8
"""Room for the agent's files (1 MB at most) in their read-only folder."""


@dataclass(frozen=True)
class SlotSpec:
    """What one slot is for.

    `name` is unique per attempt or build step. `test_id` goes on the label. The door reaches
    the upstreams and the egress hosts and nothing else, and its answers hold no secret that is
    `known`; its calls are recorded, or answered from a recording. `allow`, `secrets` and
    `received_ids` are as for the door.
    """

    name: str
    test_id: str
    attempt: int
    image: str
    limits: ContainerLimits
    disk_mb: int
    upstreams: tuple[Upstream, ...] = ()
    egress: frozenset[tuple[str, int]] = frozenset()
    egress_may_be_private: bool = False
    door_limits: DoorLimits = field(default_factory=DoorLimits)
    recorder: Recorder | None = None
    replay: Replay | None = None
    mounts: tuple[Mount, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    known: Known | None = None
    allow: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    received_ids: tuple[str, ...] = ()


class Slots:
    """Opens slots on one engine, with one gateway."""

    def __init__(
        self,
        engine: Engine,
        gateway: Gateway,
        *,
        state: Path,
        installation: str,
        worker: str = "",
        silence_seconds: float = 10.0,
        self_tested: bool = False,
        engine_socket: str = "",
        door: DoorSetting = "socket",
        allow_unenforced: bool = False,
    ) -> None:
        """`state` is this worker's own folder; `installation` and `worker` mark its containers.

        With `self_tested`, nothing is opened before a probe has found that containers of this
        engine are closed and held to their limits; with `allow_unenforced` the limits are noted
        only. `engine_socket` is one of the things that a container must not see.
        """
        harness_files()
        self.choice = DoorChoice(engine, door, state=state, installation=installation)
        self.engine = engine
        self.installation = installation
        self._gateway = gateway
        self._state = state
        self._slots_folder = slots_folder(state)
        self._silence_seconds = silence_seconds
        self._worker = worker
        self._opened = Opened()
        self.self_test = SelfTest(
            engine,
            self.open_probe,
            state,
            engine_socket,
            installation=installation,
            allow_unenforced=allow_unenforced,
        )
        self.self_tested = self_tested

    async def open(self, spec: SlotSpec, report: GatewayReport) -> Slot:
        """Start a container that waits for its work. When that fails nothing is left.

        NotIsolated when the self-test found a way out of containers of this engine,
        LimitsNotEnforced when it found them without a limit.
        """
        if self.self_tested:
            door = await self.choice.found(spec.image)
            await self.self_test.ensure(spec.image, door=door.kind)
        return await self._open(spec, report)

    async def open_probe(self, name: str, limits: ContainerLimits, image: str) -> Slot:
        """Open a slot for the self-test itself."""
        spec = SlotSpec(name, SELF_TEST, attempt=0, image=image, limits=limits, disk_mb=8)
        return await self._open(spec, ignore)

    async def _open(self, spec: SlotSpec, report: GatewayReport) -> Slot:
        kind = (await self.choice.found(spec.image)).kind
        folders = self.folders(spec.name)
        folders.remove()
        uid = self._opened.add(spec.name)
        async with self._undo(spec.name) as undo:
            claim = folders.create()
            doorway = self._doorway(kind, spec, folders)
            channel = Channel(folders, claim=claim, on_claimed=doorway.claimed, peers=doorway.peers)
            undo.push_async_callback(_quietly, lambda: doorway.remove(Removal()))
            door = await self._open_sockets(spec, report, folders, channel, doorway, undo)
            await doorway.open(claim)
            container = self._container_of(spec, kind, doorway, uid)
            container_id = await self.engine.launch(container)
            doorway.peers.started(container_id)
        return self._slot(spec.name, container_id, channel, door, doorway, uid)

    @property
    def unenforced(self) -> tuple[str, ...]:
        """The limits that this engine does not enforce; empty where no self-test is made."""
        return self.self_test.unenforced if self.self_tested else ()

    async def adopt(self, spec: SlotSpec, report: GatewayReport, *, acked: int) -> Slot | None:
        """Take over the container of a former worker that died; None when it is not there.

        `acked` is the last frame that is stored: the harness sends what follows it. When that
        fails nothing is left.
        """
        folders = self.folders(spec.name)
        found = {c.name: c for c in await self.engine.containers(self.installation)}
        container = found.get(spec.name)
        if folders.read_session() is None or container is None or not container.running:
            return None
        if former := found.get(relay_name(spec.name)):
            await self.engine.remove(former.id)
        spec = replace(spec, image=container.labels.get(_IMAGE_LABEL, spec.image))
        doorway = self._doorway(_kind_of(container), spec, folders)
        doorway.peers.started(container.id, await self.engine.process(container.id))
        channel = Channel(
            folders, claim=None, acked=acked, on_claimed=doorway.claimed, peers=doorway.peers
        )
        uid = self._opened.add(spec.name, _user_of(container))
        async with self._undo(spec.name) as undo:
            # It runs again elsewhere then, and never beside its former container.
            undo.push_async_callback(_quietly, lambda: self.discard(spec.name))
            door = await self._open_sockets(spec, report, folders, channel, doorway, undo)
            await doorway.open("")
        return self._slot(spec.name, container.id, channel, door, doorway, uid)

    def folders(self, name: str) -> SlotFolders:
        """Where the slot of that name keeps its sockets."""
        return SlotFolders(self._slots_folder / name)

    def is_open(self, name: str) -> bool:
        """Whether this process drives the slot of that name now."""
        return name in self._opened

    @property
    def left(self) -> frozenset[str]:
        """Slots of this process whose container could not be removed, until they are forgotten."""
        return self._opened.left

    def names(self) -> frozenset[str]:
        """The slots that have a folder here, also those that a former process left."""
        try:
            return frozenset(os.listdir(self._slots_folder))
        except FileNotFoundError:
            return frozenset()

    def forget(self, name: str) -> None:
        """The containers of that slot are gone: remove what is here of it."""
        self.folders(name).remove()
        self._opened.close(name)

    async def is_running(self, name: str) -> bool:
        """Whether a container of that name runs."""
        found = await self.engine.containers(self.installation)
        return any(container.name == name and container.running for container in found)

    async def discard(self, name: str, removal: Removal | None = None) -> None:
        """Remove whatever a former worker left of that slot; `removal` notes what there was."""
        removal = removal or Removal()
        for container in await self.engine.containers(self.installation):
            if container.name == name:
                await removal.of_container(self.engine.remove(container.id))
            elif container.name == relay_name(name):
                await self.engine.remove(container.id)
                removal.note("relay")
        await self.engine.remove_volume(name)
        if "relay" in removal.gone:
            removal.note("volume")
        if self.folders(name).root.exists():
            removal.note("door_socket", "channel_socket", "folder")
        self.forget(name)

    @contextlib.asynccontextmanager
    async def _undo(self, name: str) -> AsyncGenerator[contextlib.AsyncExitStack]:
        """Take back what was done when the block fails. NoCapacity when the disk is full.

        Also when it is cancelled: whoever asked knows of no slot, so nothing may be left.
        """
        with disk_errors():
            async with contextlib.AsyncExitStack() as undo:
                undo.callback(self.forget, name)
                yield undo
                undo.pop_all()

    async def _open_sockets(
        self,
        spec: SlotSpec,
        report: GatewayReport,
        folders: SlotFolders,
        channel: Channel,
        doorway: Doorway,
        undo: contextlib.AsyncExitStack,
    ) -> Door:
        undo.push_async_callback(channel.close)
        await channel.open()
        door = await self._gateway.open(_door_of(spec, folders, doorway.peers), report)
        undo.push_async_callback(door.close)
        return door

    def _slot(
        self,
        name: str,
        container_id: str,
        channel: Channel,
        door: Door,
        doorway: Doorway,
        uid: int,
    ) -> Slot:
        return Slot(
            self.engine,
            container_id,
            self.folders(name),
            channel,
            door,
            doorway,
            uid=uid,
            on_end=lambda: self._opened.close(name),
            on_left=lambda: self._opened.leave(name),
            silence_seconds=self._silence_seconds,
        )

    def _doorway(self, kind: DoorKind, spec: SlotSpec, folders: SlotFolders) -> Doorway:
        if kind == "socket":
            return SocketDoorway(folders, OwnContainer(self.engine))
        relay = RelaySpec(
            slot=spec.name,
            image=spec.image,
            harness=self._harness(),
            labels=self._labels(spec, kind),
            silence_seconds=self._silence_seconds,
        )
        return RelayDoorway(self.engine, relay, folders)

    def _harness(self) -> Mount:
        return Mount(str(harness_folder(self._state)), HARNESS_PATH)

    def _labels(self, spec: SlotSpec, kind: DoorKind) -> dict[str, str]:
        return {
            "seatrial": spec.test_id,
            "seatrial.attempt": str(spec.attempt),
            "seatrial.installation": self.installation,
            WORKER_LABEL: self._worker,
            _DOOR_LABEL: kind,
            _IMAGE_LABEL: spec.image,
            **spec.labels,
        }

    def _container_of(
        self, spec: SlotSpec, kind: DoorKind, doorway: Doorway, uid: int
    ) -> ContainerSpec:
        return ContainerSpec(
            name=spec.name,
            image=spec.image,
            argv=_ARGV,
            limits=spec.limits,
            labels={**self._labels(spec, kind), _UID_LABEL: str(uid)},
            mounts=(self._harness(), *doorway.mounts, *spec.mounts),
            volumes=doorway.volumes,
            tmpfs=(
                Tmpfs("/agent", max(spec.disk_mb, _AGENT_FILES_MB)),
                Tmpfs("/tmp", spec.disk_mb),  # noqa: S108 - a path inside the container
                Tmpfs("/home/agent", spec.disk_mb, executable=True),
            ),
            working_directory="/agent",
        )


def _door_of(spec: SlotSpec, folders: SlotFolders, peers: Peers) -> DoorSpec:
    return DoorSpec(
        test_id=spec.test_id,
        socket_path=str(folders.gateway_socket),
        upstreams=spec.upstreams,
        egress=spec.egress,
        egress_may_be_private=spec.egress_may_be_private,
        limits=spec.door_limits,
        known=spec.known,
        recorder=spec.recorder,
        replay=spec.replay,
        allow=spec.allow,
        secrets=spec.secrets,
        received_ids=spec.received_ids,
        peers=peers,
    )


def _kind_of(container: ContainerInfo) -> DoorKind:
    """The way that the container was made for, whatever is chosen now."""
    return "relay" if container.labels.get(_DOOR_LABEL) == "relay" else "socket"


def _user_of(running: ContainerInfo) -> int | None:
    """The user id of a container that is taken over, by its label."""
    known = running.labels.get(_UID_LABEL, "")
    return int(known) if known.isdigit() else None


async def _quietly(remove: Callable[[], Awaitable[object]]) -> None:
    """Remove what a failure left; trouble here must not hide it. The reaper comes after."""
    with contextlib.suppress(PlatformError):
        await remove()
