"""A client that did not wait for the model is named; a call that was only open is not blamed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from seatrial.domain.events import ModelCallEvent
from seatrial.domain.failures import Failure
from seatrial.domain.given_up import given_up
from seatrial.domain.record import AgentError, AgentExit, AttemptRecord
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Result
from seatrial.domain.verdict import Ending, verdict

pytestmark = pytest.mark.spec("FR-013", "SC-007")

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CLOSED = "The agent closed the connection before the answer ended."
OPEN = ModelCallEvent(
    provider="ollama", model="qwen3:8b", latency_seconds=20.0, unfinished=True, message=CLOSED
)
GOOD = ModelCallEvent(provider="ollama", model="qwen3:8b", status=200, latency_seconds=0.1)
WORDS = (
    "ReadTimeout: timed out",
    "APITimeoutError: Request timed out.",
    "TimeoutError: ",
    "Timeout: litellm.Timeout: Connection timed out",
    "ReadTimeoutError: AWSHTTPSConnectionPool(...): Read timed out. (read timeout=20)",
    "error: time-out of the request",
    "DeadlineExceeded: 504",
)


def calls(*made: tuple[ModelCallEvent, float]) -> AttemptRecord:
    """A record of calls, each with the second at which it ended."""
    record = AttemptRecord()
    for number, (call, second) in enumerate(made, start=1):
        record = record.with_event(number, call, NOON + timedelta(seconds=second))
    return record


def found(record: AttemptRecord, said: str) -> Failure:
    failure = given_up(record, said)
    assert failure is not None
    return failure


@pytest.mark.parametrize("said", WORDS)
def test_the_agents_own_timeout_is_named_with_seconds_and_model(said: str) -> None:
    failure = found(calls((GOOD, 1), (OPEN, 21)), said)
    assert (failure.code, failure.whose) == ("agent.client_timeout", "agent")
    assert "gave up after 20 s, before ollama:qwen3:8b" in failure.message
    assert "above 20 s" in failure.what_to_do
    assert "`ollama run qwen3:8b hello`" in failure.what_to_do
    assert (failure.evidence, failure.evidence_event) == (CLOSED, 2)


def test_tries_one_after_another_need_no_word_of_a_timeout() -> None:
    failure = found(calls((OPEN, 20), (OPEN, 41), (OPEN, 62)), "RuntimeError: no soup")
    assert "after 20 s (3 times in a row)" in failure.message


NOT_BLAMED = {
    "one open call, another error": (calls((OPEN, 20)), "ValueError: no soup"),
    "several at once, another error": (calls((OPEN, 20), (OPEN, 20.2)), "ValueError: no soup"),
    "an answer after it": (calls((OPEN, 20), (GOOD, 21)), "ReadTimeout: timed out"),
    "no call at all": (calls(), "ReadTimeout: timed out"),
    "an answer that had begun": (
        calls((OPEN.model_copy(update={"status": 200}), 20)),
        "ReadTimeout: timed out",
    ),
    "a pause that a provider asked for": (
        calls((OPEN.model_copy(update={"error": "model.rate_limited"}), 20)),
        "ReadTimeout: timed out",
    ),
}


@pytest.mark.parametrize("name", NOT_BLAMED)
def test_a_call_that_was_not_given_up_is_not_blamed(name: str) -> None:
    assert given_up(*NOT_BLAMED[name]) is None


@pytest.mark.parametrize("model", ["m`rm -rf ~`", "$(id)", "a b", "-x"])
def test_only_a_strict_name_becomes_part_of_a_command(model: str) -> None:
    call = OPEN.model_copy(update={"model": model})
    assert model not in found(calls((call, 20)), "timed out").what_to_do


def test_another_provider_is_not_loaded() -> None:
    call = OPEN.model_copy(update={"provider": "openai", "model": "m"})
    advice = found(calls((call, 20)), "timed out").what_to_do
    assert "above 20 s" in advice
    assert "ollama" not in advice


@pytest.mark.parametrize(
    "error", [AgentError("call", "ReadTimeout", "timed out"), None], ids=["raised", "swallowed"]
)
def test_it_decides_the_verdict(error: AgentError | None) -> None:
    record = calls((OPEN, 20), (OPEN, 40))
    exited = AgentExit(1 if error else 0, None, "exited")
    answer = None if error else Result(response="sorry")
    request = TestRequest(files={"agent.py": ""}, query="q", model="ollama:qwen3:8b")
    whole = AttemptRecord(
        calls=record.calls,
        last_call_at=record.last_call_at,
        previous_call_at=record.previous_call_at,
        last_call_event=2,
        error=error,
        error_event=3 if error else None,
        result=answer,
        exit=exited,
    )
    decided = verdict(request, whole, Ending(model_named=True))
    assert decided.failure is not None
    assert decided.failure.code == "agent.client_timeout"
