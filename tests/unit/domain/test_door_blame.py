"""What the gateway saw decides for what an agent failed: hosts, limits and calls under way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seatrial.domain.events import ModelCallEvent
from seatrial.domain.phases import Outcome
from seatrial.domain.record import AgentError, AgentExit, AttemptRecord, RefusedHost, UsedUp
from seatrial.domain.requests import Limits, TestRequest
from seatrial.domain.tests import Result
from seatrial.domain.verdict import Ending, verdict

pytestmark = pytest.mark.spec("FR-013", "SC-007")

REQUEST = TestRequest(files={"agent.py": ""}, query="q", model="ollama:m", timeout_seconds=7)
MB = 2**20
GOOD_CALL = ModelCallEvent(provider="ollama", model="m", status=200, latency_seconds=0.1)
BAD_CALL = GOOD_CALL.model_copy(update={"status": 429, "error": "model.rate_limited"})
SECOND = timedelta(seconds=1)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
REFUSED_CALL = GOOD_CALL.model_copy(update={"status": 403, "error": "limit.model_calls"})
HANGING_CALL = ModelCallEvent(
    provider="ollama",
    model="m",
    latency_seconds=6.0,
    unfinished=True,
    message="The agent closed the connection.",
)
CALLS_USED_UP = UsedUp(
    "limit.model_calls", "The test has used 1,000 of the 1,000 model calls allowed.", 1000, 7
)
HOST: dict[str, Any] = {
    "refused_hosts": (RefusedHost("api.example", "No api.example.", 5, "api.example:443"),)
}
EXITED = AgentExit(0, None, "exited")
DONE = AttemptRecord(
    entry_point="agent.py:run",
    result=Result(response="an answer"),
    exit=EXITED,
    exit_event=20,
    calls=(GOOD_CALL,),
    last_call_event=9,
    last_log_event=8,
    last_log_line="last words",
)
RAISED = replace(
    DONE,
    result=None,
    error=AgentError("call", "ValueError", "no soup", "agent.py", 4),
    error_event=12,
    exit=replace(EXITED, code=1),
)
OVER_TIME = replace(
    DONE, result=None, exit=replace(EXITED, code=None, signal=15, reason="deadline")
)
NAMED = Ending(model_named=True)
OK = Outcome.SUCCEEDED


def raised(message: str) -> AttemptRecord:
    return replace(RAISED, error=AgentError("call", "OSError", message))


Row = tuple[AttemptRecord, Ending, Outcome | str, int | None, str]


def row(
    record: AttemptRecord,
    ending: Ending,
    code: Outcome | str,
    event: int | None = None,
    said: str = "",
) -> Row:
    return record, ending, code, event, said


ROWS: dict[str, Row] = {
    "an exception that names a refused host": row(
        replace(raised("Tunnel connection failed: 403 api.example:443"), **HOST),
        Ending(),
        "agent.host_not_allowed",
        5,
    ),
    "an exception that names a refused host after a failed call": row(
        replace(raised("no way to API.example"), calls=(BAD_CALL,), **HOST),
        Ending(),
        "agent.host_not_allowed",
    ),
    "an exception of a connection after a refused host": row(
        replace(raised("Connection error."), **HOST),
        Ending(),
        "agent.host_not_allowed",
    ),
    "an exception of its own after a refused host": row(
        replace(RAISED, **HOST), Ending(), "agent.exception"
    ),
    "a failed call counts more than a host that nobody names": row(
        replace(raised("Connection error."), calls=(BAD_CALL,), **HOST),
        Ending(),
        "model.rate_limited",
    ),
    "an exit code after a refused host": row(
        replace(
            replace(DONE, result=None, exit=replace(EXITED, code=56)),
            last_stderr_line="curl: (56) CONNECT tunnel failed, response 403",
            **HOST,
        ),
        Ending(),
        "agent.host_not_allowed",
    ),
    "an answer although a host was refused": row(replace(DONE, **HOST), NAMED, OK),
    "an exception after the model calls were used up": row(
        replace(RAISED, calls=(GOOD_CALL, REFUSED_CALL), used_up=CALLS_USED_UP),
        Ending(),
        "limit.model_calls",
        7,
        "ValueError: no soup",
    ),
    "no response after the model calls were used up": row(
        replace(DONE, result=None, used_up=CALLS_USED_UP, last_log_line=""),
        NAMED,
        "limit.model_calls",
        7,
        "The test has used 1,000 of the 1,000 model calls allowed.",
    ),
    "tokens used up": row(
        replace(RAISED, used_up=replace(CALLS_USED_UP, code="limit.model_tokens", used=70)),
        Ending(),
        "limit.model_tokens",
    ),
    "traffic used up": row(
        replace(RAISED, used_up=replace(CALLS_USED_UP, code="limit.traffic", used=700 * MB)),
        Ending(),
        "limit.traffic",
    ),
    "an answer although the model calls were used up": row(
        replace(DONE, used_up=CALLS_USED_UP), NAMED, OK
    ),
    "a limit is a limit, adopted or not": row(
        replace(RAISED, used_up=CALLS_USED_UP), Ending(adopted=True), "limit.model_calls"
    ),
    "over time in a call": row(
        replace(OVER_TIME, calls=(GOOD_CALL, HANGING_CALL), last_call_event=9),
        Ending(),
        "limit.timeout",
        9,
        "The agent closed the connection.",
    ),
    "over time long after a call was given up": row(
        replace(OVER_TIME, calls=(HANGING_CALL,), last_call_at=NOON, exit_at=NOON + 9 * SECOND),
        Ending(),
        "limit.timeout",
        8,
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_an_attempt_ends_for_what_the_door_saw(name: str) -> None:
    record, ending, code, event, said = ROWS[name]
    decided = verdict(REQUEST, record, ending)
    if isinstance(code, Outcome):
        assert decided.outcome is code
        return
    assert decided.failure is not None
    assert decided.failure.code == code
    if event is not None:
        assert decided.failure.evidence_event == event
    if said:
        assert decided.failure.evidence == said


FIXES: dict[str, tuple[str, dict[str, str | int]]] = {
    "host": ("an exception that names a refused host", {"add_egress": "api.example:443"}),
    "calls": ("an exception after the model calls were used up", {"model_calls": 2000}),
    "traffic": ("traffic used up", {"traffic_mb": 1400}),
    "tokens of the operator": ("tokens used up", {}),
}


@pytest.mark.parametrize("name", FIXES)
def test_the_failure_offers_what_would_have_been_enough(name: str) -> None:
    row_name, fix = FIXES[name]
    decided = verdict(REQUEST, ROWS[row_name][0], Ending())
    assert decided.failure is not None
    assert decided.failure.fix == fix
    for value in fix.values():
        assert str(value) in decided.failure.what_to_do


def test_a_host_that_no_list_can_hold_offers_no_fix() -> None:
    host = RefusedHost("10.0.0.1", "No way to 10.0.0.1.", 5)
    decided = verdict(REQUEST, replace(raised("10.0.0.1"), refused_hosts=(host,)), Ending())
    assert decided.failure is not None
    assert (decided.failure.code, decided.failure.fix) == ("agent.address_unreachable", {})


def test_an_own_limit_of_tokens_offers_what_would_have_been_enough() -> None:
    request = REQUEST.model_copy(update={"limits": Limits(model_tokens=50)})
    decided = verdict(request, ROWS["tokens used up"][0], Ending())
    assert decided.failure is not None
    assert decided.failure.fix == {"model_tokens": 140}
    assert "--model-tokens 140" in decided.failure.what_to_do


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "waiting for ollama:m, which had not answered for 6 s"),
        ({"status": 200}, "waiting for ollama:m, whose answer had begun but not ended after 6 s"),
        ({"error": "model.rate_limited"}, "waiting 6 s for the end of a pause that ollama:m"),
    ],
)
@pytest.mark.parametrize("apart", [0 * SECOND, 2 * SECOND, -SECOND])
def test_a_timeout_in_a_call_says_that_the_model_was_waited_for(
    changes: dict[str, object], said: str, apart: timedelta
) -> None:
    call = HANGING_CALL.model_copy(update=changes)
    record = replace(OVER_TIME, calls=(call,), last_call_at=NOON, exit_at=NOON + apart)
    decided = verdict(REQUEST, record, Ending())
    assert decided.failure is not None
    assert said in decided.failure.message
    assert "model service" in decided.failure.what_to_do


@pytest.mark.parametrize(
    "name",
    [
        "api.openai.com",
        "api.anthropic.com",
        "bedrock-runtime.us-east-1.amazonaws.com",
        "bedrock-runtime.cn-north-1.amazonaws.com.cn",
    ],
)
def test_a_model_services_own_address_shall_be_left_out_and_not_allowed(name: str) -> None:
    host = RefusedHost(name, f"No {name}.", 5, f"{name}:443")
    record = replace(raised("Connection error."), refused_hosts=(host,))
    found = verdict(REQUEST, record, NAMED).failure
    assert found is not None
    assert (found.code, found.evidence_event) == ("agent.host_not_allowed", 5)
    assert f"Leave the address {name} out of the code" in found.what_to_do
    assert found.fix == {}
