"""What a chaos run does, drawn from one number: which tests, and what strikes in which phase."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["counts", "asks", "installs", "raises", "overruns", "is cancelled"]
"""What a test's agent does: see `agents`."""

Moment = Literal["queued", "building", "running", "ending"]
"""Where the round's first test is when the faults strike."""

MOMENTS: tuple[Moment, ...] = ("queued", "building", "running", "ending")

_KINDS: tuple[Kind, ...] = ("asks", "installs", "raises", "overruns", "is cancelled")
_COUNTING = 0.5
"""Share of tests that only count: of them every character of output is known."""
_SECOND = 0.4
"""How often a second fault strikes at the same time."""
_PACKAGES = ("six==1.16.0", "toml==0.10.2", "idna==3.7", "iniconfig==2.0.0")


@dataclass(frozen=True)
class Planned:
    """One test. `ticks` is how long it counts, in tenths of seconds."""

    number: int
    kind: Kind
    ticks: int
    requirements: str = ""


@dataclass(frozen=True)
class Strike:
    """One fault: which, of which worker or container, and how long it lasts."""

    fault: str
    target: int
    seconds: float


@dataclass(frozen=True)
class Round:
    """Tests that are submitted together, and what strikes when the first is in that phase."""

    tests: tuple[Planned, ...]
    moment: Moment
    strikes: tuple[Strike, ...]

    def __str__(self) -> str:
        """One line for the log of the run."""
        kinds = ", ".join(test.kind for test in self.tests)
        faults = " and ".join(
            f"{strike.fault} #{strike.target} for {strike.seconds:.1f} s" for strike in self.strikes
        )
        return f"{len(self.tests)} tests ({kinds}); {self.moment}: {faults}"


def plan(seed: int, tests: int, rounds: int, faults: Sequence[str]) -> list[Round]:
    """The rounds of that seed. The same arguments always give the same plan.

    Every fault meets every phase before one does so again, in an order that the seed gives.
    """
    dice = random.Random(seed)
    numbers = iter(range(tests))
    shares = [tests // rounds + (index < tests % rounds) for index in range(rounds)]
    deck: list[tuple[str, Moment]] = []
    made: list[Round] = []
    for share in shares:
        if not deck:
            deck = [(fault, moment) for fault in faults for moment in MOMENTS]
            dice.shuffle(deck)
        fault, moment = deck.pop()
        planned = tuple(
            _test(dice, next(numbers), moment if first else None)
            for first in [True, *[False] * (share - 1)]
        )
        made.append(Round(planned, moment, _strikes(dice, fault, faults)))
    return made


def _test(dice: random.Random, number: int, moment: Moment | None) -> Planned:
    """A test; the one that is waited for gets to that phase and stays there for a while."""
    ticks = dice.randint(5, 40)
    if moment == "building":
        return Planned(number, "installs", ticks, dice.choice(_PACKAGES))
    if moment == "ending":
        return Planned(number, "counts", dice.randint(2, 8))
    if moment is not None or dice.random() < _COUNTING:
        return Planned(number, "counts", ticks)
    kind = dice.choice(_KINDS)
    return Planned(number, kind, ticks, dice.choice(_PACKAGES) if kind == "installs" else "")


def _strikes(dice: random.Random, fault: str, faults: Sequence[str]) -> tuple[Strike, ...]:
    struck = [fault]
    if dice.random() < _SECOND:
        # Of another thing: nobody kills what is stopped already.
        others = [other for other in faults if thing(other) != thing(fault)]
        struck.append(dice.choice(others))
    return tuple(Strike(name, dice.randrange(100), _seconds(dice)) for name in struck)


def _seconds(dice: random.Random) -> float:
    """Mostly short; every fourth outlasts grace and lease."""
    return dice.uniform(9.0, 12.0) if dice.random() < 0.25 else dice.uniform(0.2, 3.0)


def thing(fault: str) -> str:
    """What a fault breaks: the first word of its name."""
    return fault.split(maxsplit=1)[0]
