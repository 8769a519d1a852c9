"""How a slot's two sockets get into its container: as they are, or through a relay.

The gateway and the channel always listen on sockets in the slot's folder on this machine. Where
the engine can mount those, the container sees that folder (`SocketDoorway`). Elsewhere it sees
a volume of its own, in which a relay container makes the same two sockets and carries what
comes to this machine over its pipe (`RelayDoorway`). Either way the container sees the same
read-only folder and has no network, and the sockets are its identity: the volume, the relay and
its pipe belong to this slot alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from seatrial.domain.ports import ContainerLimits, ContainerSpec, Engine, Mount, VolumeMount
from seatrial.harness import tunnel

from .folders import SlotFolders
from .peers import OwnContainer, OwnProcess
from .relay_link import RelayLink
from .removal import Part, Removal

DoorKind = Literal["socket", "relay"]

HARNESS_PATH = "/seatrial/lib"
DOOR_PATH = "/seatrial/door"

_RELAY = "-relay"
_START_SECONDS = 30.0
_LIMITS = ContainerLimits(memory_mb=128, cpus=1.0, processes=8, open_files=1024, file_mb=1)
_PROGRAM = ("python3", "-I", "-S", f"{HARNESS_PATH}/harness/door_relay.py", DOOR_PATH)


def relay_name(slot: str) -> str:
    """The name of a slot's relay container; its volume has the slot's own."""
    return f"{slot}{_RELAY}"


def slot_of(container: str) -> str:
    """The slot that a container belongs to, by the container's name."""
    return container.removesuffix(_RELAY)


class Doorway(Protocol):
    """One slot's way in for its sockets. Order: open, close or remove."""

    @property
    def mounts(self) -> tuple[Mount, ...]:
        """Host folders that the container mounts for it."""
        ...

    @property
    def volumes(self) -> tuple[VolumeMount, ...]:
        """Volumes that the container mounts for it."""
        ...

    @property
    def peers(self) -> OwnContainer | OwnProcess:
        """Whose connections the slot's sockets take."""
        ...

    async def open(self, claim: str) -> None:
        """Have the sockets and the claim token in place; no token for an adopted slot."""
        ...

    def claimed(self) -> None:
        """Take the claim token away, before any later answer on the channel arrives."""
        ...

    async def lost(self) -> str:
        """Return why when the way is lost; else never."""
        ...

    async def close(self) -> None:
        """Let go of it, so that another worker may open it. Idempotent."""
        ...

    @property
    def parts(self) -> tuple[Part, ...]:
        """What it consists of besides the slot's folder."""
        ...

    async def remove_relay(self, removal: Removal) -> None:
        """Remove what stands between, if anything; before the container is gone or after."""
        ...

    async def remove(self, removal: Removal) -> None:
        """Remove what is left; the container is gone."""
        ...


@dataclass(frozen=True)
class SocketDoorway:
    """The slot's folder itself, mounted."""

    folders: SlotFolders
    peers: OwnContainer

    @property
    def mounts(self) -> tuple[Mount, ...]:
        """See Doorway."""
        return (Mount(str(self.folders.door), DOOR_PATH),)

    @property
    def volumes(self) -> tuple[VolumeMount, ...]:
        """See Doorway."""
        return ()

    async def open(self, claim: str) -> None:
        """See Doorway: the folder has it all."""

    def claimed(self) -> None:
        """See Doorway."""
        self.folders.claim.unlink(missing_ok=True)

    async def lost(self) -> str:
        """See Doorway."""
        await asyncio.Event().wait()
        return ""

    async def close(self) -> None:
        """See Doorway."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """See Doorway."""
        return ()

    async def remove_relay(self, removal: Removal) -> None:
        """See Doorway: there is none."""

    async def remove(self, removal: Removal) -> None:
        """See Doorway: the folder goes with the slot."""


@dataclass(frozen=True)
class RelaySpec:
    """What a slot's relay container is made of; `slot` is the slot's name."""

    slot: str
    image: str
    harness: Mount
    labels: Mapping[str, str]
    silence_seconds: float

    def container(self) -> ContainerSpec:
        """Hardened like every other, without a network, with the volume alone to write to."""
        return ContainerSpec(
            name=relay_name(self.slot),
            image=self.image,
            argv=(*_PROGRAM, str(self.silence_seconds)),
            limits=_LIMITS,
            labels={**self.labels, "seatrial.part": "relay"},
            mounts=(self.harness,),
            volumes=(VolumeMount(self.slot, DOOR_PATH, read_only=False),),
        )


class RelayDoorway:
    """A volume with the sockets of a relay container, whose pipe ends here."""

    def __init__(self, engine: Engine, spec: RelaySpec, folders: SlotFolders) -> None:
        """Makes nothing yet."""
        self._engine = engine
        self._spec = spec
        self._folders = folders
        self._container: str | None = None
        self._link: RelayLink | None = None
        self.peers = OwnProcess()

    @property
    def mounts(self) -> tuple[Mount, ...]:
        """See Doorway."""
        return ()

    @property
    def volumes(self) -> tuple[VolumeMount, ...]:
        """See Doorway."""
        return (VolumeMount(self._spec.slot, DOOR_PATH),)

    async def open(self, claim: str) -> None:
        """See Doorway. Leaves nothing when it fails, but the volume of an adopted slot."""
        await self._engine.make_volume(self._spec.slot, self._spec.labels)
        self._container, pipe = await self._engine.launch_piped(self._spec.container())
        self._link = RelayLink(
            pipe,
            {
                tunnel.GATEWAY: self._folders.gateway_socket,
                tunnel.CHANNEL: self._folders.channel_socket,
            },
        )
        await self._link.serve(claim, _START_SECONDS)

    def claimed(self) -> None:
        """See Doorway. The message goes before whatever the channel says next."""
        self._folders.claim.unlink(missing_ok=True)
        if self._link is not None:
            self._link.forget_claim()

    async def lost(self) -> str:
        """See Doorway."""
        assert self._link is not None, "it was never opened"
        return await asyncio.shield(self._link.lost)

    async def close(self) -> None:
        """See Doorway. The relay ends by itself with its pipe."""
        if self._link is not None:
            await self._link.close()

    @property
    def parts(self) -> tuple[Part, ...]:
        """See Doorway."""
        return ("relay", "volume")

    async def remove_relay(self, removal: Removal) -> None:
        """See Doorway."""
        await self.close()
        if self._container is not None:
            await self._engine.remove(self._container)
            self._container = None
        removal.note("relay")

    async def remove(self, removal: Removal) -> None:
        """See Doorway."""
        if self._container is not None:
            await self.remove_relay(removal)
        await self._engine.remove_volume(self._spec.slot)
        removal.note("volume")
