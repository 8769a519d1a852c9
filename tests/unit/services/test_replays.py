"""Which test may be answered from a recording, and from whose."""

from __future__ import annotations

import pytest

from seatrial.compiler import KeptCompiler
from seatrial.domain.errors import InvalidRequest, NotFound
from seatrial.domain.phases import Outcome
from seatrial.domain.recordings import RecordingSetup
from seatrial.domain.requests import RetryChanges, TestRequest
from seatrial.domain.tests import Completion
from seatrial.services.recordings import read_recording, recording_lines
from seatrial.services.retry_test import retry_test
from seatrial.services.submit_test import submit_test
from seatrial.settings import Settings
from seatrial.store import SqlStore

SETTINGS = Settings()
COMPILER = KeptCompiler()
REQUEST = TestRequest(
    files={"agent.py": "def run(q): return q\n"}, query="q", model="openai:gpt-x", record=True
)


async def ended(store: SqlStore, request: TestRequest, *, problem: str | None = None) -> str:
    """A test that has run, recorded if the request says so."""
    test = await submit_test(store, SETTINGS, "ann", request, compiler=COMPILER)
    [claim] = await store.claim("w", lease_seconds=60, max_per_user=9, max_total=0, count=1)
    if request.record:
        await store.start_recording(test.id, claim.attempt, RecordingSetup())
        await store.add_recorded(test.id, claim.attempt, [], problem=problem)
    done = Completion(outcome=Outcome.SUCCEEDED)
    await store.complete(test.id, claim.attempt, done, [])
    return test.id


async def retried(store: SqlStore, test_id: str, **changes: object) -> TestRequest:
    asked = RetryChanges.model_validate(changes)
    return (await retry_test(store, SETTINGS, "ann", test_id, asked, compiler=COMPILER)).request


async def refused(store: SqlStore, test_id: str, **changes: object) -> tuple[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        await retried(store, test_id, **changes)
    [problem] = caught.value.problems
    return problem.field, problem.message


async def test_a_replay_is_answered_from_the_test_that_was_recorded(store: SqlStore) -> None:
    recorded = await ended(store, REQUEST)
    replay = await retried(store, recorded, replay=True, query="other")
    assert (replay.replay_of, replay.record, replay.query) == (recorded, False, "other")
    assert (await retried(store, recorded)).record
    assert (await retried(store, recorded)).replay_of is None


async def test_a_retry_of_a_replay_replays_the_same_recording_until_told_otherwise(
    store: SqlStore,
) -> None:
    recorded = await ended(store, REQUEST)
    replay = await ended(store, REQUEST.model_copy(update={"record": False, "replay_of": recorded}))
    assert (await retried(store, replay)).replay_of == recorded
    assert (await retried(store, replay, replay=True)).replay_of == recorded
    live = await retried(store, replay, replay=False, record=True)
    assert (live.replay_of, live.record) == (None, True)


async def test_what_cannot_be_replayed_is_refused_with_the_reason(store: SqlStore) -> None:
    plain = await ended(store, REQUEST.model_copy(update={"record": False}))
    assert "was not recorded" in (await refused(store, plain, replay=True))[1]
    cut = await ended(store, REQUEST, problem="It came to more than 1 MiB.")
    field, message = await refused(store, cut, replay=True)
    assert field == "replay_of"
    assert "more than 1 MiB" in message
    recorded = await ended(store, REQUEST)
    field, message = await refused(store, recorded, replay=True, model="openai:gpt-y")
    assert field == "model"
    assert "openai:gpt-x" in message
    waiting = await submit_test(store, SETTINGS, "ann", REQUEST, compiler=COMPILER)
    assert "not ended" in (await refused(store, waiting.id, replay=True))[1]


async def test_another_owners_recording_does_not_exist(store: SqlStore) -> None:
    recorded = await ended(store, REQUEST)
    with pytest.raises(NotFound):
        await read_recording(store, "bob", recorded)
    with pytest.raises(NotFound):
        [line async for line in recording_lines(store, "bob", recorded)]
    theirs = REQUEST.model_copy(update={"record": False, "replay_of": recorded})
    with pytest.raises(InvalidRequest, match="replay_of: There is no test"):
        await submit_test(store, SETTINGS, "bob", theirs, compiler=COMPILER)
    for strange in ("", "../x", "a" * 99):
        wrong = theirs.model_copy(update={"replay_of": strange})
        with pytest.raises(InvalidRequest, match="replay_of"):
            await submit_test(store, SETTINGS, "ann", wrong, compiler=COMPILER)


async def test_a_replay_cannot_be_recorded_and_needs_no_credential(store: SqlStore) -> None:
    recorded = await ended(store, REQUEST)
    both = REQUEST.model_copy(update={"replay_of": recorded})
    with pytest.raises(InvalidRequest, match="record: A test that is answered"):
        await submit_test(store, SETTINGS, "ann", both, compiler=COMPILER)
    gone = both.model_copy(update={"record": False, "credential": "gone"})
    test = await submit_test(store, SETTINGS, "ann", gone, compiler=COMPILER)
    assert test.request.credential == "gone"
