"""Ids that a test received in answers: its later calls may refer to them."""

from __future__ import annotations

from collections.abc import Iterable

from seatrial.domain.record import MAX_RECEIVED_IDS

_LONGEST = 200


class ReceivedIds:
    """Ids that answers of providers gave to this test."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        """Goes on from what a former worker's door had seen."""
        self._ids = dict.fromkeys(known)

    def add(self, ids: Iterable[str]) -> None:
        """Remember ids; beyond the limit the oldest are forgotten."""
        for one in ids:
            self._ids[one[:_LONGEST]] = None
            if len(self._ids) > MAX_RECEIVED_IDS:
                del self._ids[next(iter(self._ids))]

    def __contains__(self, one: str) -> bool:
        """Whether the test received that id."""
        return one in self._ids
