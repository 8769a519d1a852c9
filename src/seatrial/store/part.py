"""What every part of the store shares: the database, and how a test's journal is written."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from types import CoroutineType
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Row, insert

from seatrial.domain.errors import NotFound
from seatrial.domain.events import EventData

from . import convert, queries
from .database import Database, Reading, Writing
from .errors import Undone
from .ids import is_test_id
from .tables import events

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class Part:
    """A part of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database


def repeated(
    method: Callable[Arguments, Coroutine[Any, Any, Answer]],
) -> Callable[Arguments, CoroutineType[Any, Any, Answer]]:
    """Try a write transaction again, once, when it was undone by a lost connection.

    A process that was stopped inside of one finds it rolled back when it goes on, and its other
    connections may be lost, too. Behind a fence the second one is refused, as it should be.
    """

    @wraps(method)
    async def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        try:
            return await method(*args, **kwargs)
        except Undone:
            return await method(*args, **kwargs)

    return call


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
