"""Where a queued test stands, how long it will wait, why, and whether that came true."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Row

from seatrial.domain.estimates import LONGEST_LINE, Experience, Held, Line, Waiting, kept
from seatrial.domain.ports import WorkerState
from seatrial.domain.tests import ALL_BUSY, NO_WORKER, QueuePlace, WaitInterval

from . import queries
from .database import Reading

_HISTORY = 200
_NOBODY_WORKS_SECONDS = 120
_MOST_WORKERS = 200
_MOVED_SECONDS, _MOVED_SHARE = 5.0, 0.25
"""A wait is told again when its end moved by more than both."""


@dataclass(frozen=True)
class Capacity:
    """What can run now. A cap of 0 is none; caps are the widest that a live worker has.

    `trouble` is what a live worker says that keeps it from working.
    """

    workers: int
    slots: int
    held: Sequence[Held]
    max_per_user: int
    max_total: int
    trouble: str = ""
    experience: Experience = field(default_factory=lambda: Experience(()))

    @property
    def usable_slots(self) -> int:
        """Tests that may run at a time."""
        return min(self.slots, self.max_total) if self.max_total else self.slots

    @cached_property
    def running(self) -> Mapping[str, int]:
        """Tests that hold a slot, by owner."""
        owners = [each.owner for each in self.held]
        return {owner: owners.count(owner) for owner in set(owners)}

    def line(self, waiting: Sequence[Waiting]) -> Line:
        """The queue as it is with those in it, in order."""
        return Line(waiting, self.held, self.usable_slots, self.max_per_user, self.experience)

    def place(self, waiting: Sequence[Waiting], position: int, owner: str) -> QueuePlace:
        """The place of an owner's test at that position of the line."""
        wait = self.line(waiting).wait_at(position)
        return QueuePlace(position=position, wait=wait, reason=self.reason(owner))

    def reason(self, owner: str) -> str:
        """Why a test of that owner is not running yet; empty when one is about to take it."""
        mine = self.running.get(owner, 0)
        if not self.workers:
            return NO_WORKER
        if self.trouble and not self.slots:
            return self.trouble
        if self.max_per_user and mine >= self.max_per_user:
            return f"you already run {mine} {'test' if mine == 1 else 'tests'}"
        if len(self.held) >= self.usable_slots:
            return ALL_BUSY
        return ""

    def seconds_to_free_place(self) -> int:
        """When the queue's head will probably be taken: a slot becomes free."""
        if not self.workers:
            return _NOBODY_WORKS_SECONDS
        wait = self.line([Waiting("")]).wait_at(1)
        return max(1, math.ceil(wait.high_seconds))

    def seconds_to_turn(self, waiting: Sequence[Waiting], owner: str) -> int:
        """When the first of the owner's tests in line will probably be taken."""
        first = next((at for at, one in enumerate(waiting, 1) if one.owner == owner), None)
        if first is None or not self.workers:
            return self.seconds_to_free_place()
        return max(1, math.ceil(self.line(waiting).wait_at(first).high_seconds))


async def capacity(reading: Reading) -> Capacity:
    """Look at what can run now."""
    offered = await reading.row(queries.LIVE_WORKERS, now=reading.now)
    held = await reading.rows(queries.RUNNING)
    past = await reading.rows(queries.RECENT_DURATIONS, limit=_HISTORY)
    assert offered is not None  # an aggregate always has its one row
    return Capacity(
        workers=offered.workers,
        slots=offered.slots,
        held=[_held(row, reading.now) for row in held],
        max_per_user=offered.max_per_user or 0,
        max_total=offered.max_total or 0,
        trouble=offered.trouble or "",
        experience=Experience(
            (row.likeness, (row.completed_at - row.claimed_at).total_seconds()) for row in past
        ),
    )


async def workers(reading: Reading) -> list[WorkerState]:
    """The live ones, by name; of very many the first."""
    rows = await reading.rows(queries.WORKERS, now=reading.now, limit=_MOST_WORKERS)
    return [WorkerState(row.engine, row.slots, row.trouble) for row in rows]


async def waiting_line(reading: Reading) -> list[Waiting]:
    """The first that wait, in order."""
    rows = await reading.rows(queries.LINE, limit=LONGEST_LINE)
    return [waiting(row) for row in rows]


def waiting(row: Row[Any]) -> Waiting:
    """A queued test as the estimate sees it."""
    return Waiting(owner=row.owner, likeness=row.likeness)


def has_moved(row: Row[Any], place: QueuePlace) -> bool:
    """Whether a queued test's place is another than its journal says."""
    if (row.place, row.place_reason) != (place.position, place.reason):
        return True
    told, now = (row.place_high_ms or 0) / 1000, place.wait.high_seconds
    return abs(now - told) > max(_MOVED_SECONDS, _MOVED_SHARE * told)


async def promises(reading: Reading, owner: str | None = None) -> tuple[int, int]:
    """Of the latest tests that had to wait: how many, and how many as long as announced."""
    rows = await reading.rows(queries.of(queries.PROMISES, owner), limit=_HISTORY)
    return len(rows), sum(_was_kept(row) for row in rows)


def _was_kept(row: Row[Any]) -> bool:
    promised = WaitInterval(
        low_seconds=row.promised_low_ms / 1000, high_seconds=row.promised_high_ms / 1000
    )
    return kept(promised, (row.started_at - row.created_at).total_seconds())


def _held(row: Row[Any], now: datetime) -> Held:
    since = max(0.0, (now - row.claimed_at).total_seconds()) if row.claimed_at else 0.0
    return Held(owner=row.owner, likeness=row.likeness, seconds=since)
