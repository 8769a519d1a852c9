"""Removes containers, volumes and folders that nobody holds any more."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from seatrial.domain.errors import PlatformError
from seatrial.domain.ports import ContainerInfo, Engine
from seatrial.slots import WORKER_LABEL, Slots, slot_of

log = logging.getLogger(__name__)

_ROUND_SECONDS = 5.0
_OWN_SECONDS = 10.0
"""So long must a container or volume of this worker have been seen that nobody drives."""
_OTHERS_SECONDS = 15.0
"""So long must a container of another worker have been seen ended, or a volume of one have been
seen without a container: a worker that lives is faster."""


class Reaper:
    """Looks over the engine's containers from time to time, by label.

    What a lost worker left is gone within 30 s after it has returned, or after another worker of
    the engine first saw it ended. Time is counted from the first look at each thing: clocks jump.
    """

    def __init__(
        self, engine: Engine, slots: Slots, worker: str, holds: Callable[[str, int], bool]
    ) -> None:
        """`holds` tells whether this worker drives that attempt right now."""
        self._engine = engine
        self._slots = slots
        self._worker = worker
        self._holds = holds
        self._former: frozenset[str] = frozenset()
        self._lost: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._alone: dict[str, float] = {}

    async def run(self) -> None:
        """Look every few seconds until cancelled; trouble with the engine is not ours to end."""
        # What is there before this worker opens anything is a former one's.
        self._former = self._slots.names()
        while True:
            try:
                await self.look()
            except PlatformError as error:
                log.debug("the reaper waits for the engine: %s", error)
            await asyncio.sleep(_ROUND_SECONDS)

    async def look(self) -> int:
        """Remove what is left over now; how many containers and volumes that were."""
        found = await self._engine.containers(self._slots.installation)
        left = self._left_over(found)
        for container in left:
            log.warning("removing the left-over container %s", container.name)
            await self._engine.remove(container.id)
            self._slots.forget(container.name)
        self._look_at_folders(found)
        return len(left) + await self._look_at_volumes(found, left)

    def _left_over(self, found: Sequence[ContainerInfo]) -> list[ContainerInfo]:
        mine = [each for each in found if self._is_mine(each.labels)]
        others = [each for each in found if each not in mine]
        self._lost = _noted(self._lost, (each.id for each in mine if not self._is_driven(each)))
        self._ended = _noted(self._ended, (each.id for each in others if not each.running))
        due = _longer(self._lost, _OWN_SECONDS) | _longer(self._ended, _OTHERS_SECONDS)
        return [each for each in found if each.id in due]

    def _look_at_folders(self, found: Sequence[ContainerInfo]) -> None:
        """Forget slots of former workers and failed ends whose container is gone, too."""
        names = {slot_of(container.name) for container in found}
        for name in (self._former | self._slots.left) - names:
            if not self._slots.is_open(name):
                self._slots.forget(name)
        self._former &= names

    async def _look_at_volumes(
        self, found: Sequence[ContainerInfo], removed: Sequence[ContainerInfo]
    ) -> int:
        """Remove the volumes of slots that were just removed, and those long without one."""
        volumes = await self._engine.volumes(self._slots.installation)
        used = {slot_of(each.name) for each in found if each not in removed}
        alone = [each for each in volumes if each.name not in used and not self._drives(each.name)]
        self._alone = _noted(self._alone, (each.name for each in alone))
        mine = {each.name for each in alone if self._is_mine(each.labels)}
        left = {slot_of(container.name) for container in removed} & {each.name for each in alone}
        left |= _longer(self._alone, _OWN_SECONDS) & mine
        left |= _longer(self._alone, _OTHERS_SECONDS)
        for name in left:
            log.warning("removing the left-over volume %s", name)
            await self._engine.remove_volume(name)
        return len(left)

    def _drives(self, name: str) -> bool:
        return self._slots.is_open(slot_of(name))

    def _is_mine(self, labels: Mapping[str, str]) -> bool:
        return labels.get(WORKER_LABEL) == self._worker

    def _is_driven(self, container: ContainerInfo) -> bool:
        if self._drives(container.name):
            return True
        attempt = container.labels.get("seatrial.attempt", "")
        held = container.labels.get("seatrial", "")
        return attempt.isdigit() and self._holds(held, int(attempt))


def _noted(since: Mapping[str, float], now_there: Iterable[str]) -> dict[str, float]:
    """When each of those that are there now was first seen so."""
    now = time.monotonic()
    return {name: since.get(name, now) for name in now_there}


def _longer(since: Mapping[str, float], seconds: float) -> set[str]:
    """Those that have been seen so for longer than that."""
    now = time.monotonic()
    return {name for name, first in since.items() if now - first > seconds}
