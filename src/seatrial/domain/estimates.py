"""The wait interval of a queued test, learned from how long tests like those before it took.

The queue is played through many times with durations drawn from the past; the interval is where
eight of ten plays end. The draws are fixed, so the same state always gives the same answer.
"""

from __future__ import annotations

import heapq
import math
import random
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .tests import WaitInterval

LONGEST_LINE = 100
"""Places that are played through; who stands behind them waits in proportion."""

TOLERANCE_SECONDS = 1.0
"""A wait within this of its interval kept it: people read seconds."""

_PLAYS = 48
_LOW, _HIGH = 0.1, 0.9
_ENOUGH = 5
_UNKNOWN_SECONDS = (2.0, 10.0, 30.0, 120.0)
"""What is assumed beside too little experience: wide on purpose."""


@dataclass(frozen=True)
class Waiting:
    """A test in line. Tests of one `likeness` need the same packages."""

    owner: str
    likeness: str = ""


@dataclass(frozen=True)
class Held:
    """A test that holds a slot, since so many seconds."""

    owner: str
    likeness: str
    seconds: float


class Experience:
    """How long past tests held a slot, in all and by likeness."""

    def __init__(self, past: Iterable[tuple[str, float]]) -> None:
        """`past` gives likeness and seconds of each, in any order."""
        everything: list[float] = []
        self._alike: defaultdict[str, list[float]] = defaultdict(list)
        for likeness, seconds in past:
            everything.append(seconds)
            self._alike[likeness].append(seconds)
        few = () if len(everything) >= _ENOUGH else _UNKNOWN_SECONDS
        self._all = sorted((*everything, *few))
        for alike in self._alike.values():
            alike.sort()

    def of(self, likeness: str) -> Sequence[float]:
        """Seconds of tests like that in rising order; of all tests where there are too few."""
        alike = self._alike.get(likeness, ())
        return alike if len(alike) >= _ENOUGH else self._all


@dataclass(frozen=True)
class Line:
    """The queue's state: who waits in order, who holds a slot, and what may run.

    A cap of 0 is none. Without any slot a first one is expected soon, with nothing known of it.
    """

    waiting: Sequence[Waiting]
    held: Sequence[Held] = ()
    slots: int = 1
    max_per_user: int = 0
    experience: Experience = field(default_factory=lambda: Experience(()))

    def waits(self) -> list[WaitInterval]:
        """The interval of each of the first `LONGEST_LINE` that wait, in order."""
        line = self.waiting[:LONGEST_LINE]
        plays = [_Play(self, random.Random(number)).starts(line) for number in range(_PLAYS)]  # noqa: S311 - no secret
        return [_interval(sorted(starts)) for starts in zip(*plays, strict=True)]

    def wait_at(self, position: int) -> WaitInterval:
        """The interval at that place, 1 is next; the line must reach it or `LONGEST_LINE`."""
        waits = self.waits()
        if position <= len(waits):
            return waits[position - 1]
        last, factor = waits[-1], position / len(waits)
        return WaitInterval(
            low_seconds=round(last.low_seconds * factor, 1),
            high_seconds=round(last.high_seconds * factor, 1),
        )


def kept(wait: WaitInterval, seconds: float) -> bool:
    """Whether a wait of so many seconds is what the interval said."""
    low, high = wait.low_seconds - TOLERANCE_SECONDS, wait.high_seconds + TOLERANCE_SECONDS
    return low <= seconds <= high


class _Play:
    """One way that the queue may go on."""

    def __init__(self, line: Line, rng: random.Random) -> None:
        self._line = line
        self._rng = rng
        self._running: defaultdict[str, int] = defaultdict(int)
        # When each slot is given back, and by whom.
        self._ends: list[tuple[float, str]] = []
        self._free = line.slots - len(line.held)
        for held in line.held:
            self._take(held.owner, self._remaining(held))
        if line.slots <= 0:
            self._free = 0
            heapq.heappush(self._ends, (self._drawn(_UNKNOWN_SECONDS), ""))

    def starts(self, waiting: Sequence[Waiting]) -> list[float]:
        """When each of them starts, in seconds from now."""
        started = [0.0] * len(waiting)
        line = list(enumerate(waiting))
        # Drawn by place, not by order of start: so more slots never mean a longer wait.
        durations = [self._drawn(self._line.experience.of(each.likeness)) for each in waiting]
        now = 0.0
        while line:
            index = next((at for at, (_, each) in enumerate(line) if self._may_run(each)), None)
            if index is None:
                now = max(now, self._give_back())
                continue
            place, chosen = line.pop(index)
            started[place] = now
            self._free -= 1
            self._take(chosen.owner, now + durations[place])
        return started

    def _may_run(self, waiting: Waiting) -> bool:
        cap = self._line.max_per_user
        return self._free > 0 and not (cap and self._running[waiting.owner] >= cap)

    def _take(self, owner: str, until: float) -> None:
        self._running[owner] += 1
        heapq.heappush(self._ends, (until, owner))

    def _give_back(self) -> float:
        end, owner = heapq.heappop(self._ends)
        self._running[owner] -= 1
        self._free += 1
        return end

    def _remaining(self, held: Held) -> float:
        """Seconds that a test goes on, drawn from those that took longer than it has so far."""
        past = self._line.experience.of(held.likeness)
        longer = past[bisect_right(past, held.seconds) :]
        if not longer:
            # Longer than any before: nobody knows. It may take as long again.
            return held.seconds * self._rng.random()
        return self._drawn(longer) - held.seconds

    def _drawn(self, seconds: Sequence[float]) -> float:
        return seconds[int(self._rng.random() * len(seconds))]


def _interval(starts: Sequence[float]) -> WaitInterval:
    last = len(starts) - 1
    low, high = starts[math.floor(_LOW * last)], starts[math.ceil(_HIGH * last)]
    return WaitInterval(low_seconds=round(low, 1), high_seconds=round(high, 1))
