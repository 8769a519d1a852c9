"""What one test may let through its door, and what it has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DoorUse:
    """What went through a test's doors: model calls, tokens in and out, bytes both ways."""

    calls: int = 0
    tokens: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class DoorLimits:
    """What may go through one test's door; 0 is without limit. `used` is what already went.

    Calls over `calls_at_once` wait for their turn. `seconds` is the test's time: no call waits
    for a provider's pause that ends later.
    """

    calls: int = 0
    tokens: int = 0
    bytes: int = 0
    calls_at_once: int = 16
    seconds: float = 0.0
    used: DoorUse = DoorUse()
