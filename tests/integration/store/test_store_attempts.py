"""An attempt's writes: numbered without gaps, fenced, and ended once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.support.databases import OWNER, Clock, Opener, a_request

from seatrial.domain.errors import AttemptLost
from seatrial.domain.events import EventData, LogEvent, NoticeEvent, PhaseEvent
from seatrial.domain.failures import failure
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.tests import Completion, Metrics, Result
from seatrial.store import SqlStore

DONE = Completion(outcome=Outcome.SUCCEEDED, result=Result(response="42"))


def line(text: str = "hello\n") -> LogEvent:
    return LogEvent(stream="stdout", text=text)


async def claimed(store: SqlStore, worker: str = "w") -> str:
    """The id of a test in its first attempt, for which a slot was free."""
    await store.renew(worker, [], lease_seconds=20, slots=9)
    await store.submit(OWNER, a_request(), max_queued=99)
    claims = await store.claim(worker, lease_seconds=20, max_per_user=0, max_total=0, count=1)
    return claims[0].test_id


async def texts(store: SqlStore, test_id: str) -> list[str]:
    events = await store.events(OWNER, test_id)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    return [event.data.text for event in events if isinstance(event.data, LogEvent)]


async def test_appended_events_are_numbered_on_and_read_back(store: SqlStore):
    test_id = await claimed(store)
    data: list[EventData] = [line("a\0\n"), NoticeEvent(code="x", message="y"), line("🚢")]

    assert await store.append(test_id, 1, data) == 5
    assert await store.append(test_id, 1, [line()]) == 6
    assert [e.data for e in await store.events(OWNER, test_id, after=2)] == [*data, line()]
    assert [e.number for e in await store.events(OWNER, test_id, after=3, limit=2)] == [4, 5]


async def test_a_frame_that_the_journal_holds_is_not_added_again(store: SqlStore):
    test_id = await claimed(store)

    assert await store.append(test_id, 1, [line("1")], frame=1) == 3
    assert await store.append(test_id, 1, [line("2"), line("3")], frame=3) == 5
    assert await store.append(test_id, 1, [line("2")], frame=2) == 5
    assert await store.append(test_id, 1, [line("3")], frame=3) == 5
    assert await store.last_frame(test_id, 1) == 3
    assert await texts(store, test_id) == ["1", "2", "3"]


async def test_events_after_a_known_one_are_added_once_and_only_there(store: SqlStore):
    test_id = await claimed(store)
    lines = [LogEvent(stream="build", text="a"), LogEvent(stream="build", text="b")]
    assert await store.append(test_id, 1, lines, after=2) == 4
    assert await store.append(test_id, 1, lines, after=2) == 4
    with pytest.raises(AttemptLost):
        await store.append(test_id, 1, lines[:1], after=2)
    assert len(await store.events(OWNER, test_id)) == 4


async def test_frames_count_from_the_start_in_each_attempt(store: SqlStore):
    test_id = await claimed(store)
    await store.append(test_id, 1, [line("first")], frame=7)
    await store.requeue(test_id, 1, reason="x")
    await store.claim("w", lease_seconds=9, max_per_user=0, max_total=0, count=1)

    assert await store.last_frame(test_id, 2) == 0
    await store.append(test_id, 2, [line("second")], frame=1)
    assert await texts(store, test_id) == ["first", "second"]


async def test_many_that_append_at_once_leave_no_gap(opened: Opener):
    stores = [await opened() for _ in range(3)]
    test_id = await claimed(stores[0])

    await asyncio.gather(
        *(s.append(test_id, 1, [line(str(n)), line(str(n))]) for n, s in enumerate(stores * 10))
    )

    assert len(await texts(stores[0], test_id)) == 60


async def test_a_test_runs_in_an_environment_once(store: SqlStore):
    test_id = await claimed(store)

    await store.start_running(test_id, 1, environment="env-1")
    await store.start_running(test_id, 1, environment="env-1")

    test = await store.test(OWNER, test_id)
    assert (test.phase, test.environment) == (Phase.RUNNING, "env-1")
    events = await store.events(OWNER, test_id)
    assert events[-1].data == PhaseEvent(phase=Phase.RUNNING, attempt=1)
    assert len(events) == 3


async def test_completing_writes_the_last_events_and_then_the_outcome(
    store: SqlStore, clock: Clock
):
    test_id = await claimed(store)
    clock.forward(8)
    ended = Completion(
        outcome=Outcome.FAILED,
        failure=failure("agent.exception", "boom", evidence="ValueError"),
        result=Result(response="half", exit_code=1),
        metrics=Metrics(wall_seconds=1.5),
    )

    await store.complete(test_id, 1, ended, [line("last")])

    test = await store.test(OWNER, test_id)
    assert (test.outcome, test.failure, test.result, test.metrics) == (
        ended.outcome,
        ended.failure,
        ended.result,
        ended.metrics,
    )
    assert (test.phase, test.completed_at) == (Phase.COMPLETED, clock.now)
    last_two = [e.data for e in (await store.events(OWNER, test_id))[-2:]]
    final = PhaseEvent(phase=Phase.COMPLETED, attempt=1, outcome=Outcome.FAILED)
    assert last_two == [line("last"), final]


async def test_what_no_utf8_can_express_does_not_stop_a_test_from_ending(store: SqlStore):
    test_id = await claimed(store)
    result = Result(response="x", value={"half a pair": "\ud83d", "nan": float("nan")})

    await store.complete(test_id, 1, Completion(outcome=Outcome.SUCCEEDED, result=result), [])

    stored = (await store.test(OWNER, test_id)).result
    assert stored is not None
    assert stored.value["half a pair"] == "?"


Write = Callable[[SqlStore, str], Awaitable[object]]
WRITES: dict[str, Write] = {
    "append": lambda s, t: s.append(t, 1, [line("late")]),
    "append a frame": lambda s, t: s.append(t, 1, [line("late")], frame=99),
    "ask for the frame": lambda s, t: s.last_frame(t, 1),
    "start": lambda s, t: s.start_running(t, 1, environment="late"),
    "complete": lambda s, t: s.complete(t, 1, DONE, [line("late")]),
    "requeue": lambda s, t: s.requeue(t, 1, reason="late", events=[line("late")]),
}


async def _given_back(store: SqlStore, test_id: str) -> None:
    await store.requeue(test_id, 1, reason="lost")


async def _newer_attempt(store: SqlStore, test_id: str) -> None:
    await store.requeue(test_id, 1, reason="lost")
    await store.claim("other", lease_seconds=20, max_per_user=0, max_total=0, count=1)


async def _completed(store: SqlStore, test_id: str) -> None:
    await store.complete(test_id, 1, Completion(outcome=Outcome.CANCELLED), [])


async def _deleted(store: SqlStore, test_id: str) -> None:
    await _completed(store, test_id)
    await store.delete(OWNER, test_id)


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("lost_by", [_given_back, _newer_attempt, _completed])
async def test_a_stale_attempts_late_write_is_refused_and_changes_nothing(
    store: SqlStore, write: str, lost_by: Callable[[SqlStore, str], Awaitable[None]]
):
    test_id = await claimed(store)
    await lost_by(store, test_id)
    before = await store.test(OWNER, test_id), await store.events(OWNER, test_id)

    with pytest.raises(AttemptLost):
        await WRITES[write](store, test_id)

    assert (await store.test(OWNER, test_id), await store.events(OWNER, test_id)) == before


@pytest.mark.parametrize("write", WRITES)
async def test_writing_to_a_deleted_test_is_refused(store: SqlStore, write: str):
    test_id = await claimed(store)
    await _deleted(store, test_id)

    with pytest.raises(AttemptLost):
        await WRITES[write](store, test_id)


async def test_of_many_that_complete_at_once_one_wins(opened: Opener):
    stores = [await opened() for _ in range(4)]
    test_id = await claimed(stores[0])
    outcomes = list(Outcome)

    answers = await asyncio.gather(
        *(
            store.complete(test_id, 1, Completion(outcome=outcome), [])
            for store, outcome in zip(stores, outcomes, strict=True)
        ),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, AttemptLost) for answer in answers) == 3
    winner = outcomes[answers.index(None)]
    assert (await stores[0].test(OWNER, test_id)).outcome is winner


async def test_a_requeued_test_says_why_and_keeps_its_number(store: SqlStore):
    test_id = await claimed(store)

    await store.requeue(test_id, 1, reason="the engine went away", events=[line("bye")])

    test = await store.test(OWNER, test_id)
    assert (test.phase, test.attempt) == (Phase.QUEUED, 1)
    last_two = [e.data for e in (await store.events(OWNER, test_id))[-2:]]
    back = PhaseEvent(phase=Phase.QUEUED, attempt=1, message="the engine went away")
    assert last_two == [line("bye"), back]
    assert test.queue is not None
    assert test.queue.position == 1


async def test_the_start_is_the_first_attempts(store: SqlStore, clock: Clock):
    test_id = await claimed(store)
    first = clock.now
    await store.requeue(test_id, 1, reason="x")
    clock.forward(60)
    await store.claim("w", lease_seconds=9, max_per_user=0, max_total=0, count=1)

    assert (await store.test(OWNER, test_id)).started_at == first


async def test_a_test_whose_end_was_asked_for_is_not_queued_again(store: SqlStore):
    test_id = await claimed(store)
    await store.cancel(OWNER, test_id)

    await store.requeue(test_id, 1, reason="the engine went away")

    assert (await store.test(OWNER, test_id)).outcome is Outcome.CANCELLED
    assert not await store.claim("w", lease_seconds=9, max_per_user=0, max_total=0, count=1)
    events = await store.events(OWNER, test_id)
    assert events[-1].data == PhaseEvent(
        phase=Phase.COMPLETED, attempt=1, outcome=Outcome.CANCELLED
    )


async def test_cancelled_calls_leave_no_gap_and_no_lock_behind(store: SqlStore):
    test_id = await claimed(store)

    async def impatient(number: int) -> None:
        call = asyncio.create_task(store.append(test_id, 1, [line(str(number))]))
        for _ in range(number % 12):
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)

    await asyncio.gather(*(impatient(number) for number in range(120)))

    await store.append(test_id, 1, [line("after")])
    written = await texts(store, test_id)
    assert written[-1] == "after"
    assert len(set(written)) == len(written)
