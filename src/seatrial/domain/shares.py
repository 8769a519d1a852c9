"""How what all users share is divided among them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

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
