"""Reading journals."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from seatrial.domain.events import Event

from . import convert, queries
from .part import Part, seq_of


class SqlJournal(Part):
    """Fulfils the port `Journal`."""

    async def events(
        self, owner: str, test_id: str, *, after: int = 0, limit: int = 1000
    ) -> Sequence[Event]:
        """Events numbered above `after`, in order. NotFound."""
        async with self._database.reading() as reading:
            seq = await seq_of(reading, owner, test_id)
            rows = await reading.rows(queries.EVENTS, seq=seq, after=max(0, after), limit=limit)
        return tuple(convert.event_of(row) for row in rows)

    def changes(self, test_id: str) -> AsyncGenerator[None]:
        """Yields once at the start and then whenever the journal may have grown."""
        return self._database.hub.changes(test_id)
