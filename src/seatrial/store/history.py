"""The history: pages of it, and removing what is no longer wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, Row

from seatrial.domain.errors import Conflict
from seatrial.domain.phases import Outcome
from seatrial.domain.shares import fair_level
from seatrial.domain.tests import TestPage

from . import convert, queries
from .ids import is_test_id
from .limits import REMOVING
from .part import Part, no_such_test, repeated

_LONGEST_PAGE = 1000
_BATCH = 200


class SqlHistory(Part):
    """Fulfils the second half of the port `Tests`, and the operator's removals."""

    async def page(
        self,
        owner: str,
        *,
        cursor: str | None = None,
        limit: int = 50,
        outcome: Outcome | None = None,
        model: str | None = None,
        text: str = "",
    ) -> TestPage:
        """A keyset page, newest first. InvalidRequest for a cursor that no page gave."""
        limit = min(max(1, limit), _LONGEST_PAGE)
        page = queries.history_page(
            owner,
            before=None if cursor is None else convert.read_cursor(cursor),
            outcome=None if outcome is None else outcome.value,
            model=model,
            needle=convert.folded(text),
            limit=limit + 1,
        )
        async with self._database.reading() as reading:
            rows = await reading.rows(page)
        more = len(rows) > limit
        return TestPage(
            tests=tuple(convert.summary_of(row) for row in rows[:limit]),
            next_cursor=convert.write_cursor(rows[limit - 1]) if more else None,
        )

    @repeated
    async def delete(self, owner: str, test_id: str) -> None:
        """Remove a completed test with its journal. Conflict while it is unfinished."""
        async with self._database.writing(limits=REMOVING) as writing:
            row = None
            if is_test_id(test_id):
                row = await writing.row(queries.TEST_FOR_CHANGE, id=test_id, owner=owner)
            if row is None:
                raise no_such_test(test_id)
            if row.outcome is None:
                raise Conflict(
                    "The test has not ended yet.", hint="Cancel it, then delete it once it ended."
                )
            await writing.execute(queries.REMOVE_TESTS, {"seqs": [row.seq]})
            writing.journal_grew(test_id)
        await self._database.give_back_space()

    async def clear(self, owner: str, *, before: datetime | None = None) -> int:
        """Remove the owner's completed tests that were created before; how many."""
        return await self._remove(
            lambda limit: queries.ended_tests(owner=owner, created_before=before, limit=limit)
        )

    async def remove_older(self, before: datetime) -> int:
        """Remove everybody's tests that were completed before; how many."""
        return await self._remove(
            lambda limit: queries.ended_tests(completed_before=before, limit=limit)
        )

    async def remove_beyond(self, size: int) -> Sequence[datetime]:
        """Remove the oldest completed tests of those above their share until the rest fits."""
        removed: list[datetime] = []
        async with self._database.reading() as reading:
            used = [int(row[0]) for row in await reading.rows(queries.SIZES)]
        level = fair_level(used, size)
        while batch := await self._remove_batch(queries.beyond_size(level, _BATCH)):
            removed += [row.completed_at for row in batch]
        if removed:
            await self._database.give_back_space()
        return removed

    async def _remove(self, find: Callable[[int], Executable]) -> int:
        """In batches, so that the others get their turn in between."""
        removed = 0
        while batch := await self._remove_batch(find(_BATCH)):
            removed += len(batch)
        if removed:
            await self._database.give_back_space()
        return removed

    @repeated
    async def _remove_batch(self, find: Executable) -> Sequence[Row[Any]]:
        async with self._database.writing(limits=REMOVING) as writing:
            rows = await writing.rows(find)
            if rows:
                await writing.execute(queries.REMOVE_TESTS, {"seqs": [row.seq for row in rows]})
            for row in rows:
                writing.journal_grew(row.id)
        return rows
