"""How a replayed test ends whose agent asked something other than what was recorded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seatrial.domain.ending import Ending
from seatrial.domain.events import ModelCallEvent
from seatrial.domain.phases import Outcome
from seatrial.domain.record import AgentError, AgentExit, AttemptRecord
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Result
from seatrial.domain.verdict import verdict

REQUEST = TestRequest(files={"agent.py": ""}, query="q", model="ollama:m", replay_of="t-1")
CALL = ModelCallEvent(
    provider="ollama", model="m", status=200, latency_seconds=0.1, replayed=True, recorded_call=1
)
SAME = AttemptRecord(
    result=Result(response="fine"), exit=AgentExit(code=0, signal=None, reason=""), calls=(CALL,)
)
DIFFERENT = replace(SAME, replay_difference="n: recorded 1, now 2", replay_difference_event=7)
RAISED = replace(DIFFERENT, result=None, error=AgentError("call", "ValueError", "no soup"))
NAMED = Ending(model_named=True)


def test_an_answer_made_from_recorded_answers_alone_is_a_success() -> None:
    assert verdict(REQUEST, SAME, NAMED).outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("record", [DIFFERENT, RAISED])
def test_a_call_that_was_not_recorded_fails_the_test_whatever_the_agent_made_of_it(
    record: AttemptRecord,
) -> None:
    decided = verdict(REQUEST, record, NAMED)
    assert decided.outcome is Outcome.FAILED
    assert decided.failure is not None
    assert decided.failure.code == "model.replay_differs"
    assert (decided.failure.message, decided.failure.evidence_event) == ("n: recorded 1, now 2", 7)


def test_a_test_that_was_stopped_is_cancelled_all_the_same() -> None:
    stopped = replace(NAMED, stopped="cancelled")
    assert verdict(REQUEST, RAISED, stopped).outcome is Outcome.CANCELLED
