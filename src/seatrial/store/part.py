"""What every part of the store shares: the database, and how a test's journal is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, insert

from seatrial.domain.errors import NotFound
from seatrial.domain.events import EventData

from . import convert, queries
from .database import Database, Reading, Writing
from .ids import is_test_id
from .tables import events


class Part:
    """A part of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database


def journal_lines(data: Sequence[EventData]) -> list[str]:
    """The events as the journal holds them."""
    return [convert.event_data(each) for each in data]


async def write_lines(writing: Writing, test_id: str, row: Row[Any], lines: Sequence[str]) -> int:
    """Write the lines that `row` (of `queries.advance`) made room for; the last number."""
    first = row.last_event - len(lines) + 1
    new = [
        {"test_seq": row.seq, "number": first + index, "at": writing.now, "data": line}
        for index, line in enumerate(lines)
    ]
    if new:
        await writing.execute(insert(events), new)
        writing.journal_grew(test_id)
    return row.last_event


async def seq_of(reading: Reading, owner: str, test_id: str) -> int:
    """The number of an owner's test. NotFound."""
    if is_test_id(test_id):
        row = await reading.row(queries.OWNED_SEQ, id=test_id, owner=owner)
        if row is not None:
            return int(row.seq)
    raise no_such_test(test_id)


def no_such_test(test_id: str) -> NotFound:
    """The error for a test that is not there, or not the owner's."""
    return NotFound(f"There is no test {convert.clean(test_id)[:64]!r}.")
