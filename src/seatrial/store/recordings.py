"""Recordings of model calls: written behind an attempt's fence, read by the test's owner."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from seatrial.domain.errors import AttemptLost, NotFound
from seatrial.domain.recordings import (
    RecordedCall,
    RecordingInfo,
    RecordingSetup,
    info_of,
    packed,
    unpacked,
)

from . import queries
from .convert import to_json
from .database import Reading, Writing
from .part import Part, repeated, seq_of
from .tables import recorded_calls, recordings, tests


class SqlRecordings(Part):
    """Fulfils the port `Recordings`."""

    @repeated
    async def start_recording(self, test_id: str, attempt: int, setup: RecordingSetup) -> None:
        """Begin an empty recording; that of an earlier attempt is removed."""
        async with self._database.writing(durable=False) as writing:
            seq = await _held(writing, test_id, attempt)
            await writing.execute(delete(recordings).where(recordings.c.test_seq == seq), {})
            values = {"test_seq": seq, "attempt": attempt, "setup": to_json(setup)}
            await writing.execute(insert(recordings), values)

    @repeated
    async def continue_recording(self, test_id: str, attempt: int, problem: str) -> int:
        """Go on with what a former worker of the attempt recorded; its last call's number."""
        last = func.coalesce(func.max(recorded_calls.c.number), 0)
        async with self._database.writing(durable=False) as writing:
            seq = await _held(writing, test_id, attempt)
            await _note(writing, seq, problem)
            return await writing.number(select(last).where(recorded_calls.c.test_seq == seq))

    @repeated
    async def add_recorded(
        self, test_id: str, attempt: int, calls: Sequence[RecordedCall], *, problem: str | None
    ) -> None:
        """Add calls. A `problem` is noted, unless one is noted already."""
        rows = await asyncio.to_thread(_rows_of, calls)
        numbers = [call.number for call in calls]
        async with self._database.writing(durable=False) as writing:
            seq = await _held(writing, test_id, attempt)
            if problem is not None:
                await _note(writing, seq, problem)
            if not rows:
                return
            # Whoever lost the answer to a commit writes the same again.
            again = recorded_calls.c.number.in_(numbers)
            await writing.execute(
                delete(recorded_calls).where(recorded_calls.c.test_seq == seq, again), {}
            )
            lines = [{"test_seq": seq, **row} for row in rows]
            await writing.execute(insert(recorded_calls), lines)

    async def recording(self, owner: str, test_id: str) -> RecordingInfo:
        """The owner's recording with its calls. NotFound, also for a test without one."""
        facts = select(recorded_calls.c.number, recorded_calls.c.facts)
        async with self._database.reading() as reading:
            found = await _found(reading, owner, test_id)
            rows = await reading.rows(
                facts.where(recorded_calls.c.test_seq == found.test_seq).order_by("number")
            )
        calls = tuple(info_of(row.number, row.facts) for row in rows)
        return RecordingInfo(
            test_id=test_id,
            setup=RecordingSetup.model_validate_json(found.setup),
            bytes=sum(call.request_bytes + call.answer_bytes for call in calls),
            problem=found.problem,
            calls=calls,
        )

    async def recorded_calls(
        self, owner: str, test_id: str, *, after: int = 0, limit: int = 100
    ) -> Sequence[RecordedCall]:
        """Whole calls numbered above `after`, in order. NotFound."""
        async with self._database.reading() as reading:
            found = await _found(reading, owner, test_id)
            rows = await reading.rows(
                select(recorded_calls)
                .where(recorded_calls.c.test_seq == found.test_seq, recorded_calls.c.number > after)
                .order_by(recorded_calls.c.number)
                .limit(limit)
            )
        return await asyncio.to_thread(
            lambda: tuple(unpacked(row.number, row.facts, row.bodies) for row in rows)
        )


def _rows_of(calls: Sequence[RecordedCall]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for call in calls:
        facts, bodies = packed(call)
        rows.append({"number": call.number, "facts": facts, "bodies": bodies})
    return rows


async def _held(writing: Writing, test_id: str, attempt: int) -> int:
    """The number of a test that the attempt still holds, kept so. AttemptLost."""
    fence = {"fenced_id": test_id, "fenced_attempt": attempt}
    row = await writing.row(queries.ATTEMPT_FOR_CHANGE, **fence)
    if row is None:
        raise AttemptLost(f"Attempt {attempt} of test {test_id} is no longer held.")
    return int(row.seq)


async def _note(writing: Writing, seq: int, problem: str) -> None:
    first = update(recordings).where(recordings.c.test_seq == seq, recordings.c.problem.is_(None))
    await writing.execute(first.values(problem=problem), {})


async def _found(reading: Reading, owner: str, test_id: str) -> Row[Any]:
    seq = await seq_of(reading, owner, test_id)
    row = await reading.row(
        select(recordings)
        .join(tests, tests.c.seq == recordings.c.test_seq)
        .where(recordings.c.test_seq == seq, recordings.c.attempt == tests.c.attempt)
    )
    if row is None:
        raise NotFound(
            "The test has no recording.", hint="Record one: seatrial run --record, or retry it so."
        )
    return row
