"""Writing an attempt's journal, over a database that comes and goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from seatrial.domain.errors import AttemptLost, StoreUnavailable
from seatrial.domain.events import EventData, LogEvent, ResultEvent
from seatrial.domain.ports import Queue
from seatrial.domain.record import AttemptRecord, record_of
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Claim, Result
from seatrial.gateway.redaction import EventRedactor
from seatrial.gateway.scrub import KnownSecrets
from seatrial.store import SqlStore, open_store
from seatrial.worker.journal import AttemptJournal, patiently

REQUEST = TestRequest(files={"agent.py": ""}, query="q")


def line(text: str) -> LogEvent:
    return LogEvent(stream="stdout", text=text)


class Flaky:
    """The real queue behind a connection that fails as often as it is told to."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.failing = 0
        self.lose_answers = False
        self.calls = 0

    async def append(
        self,
        test_id: str,
        attempt: int,
        events: Sequence[EventData],
        *,
        frame: int | None = None,
        after: int | None = None,
    ) -> int:
        self.calls += 1
        if self.failing and not self.lose_answers:
            self.failing -= 1
            raise StoreUnavailable("away")
        last = await self._store.append(test_id, attempt, events, frame=frame, after=after)
        if self.failing:
            self.failing -= 1
            raise StoreUnavailable("away after it was written")
        return last

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = open_store(f"sqlite+aiosqlite:///{tmp_path / 'seatrial.db'}")
    await store.open()
    yield store
    await store.aclose()


@pytest_asyncio.fixture
async def claim(store: SqlStore) -> Claim:
    await store.submit("ada", REQUEST, max_queued=9)
    [claim] = await store.claim("w", lease_seconds=60, max_per_user=9, max_total=0, count=1)
    return claim


def journal_of(queue: Flaky, claim: Claim) -> AttemptJournal:
    redactor = EventRedactor(KnownSecrets())
    return AttemptJournal(cast("Queue", queue), claim, redactor)


async def record_in(store: SqlStore, claim: Claim) -> AttemptRecord:
    return record_of(await store.events("ada", claim.test_id))


async def test_the_record_names_events_by_their_numbers_in_the_journal(
    store: SqlStore, claim: Claim
) -> None:
    queue = Flaky(store)
    journal = journal_of(queue, claim)
    await journal.add([line("a\n"), line("b\n")], frame=3)
    await journal.add([ResultEvent(result=Result(response="x")), line("c\n")], frame=5)

    assert journal.record.last_log_line == "c"
    assert journal.record == await record_in(store, claim)
    assert await store.last_frame(claim.test_id, claim.attempt) == 5


async def test_writers_at_one_time_agree_on_the_numbers(store: SqlStore, claim: Claim) -> None:
    journal = journal_of(Flaky(store), claim)
    await asyncio.gather(*(journal.add([line(f"{n}\n")]) for n in range(20)))

    assert journal.record == await record_in(store, claim)
    events = await store.events("ada", claim.test_id)
    assert [event.number for event in events] == list(range(1, len(events) + 1))


async def test_nothing_is_written_when_there_is_nothing_to_say(
    store: SqlStore, claim: Claim
) -> None:
    queue = Flaky(store)
    await journal_of(queue, claim).add([])
    assert queue.calls == 0


async def test_frames_without_an_event_are_stored_as_seen(store: SqlStore, claim: Claim) -> None:
    await journal_of(Flaky(store), claim).add([], frame=2)
    assert await store.last_frame(claim.test_id, claim.attempt) == 2


@pytest.mark.spec("SC-006")
async def test_a_database_that_is_away_is_waited_for(store: SqlStore, claim: Claim) -> None:
    queue = Flaky(store)
    queue.failing = 3
    journal = journal_of(queue, claim)
    await journal.add([line("a\n")], frame=3)

    assert queue.calls == 4
    assert journal.record == await record_in(store, claim)


@pytest.mark.spec("SC-006")
async def test_frames_whose_answer_was_lost_are_not_written_twice(
    store: SqlStore, claim: Claim
) -> None:
    queue = Flaky(store)
    queue.failing, queue.lose_answers = 2, True
    journal = journal_of(queue, claim)
    await journal.add([line("a\n"), line("b\n")], frame=3)

    logs = [e for e in await store.events("ada", claim.test_id) if isinstance(e.data, LogEvent)]
    assert [event.data for event in logs] == [line("a\n"), line("b\n")]
    assert journal.record == await record_in(store, claim)


@pytest.mark.spec("SC-006")
async def test_events_of_no_frame_whose_answer_was_lost_are_not_written_twice(
    store: SqlStore, claim: Claim
) -> None:
    queue = Flaky(store)
    journal = journal_of(queue, claim)
    await journal.start_running(None)
    queue.failing, queue.lose_answers = 2, True
    await journal.add([line("a\n"), line("b\n")])
    await journal.add([line("c\n")])

    logs = [e for e in await store.events("ada", claim.test_id) if isinstance(e.data, LogEvent)]
    assert [event.data for event in logs] == [line("a\n"), line("b\n"), line("c\n")]
    assert journal.record == await record_in(store, claim)


async def test_a_cancelled_write_leaves_the_journal_usable(store: SqlStore, claim: Claim) -> None:
    queue = Flaky(store)
    queue.failing, queue.lose_answers = 10**9, True
    journal = journal_of(queue, claim)
    writing = asyncio.create_task(journal.add([line("a\n")]))
    while not queue.calls:
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    queue.failing = 0
    await journal.add([line("b\n")])

    events = await store.events("ada", claim.test_id)
    assert events[-1].data == line("b\n")
    assert [event.number for event in events] == list(range(1, len(events) + 1))


async def test_a_worker_whose_journal_somebody_else_writes_has_lost_its_attempt(
    store: SqlStore, claim: Claim
) -> None:
    journal = journal_of(Flaky(store), claim)
    await journal.add([line("mine\n")])
    await store.append(claim.test_id, claim.attempt, [line("an heir's\n"), line("too\n")])
    with pytest.raises(AttemptLost):
        await journal.add([line("late\n")])


async def test_an_attempt_that_is_no_longer_ours_is_told_at_once_and_folds_nothing(
    store: SqlStore, claim: Claim
) -> None:
    queue = Flaky(store)
    journal = journal_of(queue, claim)
    await store.requeue(claim.test_id, claim.attempt, reason="x")
    with pytest.raises(AttemptLost):
        await journal.add([line("a\n")], frame=3)
    assert queue.calls == 1
    assert journal.record == AttemptRecord()


async def test_patience_ends_with_an_answer_or_another_error() -> None:
    answers: list[Exception | int] = [StoreUnavailable("away"), StoreUnavailable("away"), 7]

    async def call() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await patiently(call) == 7
    answers[:] = [StoreUnavailable("away"), AttemptLost("gone"), 8]
    with pytest.raises(AttemptLost):
        await patiently(call)
    assert answers == [8]
