"""Makes and adopts slots: the hardened container, its door and its channel."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from seatrial.domain.door_limits import DoorLimits
from seatrial.domain.ports import (
    ContainerInfo,
    ContainerLimits,
    ContainerSpec,
    DoorSpec,
    Engine,
    Gateway,
    GatewayReport,
    Mount,
    Tmpfs,
    Upstream,
)
from seatrial.domain.recording_ports import Recorder
from seatrial.domain.recordings import Replay
from seatrial.domain.redaction import Known

from .channel import Channel
from .folders import SlotFolders, harness_files, harness_folder
from .self_test import SelfTest, ignore
from .slot import Slot
from .users import Users

HARNESS_PATH = "/seatrial/lib"
DOOR_PATH = "/seatrial/door"
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
    `known`; its calls are recorded, or answered from a recording.
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


class Slots:
    """Opens slots on one engine, with one gateway."""

    def __init__(
        self,
        engine: Engine,
        gateway: Gateway,
        *,
        state: Path,
        installation: str,
        silence_seconds: float = 10.0,
        self_tested: bool = False,
        engine_socket: str = "",
    ) -> None:
        """`state` is this worker's own folder; `installation` marks its containers.

        With `self_tested`, nothing is opened before a probe has found that containers of this
        engine are closed. `engine_socket` is one of the things that it must not see.
        """
        harness_files()
        self.engine = engine
        self.installation = installation
        self._gateway = gateway
        self._state = state
        self._silence_seconds = silence_seconds
        self._users = Users()
        self.self_test = SelfTest(engine, self.open_probe, state, engine_socket)
        self.self_tested = self_tested

    async def open(self, spec: SlotSpec, report: GatewayReport) -> Slot:
        """Start a container that waits for its work. When that fails nothing is left.

        NotIsolated when the self-test found a way out of containers of this engine.
        """
        if self.self_tested:
            await self.self_test.ensure(spec.image)
        return await self._open(spec, report)

    async def open_probe(self, name: str, limits: ContainerLimits, image: str) -> Slot:
        """Open a slot for the self-test itself."""
        spec = SlotSpec(name, SELF_TEST, attempt=0, image=image, limits=limits, disk_mb=8)
        return await self._open(spec, ignore)

    async def _open(self, spec: SlotSpec, report: GatewayReport) -> Slot:
        folders = self.folders(spec.name)
        folders.remove()
        channel = Channel(folders, claim=folders.create())
        return await self._start(spec, report, folders, channel)

    async def adopt(self, spec: SlotSpec, report: GatewayReport, *, acked: int) -> Slot | None:
        """Take over the container of a former worker that died; None when it is not there.

        `acked` is the last frame that is stored: the harness sends what follows it.
        """
        folders = self.folders(spec.name)
        container = await self._running(spec.name)
        if folders.read_session() is None or container is None:
            return None
        channel = Channel(folders, claim=None, acked=acked)
        return await self._start(spec, report, folders, channel, container)

    def folders(self, name: str) -> SlotFolders:
        """Where the slot of that name keeps its sockets."""
        return SlotFolders(self._state / "slots" / name)

    async def is_running(self, name: str) -> bool:
        """Whether a container of that name runs."""
        return await self._running(name) is not None

    async def _running(self, name: str) -> ContainerInfo | None:
        for container in await self.engine.containers(self.installation):
            if container.name == name and container.running:
                return container
        return None

    async def discard(self, name: str) -> None:
        """Remove whatever a former worker left of that slot."""
        for container in await self.engine.containers(self.installation):
            if container.name == name:
                await self.engine.remove(container.id)
        self.folders(name).remove()

    async def _start(
        self,
        spec: SlotSpec,
        report: GatewayReport,
        folders: SlotFolders,
        channel: Channel,
        running: ContainerInfo | None = None,
    ) -> Slot:
        uid = self._user_of(running)
        async with contextlib.AsyncExitStack() as undo:
            undo.callback(self._users.give_back, uid)
            # Also when it is cancelled: whoever asked knows of no slot, so nothing may be left.
            undo.callback(folders.remove)
            undo.push_async_callback(channel.close)
            await channel.open()
            door = await self._gateway.open(_door_of(spec, folders), report)
            undo.push_async_callback(door.close)
            if running is None:
                container_id = await self.engine.launch(self._container_of(spec, folders, uid))
            else:
                container_id = running.id
            undo.pop_all()
        return Slot(
            self.engine,
            container_id,
            folders,
            channel,
            door,
            uid=uid,
            on_end=lambda: self._users.give_back(uid),
            silence_seconds=self._silence_seconds,
        )

    def _user_of(self, running: ContainerInfo | None) -> int:
        """A new user id, or the one of the container that is taken over."""
        known = running.labels.get(_UID_LABEL, "") if running else ""
        if not known.isdigit():
            return self._users.take()
        self._users.hold(int(known))
        return int(known)

    def _container_of(self, spec: SlotSpec, folders: SlotFolders, uid: int) -> ContainerSpec:
        harness = harness_folder(self._state)
        return ContainerSpec(
            name=spec.name,
            image=spec.image,
            argv=_ARGV,
            limits=spec.limits,
            labels={
                "seatrial": spec.test_id,
                "seatrial.attempt": str(spec.attempt),
                "seatrial.installation": self.installation,
                _UID_LABEL: str(uid),
                **spec.labels,
            },
            mounts=(
                Mount(str(harness), HARNESS_PATH),
                Mount(str(folders.door), DOOR_PATH),
                *spec.mounts,
            ),
            tmpfs=(
                Tmpfs("/agent", _AGENT_FILES_MB, mode=0o755),
                Tmpfs("/tmp", spec.disk_mb),  # noqa: S108 - a path inside the container
                Tmpfs("/home/agent", spec.disk_mb, executable=True),
            ),
            working_directory="/agent",
        )


def _door_of(spec: SlotSpec, folders: SlotFolders) -> DoorSpec:
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
    )
