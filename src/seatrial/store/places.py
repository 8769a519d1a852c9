"""Where a queued test stands, how long it will wait, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seatrial.domain.estimates import wait_interval
from seatrial.domain.tests import QueuePlace

from . import queries
from .database import Reading

_HISTORY = 50
_NOBODY_WORKS_SECONDS = 120


@dataclass(frozen=True)
class Capacity:
    """What can run now. A cap of 0 is none; caps are the widest that a live worker has."""

    workers: int
    slots: int
    running: Mapping[str, int]
    max_per_user: int
    max_total: int
    durations: Sequence[float]

    @property
    def usable_slots(self) -> int:
        """Tests that may run at a time."""
        return min(self.slots, self.max_total) if self.max_total else self.slots

    def place(self, position: int, owner: str) -> QueuePlace:
        """The place of an owner's test at that position."""
        wait = wait_interval(position, self.usable_slots, self.durations)
        return QueuePlace(position=position, wait=wait, reason=self.reason(owner))

    def reason(self, owner: str) -> str:
        """Why a test of that owner is not running yet; empty when one is about to take it."""
        mine = self.running.get(owner, 0)
        if not self.workers:
            return "no worker is connected"
        if self.max_per_user and mine >= self.max_per_user:
            return f"you already run {mine} {'test' if mine == 1 else 'tests'}"
        if sum(self.running.values()) >= self.usable_slots:
            return "every slot is busy"
        return ""

    def seconds_to_free_place(self) -> int:
        """When the queue's head will probably be taken: a slot becomes free."""
        if not self.workers:
            return _NOBODY_WORKS_SECONDS
        wait = wait_interval(1, self.usable_slots, self.durations)
        return max(1, math.ceil(wait.high_seconds / max(1, self.usable_slots)))


async def capacity(reading: Reading) -> Capacity:
    """Look at what can run now."""
    offered = await reading.row(queries.LIVE_WORKERS, now=reading.now)
    running = await reading.rows(queries.RUNNING_BY_OWNER)
    assert offered is not None  # an aggregate always has its one row
    return Capacity(
        workers=offered.workers,
        slots=offered.slots,
        running={row.owner: row.running for row in running},
        max_per_user=offered.max_per_user or 0,
        max_total=offered.max_total or 0,
        durations=await recent_durations(reading, _HISTORY),
    )


async def recent_durations(reading: Reading, limit: int) -> Sequence[float]:
    """Seconds from claim to completion of the latest tests, newest first."""
    rows = await reading.rows(queries.RECENT_DURATIONS, limit=limit)
    return tuple((row.completed_at - row.claimed_at).total_seconds() for row in rows)
