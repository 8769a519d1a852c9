"""What must be true of every failure, and which events can prove which one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seatrial.domain.events import (
    Event,
    EventData,
    FailureEvent,
    LogEvent,
    ModelCallEvent,
    NoticeEvent,
    PhaseEvent,
)
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.tests import Test

_EXCEPTION = "notice agent.error"
_EXIT = "notice agent.exit"
_OUTPUT = ("log stdout", "log stderr", _EXIT)
_CALL = "model_call"
_SEEN = "notice evidence"
"""What only the worker saw: nothing else in the journal can tell of it."""

PROOFS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "agent.syntax_error",
            "agent.import_error",
            "agent.exception",
            "agent.no_entrypoint",
            "agent.variable_missing",
            "agent.file_missing",
            "agent.read_only",
            "agent.program_missing",
            "agent.input_ended",
            "agent.web_server",
            "dependencies.version_mismatch",
            "dependencies.incomplete",
        ),
        (_EXCEPTION,),
    ),
    "agent.no_response": _OUTPUT,
    "agent.exited": (*_OUTPUT, _EXCEPTION),
    "agent.no_model_call": (_EXIT,),
    "agent.tampered": ("notice harness.report_invalid",),
    "agent.response_too_large": ("notice agent.response_too_large",),
    "agent.host_not_allowed": ("notice egress_refused", _EXCEPTION),
    "agent.address_unreachable": ("notice egress_refused", _EXCEPTION),
    "agent.host_unreachable": ("notice egress_unreachable",),
    **dict.fromkeys(
        ("agent.reach_not_allowed", "agent.secret_sent", "agent.client_timeout"), (_CALL,)
    ),
    "dependencies": ("log build",),
    "model": (_CALL, _SEEN),
    "model.replay_differs": ("notice model.replay_differs",),
    "limit.timeout": (*_OUTPUT, _CALL),
    "limit.memory": (_EXIT,),
    **dict.fromkeys(("limit.disk", "limit.files", "limit.open_files"), (_EXCEPTION,)),
    "limit.processes": (_EXCEPTION, _EXIT),
    "limit.model_calls": ("notice limit.model_calls",),
    "limit.model_tokens": ("notice limit.model_tokens",),
    "limit.traffic": ("notice limit.traffic",),
    "limit.build_timeout": ("log build",),
    "limit.build_size": ("log build",),
    "user": (_SEEN,),
    "platform": (_SEEN,),
}
"""By code, else by whose fault it is: the events that can prove it."""

_UNFINISHED = {"limit.timeout", "agent.client_timeout"}
"""Codes that a call proves which had no answer, and so no error, when it was closed."""


def assert_proven(done: Test, events: Sequence[Event], code: str) -> None:
    """The test has that failure, once, of the right one, proven by an earlier event of its own."""
    failure = done.failure
    assert failure is not None, done.outcome
    assert failure.code == code, failure
    whose = code.partition(".")[0]
    assert failure.whose == whose
    assert done.outcome is (Outcome.TIMED_OUT if code == "limit.timeout" else Outcome.FAILED)
    assert done.attempt == (3 if whose == "platform" else 1)
    assert failure.message
    assert failure.what_to_do
    told = [event for event in events if isinstance(event.data, FailureEvent)]
    assert [event.data for event in told] == [FailureEvent(failure=failure)]
    assert failure.evidence_event is not None
    assert _latest_attempt(events) < failure.evidence_event < told[0].number
    _assert_proves(events[failure.evidence_event - 1].data, code, failure.evidence)


def _latest_attempt(events: Sequence[Event]) -> int:
    """The number of the event with which the last attempt began."""
    return max(
        event.number
        for event in events
        if isinstance(event.data, PhaseEvent) and event.data.phase is Phase.BUILDING
    )


def _assert_proves(data: EventData, code: str, evidence: str) -> None:
    kinds = PROOFS.get(code) or PROOFS[code.partition(".")[0]]
    assert _kind(data) in kinds, data
    if isinstance(data, ModelCallEvent):
        assert data.error == code or (data.unfinished and code in _UNFINISHED), data
    if evidence and isinstance(data, LogEvent | ModelCallEvent):
        text = data.text if isinstance(data, LogEvent) else data.message
        assert " ".join(evidence.split())[:60] in " ".join(text.split())


def _kind(data: EventData) -> str:
    match data:
        case LogEvent(stream=stream):
            return f"log {stream}"
        case NoticeEvent(code=code):
            return f"notice {code}"
        case _:
            return data.kind
