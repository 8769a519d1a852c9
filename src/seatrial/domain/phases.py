"""Phases of a test, its outcomes, and which step may follow which."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Where a test is. `completed` is terminal."""

    QUEUED = "queued"
    BUILDING = "building"
    RUNNING = "running"
    COMPLETED = "completed"


class Outcome(StrEnum):
    """How a completed test ended. Set once, never changed."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


_NEXT: dict[Phase, frozenset[Phase]] = {
    Phase.QUEUED: frozenset({Phase.BUILDING, Phase.COMPLETED}),
    Phase.BUILDING: frozenset({Phase.RUNNING, Phase.QUEUED, Phase.COMPLETED}),
    Phase.RUNNING: frozenset({Phase.QUEUED, Phase.COMPLETED}),
    Phase.COMPLETED: frozenset(),
}

MAX_ATTEMPTS = 3
"""A test is tried once and, after platform faults only, at most twice more."""


def may_follow(current: Phase, following: Phase) -> bool:
    """Whether a test in `current` may step to `following`.

    Back to `queued` is the way of an attempt that was lost to the platform.
    """
    return following in _NEXT[current]
