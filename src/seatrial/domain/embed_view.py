"""What an embed token reads of a test and its journal: a list of what passes.

Everything that is not named here stays with the test's owner: kinds of events and fields that are
added later do not pass until they are listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from .events import (
    Event,
    EventData,
    FailureEvent,
    LogEvent,
    MetricEvent,
    ModelCallEvent,
    PhaseEvent,
    QueueEvent,
    ResponseEvent,
    ResultEvent,
)
from .failures import CATALOGUE, Failure
from .tests import PUBLIC_REASONS, Durations, Metrics, QueuePlace, Test

_STREAMS = frozenset({"stdout", "stderr"})
"""The agent's own output. Build lines name the requirements."""

_OWN_WORDS = "agent."
"""Failures whose message and evidence come from the agent's output, which passes too."""

_WITHHELD = frozenset({"agent.host_not_allowed", "agent.reach_not_allowed", "agent.secret_sent"})
"""Of those, the ones that name what is not in the output."""

_EVENTS: Mapping[type[BaseModel], Sequence[str]] = {
    PhaseEvent: ("kind", "phase", "attempt", "outcome"),
    QueueEvent: ("kind", "position", "wait", "reason"),
    LogEvent: ("kind", "stream", "text"),
    ResponseEvent: ("kind", "text"),
    MetricEvent: ("kind", "memory_bytes", "memory_peak_bytes", "cpu_seconds", "processes"),
    ModelCallEvent: (
        "kind",
        "provider",
        "model",
        "operation",
        "status",
        "latency_seconds",
        "first_byte_seconds",
        "input_tokens",
        "output_tokens",
        "error",
        "unfinished",
        "sent_bytes",
        "received_bytes",
        "waited_seconds",
        "replayed",
    ),
    ResultEvent: ("kind", "result"),
    FailureEvent: ("kind", "failure"),
}

_TEST = (
    "id",
    "owner",
    "name",
    "request",
    "phase",
    "outcome",
    "attempt",
    "failure",
    "result",
    "metrics",
    "cancel_requested",
    "queue",
    "last_event",
    "created_at",
    "started_at",
    "completed_at",
)
_REQUEST = ("query", "name", "model", "timeout_seconds", "limits")
_RESULT = ("response", "value", "exit_code", "exit_signal", "model_fallback")
_METRICS = (
    "wall_seconds",
    "cpu_seconds",
    "memory_peak_bytes",
    "memory_limit_bytes",
    "processes_peak",
    "model_calls",
    "model_call_errors",
    "replayed_calls",
    "input_tokens",
    "output_tokens",
    "tokens_known",
    "log_bytes",
    "log_dropped_bytes",
    "durations",
)
_DURATIONS = (
    "queued",
    "resolved",
    "built",
    "started",
    "first_output",
    "running",
    "cleaned",
    "total",
)

_Value = TypeVar("_Value", bound=BaseModel)


def as_embedded(test: Test) -> Test:
    """The test as an embed token reads it."""
    return _only(
        test,
        _TEST,
        request=_only(test.request, _REQUEST, files={}),
        failure=None if test.failure is None else _failure(test.failure),
        result=None if test.result is None else _only(test.result, _RESULT),
        metrics=None if test.metrics is None else _metrics(test.metrics),
        queue=None if test.queue is None else _place(test.queue),
    )


def embedded_events(events: Sequence[Event]) -> tuple[Event, ...]:
    """The events that an embed token reads, as it reads them; their numbers have gaps."""
    found = [(event, _data(event.data)) for event in events]
    return tuple(
        Event(number=event.number, at=event.at, data=data) for event, data in found if data
    )


def _data(data: EventData) -> EventData | None:
    """What passes of an event; None for nothing."""
    fields = _EVENTS.get(type(data))
    if fields is None:
        return None
    match data:
        case LogEvent(stream=stream) if stream not in _STREAMS:
            return None
        case QueueEvent():
            return _only(data, fields, reason=_reason(data.reason))
        case ResultEvent():
            return _only(data, fields, result=_only(data.result, _RESULT))
        case FailureEvent():
            return _only(data, fields, failure=_failure(data.failure))
        case _:
            return _only(data, fields)


def _place(place: QueuePlace) -> QueuePlace:
    return place.model_copy(update={"reason": _reason(place.reason)})


def _reason(reason: str) -> str:
    return reason if reason in PUBLIC_REASONS else ""


def _metrics(metrics: Metrics) -> Metrics:
    durations: Durations = _only(metrics.durations, _DURATIONS)
    return _only(metrics, _METRICS, durations=durations)


def _failure(failure: Failure) -> Failure:
    """The catalogue's words; the test's own only where the agent's output has them too."""
    entry = CATALOGUE[failure.code]
    own = failure.code.startswith(_OWN_WORDS) and failure.code not in _WITHHELD
    return Failure(
        code=entry.code,
        whose=entry.whose,
        title=entry.title,
        message=failure.message if own else entry.title,
        what_to_do=entry.what_to_do,
        evidence=failure.evidence if own else "",
        evidence_event=failure.evidence_event if own else None,
    )


def _only(value: _Value, fields: Sequence[str], **changed: Any) -> _Value:
    """A value with those fields alone; the others have their defaults."""
    kept = {name: getattr(value, name) for name in fields}
    return type(value).model_validate({**kept, **changed})
