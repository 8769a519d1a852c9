"""How what all users share is divided among them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_FEWEST_QUEUED = 20


def queue_share(total: int, own: int) -> int:
    """Tests of one user that may wait, of `total`: `own`, or with 0 a tenth, at least 20."""
    return min(total, own or max(total // 10, _FEWEST_QUEUED))


def fair_level(used: Iterable[int], size: int) -> int:
    """The most that each may keep so that all together keep `size`, as evenly as it goes.

    What some leave of their share is divided among the others: one alone may keep all of it.
    """
    left, ordered = size, sorted(used)
    for place, amount in enumerate(ordered):
        share = left // (len(ordered) - place)
        if amount > share:
            return share
        left -= amount
    return size


@dataclass(frozen=True)
class Kept:
    """Something that takes `size` bytes, for those `owners` together."""

    size: int
    owners: frozenset[str]


def removal_order(kept: Sequence[Kept], size: int) -> list[int]:
    """Places in `kept`, which is oldest first, in the order in which to remove until `size` fits.

    The oldest whose owners are all above their share go first, as long as these are; then the
    oldest of all. What several owners use counts as a part for each.
    """
    used = _used(kept)
    level = fair_level((int(amount) for amount in used.values()), size)
    over: list[int] = []
    for place, one in enumerate(kept):
        if one.owners and all(used[owner] > level for owner in one.owners):
            over.append(place)
            for owner in one.owners:
                used[owner] -= one.size / len(one.owners)
    first = set(over)
    return over + [place for place in range(len(kept)) if place not in first]


def _used(kept: Iterable[Kept]) -> dict[str, float]:
    used: dict[str, float] = {}
    for one in kept:
        for owner in one.owners:
            used[owner] = used.get(owner, 0.0) + one.size / len(one.owners)
    return used
