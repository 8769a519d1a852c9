"""Removes containers and volumes that nobody holds any more."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from seatrial.domain.errors import PlatformError
from seatrial.domain.ports import ContainerInfo, Engine
from seatrial.slots import Slots, slot_of

log = logging.getLogger(__name__)

_ROUND_SECONDS = 10.0
_OWN_AGE = timedelta(seconds=15)
_OTHERS_SECONDS = 60.0
"""Containers of another worker are left to it for this long after they were seen ended.

So is every volume after it was first seen without a container.
"""


class Reaper:
    """Looks over the engine's containers from time to time, by label."""

    def __init__(
        self, engine: Engine, slots: Slots, worker: str, holds: Callable[[str, int], bool]
    ) -> None:
        """`holds` tells whether this worker drives that attempt right now."""
        self._engine = engine
        self._slots = slots
        self._worker = worker
        self._holds = holds
        self._seen_ended: dict[str, float] = {}
        self._seen_alone: dict[str, float] = {}

    async def run(self) -> None:
        """Look every few seconds until cancelled; trouble with the engine is not ours to end."""
        while True:
            await asyncio.sleep(_ROUND_SECONDS)
            try:
                await self.look()
            except PlatformError as error:
                log.debug("the reaper waits for the engine: %s", error)

    async def look(self) -> int:
        """Remove what is left over now; how many containers and volumes that were."""
        found = await self._engine.containers(self._slots.installation)
        self._note_ended(found)
        left = [container for container in found if self._is_left_over(container)]
        for container in left:
            log.warning("removing the left-over container %s", container.name)
            await self._engine.remove(container.id)
            self._slots.folders(container.name).remove()
        return len(left) + await self._look_at_volumes(found, left)

    async def _look_at_volumes(
        self, found: Sequence[ContainerInfo], removed: Sequence[ContainerInfo]
    ) -> int:
        """Remove the volumes of slots that were just removed, and those long without one."""
        volumes = {volume.name for volume in await self._engine.volumes(self._slots.installation)}
        kept = [container for container in found if container not in removed]
        alone = volumes - {slot_of(container.name) for container in kept}
        now = time.monotonic()
        self._seen_alone = {name: self._seen_alone.get(name, now) for name in alone}
        ended = {slot_of(container.name) for container in removed}
        left = [
            name
            for name, since in self._seen_alone.items()
            if name in ended or now - since > _OTHERS_SECONDS
        ]
        for name in left:
            log.warning("removing the left-over volume %s", name)
            await self._engine.remove_volume(name)
        return len(left)

    def _note_ended(self, found: Sequence[ContainerInfo]) -> None:
        now = time.monotonic()
        ended = [container.id for container in found if not container.running]
        self._seen_ended = {name: self._seen_ended.get(name, now) for name in ended}

    def _is_left_over(self, container: ContainerInfo) -> bool:
        labels = container.labels
        age = datetime.now(UTC) - container.created_at
        if labels.get("seatrial.worker") != self._worker:
            ended_at = self._seen_ended.get(container.id)
            return ended_at is not None and time.monotonic() - ended_at > _OTHERS_SECONDS
        attempt = labels.get("seatrial.attempt", "")
        held = attempt.isdigit() and self._holds(labels.get("seatrial", ""), int(attempt))
        return not held and age > _OWN_AGE
