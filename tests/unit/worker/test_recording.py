"""A worker keeps its attempt's calls whatever the database does, and replays without asking."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from seatrial.domain.aws import AwsKeys
from seatrial.domain.errors import FailureError, StoreUnavailable
from seatrial.domain.phases import Outcome
from seatrial.domain.ports import ResolvedModel, Upstream
from seatrial.domain.recordings import RecordedAnswer, RecordedCall
from seatrial.domain.requests import ModelRef, TestRequest
from seatrial.domain.tests import Claim, Completion
from seatrial.store import SqlStore, open_store
from seatrial.worker.recording import WORKER_LOST, RecordingWriter, note_lost_worker, open_recording
from seatrial.worker.replay import replayed_model

REQUEST = TestRequest(files={"agent.py": ""}, query="q", record=True)
ARN = "arn:aws:bedrock:eu-central-1:1:inference-profile/eu.x"
RESOLVED = ResolvedModel(
    ref=ModelRef(provider="bedrock", name=ARN),
    upstreams=(
        Upstream(
            "bedrock",
            "https://bedrock.test",
            frozenset({ARN}),
            credential=AwsKeys("AKIA", "canary-secret", "eu-central-1"),
        ),
        Upstream("openai", "https://openai.test", frozenset({"b", "a"}), "canary-key"),
    ),
    named_by_request=True,
)


def a_call(number: int) -> RecordedCall:
    began = datetime(2030, 1, 1, tzinfo=UTC)
    answer = RecordedAnswer(200, "OK", (), ((0, b"a"),))
    facts = ("ollama", "chat", True, "m", "POST", "/api/chat", "", (), b"{}")
    return RecordedCall(number, *facts, answer, began, 0.5)


class Flaky:
    """The real recordings; the first writes fail, the second of them after it was committed."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.failing = 2

    async def add_recorded(
        self, test_id: str, attempt: int, calls: Sequence[RecordedCall], *, problem: str | None
    ) -> None:
        self.failing -= 1
        if self.failing == 1:
            raise StoreUnavailable("away")
        await self._store.add_recorded(test_id, attempt, calls, problem=problem)
        if self.failing == 0:
            raise StoreUnavailable("away after it was written")

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


async def opened(
    store: SqlStore | Flaky, claim: Claim, *, adopted: bool = False
) -> RecordingWriter:
    return await open_recording(
        store,  # pyright: ignore[reportArgumentType] - the rest of the port is passed on
        claim,
        RESOLVED,
        limit_bytes=1000,
        adopted=adopted,
    )


async def test_every_call_is_written_once_when_it_is_closed(store: SqlStore, claim: Claim) -> None:
    writer = await opened(Flaky(store), claim)
    for number in (2, 1, 3):
        writer.add(a_call(number))
    await writer.close()
    kept = await store.recorded_calls("ada", claim.test_id)
    assert [call.number for call in kept] == [1, 2, 3]
    assert (await store.recording("ada", claim.test_id)).problem is None


async def test_a_recording_that_was_cut_says_so_and_cannot_be_replayed(
    store: SqlStore, claim: Claim
) -> None:
    writer = await opened(store, claim)
    writer.add(a_call(1))
    writer.cut("It is too large.")
    await writer.close()
    assert (await store.recording("ada", claim.test_id)).problem == "It is too large."
    replay = REQUEST.model_copy(update={"replay_of": claim.test_id})
    with pytest.raises(FailureError, match="too large") as caught:
        await replayed_model(store, "ada", replay, frozenset())
    assert caught.value.failure.code == "model.recording_missing"


async def test_the_next_worker_goes_on_with_the_numbers_and_says_that_calls_may_be_missing(
    store: SqlStore, claim: Claim
) -> None:
    first = await opened(store, claim)
    first.add(a_call(1))
    await first.close()
    second = await opened(store, claim, adopted=True)
    assert second.first_number == 2
    second.add(a_call(2))
    await second.close()
    found = await store.recording("ada", claim.test_id)
    assert ([call.number for call in found.calls], found.problem) == ([1, 2], WORKER_LOST)


async def test_a_recording_whose_test_nobody_goes_on_with_says_that_calls_may_be_missing(
    store: SqlStore, claim: Claim
) -> None:
    writer = await opened(store, claim)
    await writer.close()
    await note_lost_worker(store, claim.model_copy(update={"request": replay_of("t-1")}))
    assert (await store.recording("ada", claim.test_id)).problem is None
    await note_lost_worker(store, claim)
    assert (await store.recording("ada", claim.test_id)).problem == WORKER_LOST


async def test_an_attempt_that_is_lost_writes_nothing_more_and_hangs_nobody(
    store: SqlStore, claim: Claim
) -> None:
    writer = await opened(store, claim)
    await store.requeue(claim.test_id, claim.attempt, reason="lost")
    writer.add(a_call(1))
    await writer.close()
    writer.abandon()


async def test_a_replay_has_the_recorded_model_without_its_keys_and_addresses(
    store: SqlStore, claim: Claim
) -> None:
    writer = await opened(store, claim)
    writer.add(a_call(1))
    await writer.close()
    done = Completion(outcome=Outcome.SUCCEEDED)
    await store.complete(claim.test_id, claim.attempt, done, [])
    replay = REQUEST.model_copy(update={"replay_of": claim.test_id, "model": f"bedrock:{ARN}"})
    found = await replayed_model(store, "ada", replay, frozenset({1}))
    assert found.replay.used == {1}
    assert [call.number for call in found.replay.calls] == [1]
    assert found.resolved.ref == RESOLVED.ref
    assert (found.resolved.replay_of, found.resolved.named_by_request) == (claim.test_id, True)
    bedrock, openai = found.resolved.upstreams
    assert bedrock.credential == AwsKeys("", "", "eu-central-1")
    assert (openai.models, openai.key) == ({"a", "b"}, None)
    assert {upstream.base_url for upstream in found.resolved.upstreams} == {"replayed:"}


async def test_a_recording_that_is_gone_ends_the_replay_with_its_own_failure(
    store: SqlStore, claim: Claim
) -> None:
    for owner, test_id in (("ada", "t-gone"), ("bob", claim.test_id)):
        replay = replay_of(test_id)
        with pytest.raises(FailureError) as caught:
            await replayed_model(store, owner, replay, frozenset())
        assert caught.value.failure.code == "model.recording_missing"


def replay_of(test_id: str) -> TestRequest:
    return REQUEST.model_copy(update={"record": False, "replay_of": test_id})
