"""How an attempt ends: the pure decision from its record to one outcome and one cause."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from . import limit_causes
from .causes import of_cause
from .door_blame import advice_before, before, of_door
from .ending import Ending, StopReason
from .events import ModelCallEvent
from .failures import Failure, failure
from .phases import Outcome
from .record import AgentError, AttemptRecord, RefusedHost
from .recordings import DIFFERS
from .requests import TestRequest


@dataclass(frozen=True)
class Verdict:
    """One outcome and, unless it succeeded or was cancelled, its cause."""

    outcome: Outcome
    failure: Failure | None = None


def verdict(request: TestRequest, record: AttemptRecord, ending: Ending) -> Verdict:
    """Decide how the attempt ended. A failure whose code is `platform.*` asks for a retry.

    A success that was complete before a cancellation or the deadline took hold stands.
    """
    if _succeeded(record, ending):
        return Verdict(Outcome.SUCCEEDED)
    if _was(record, ending, "cancelled"):
        return Verdict(Outcome.CANCELLED)
    if _was(record, ending, "deadline"):
        return Verdict(Outcome.TIMED_OUT, limit_causes.timeout(request, record, ending))
    cause = next(found for check in _CHECKS if (found := check(request, record, ending)))
    if ending.adopted and cause.whose in {"agent", "model"}:
        return Verdict(Outcome.FAILED, _lost(cause))
    return Verdict(Outcome.FAILED, cause)


def _succeeded(record: AttemptRecord, ending: Ending) -> bool:
    exited = record.exit
    return (
        exited is not None
        and exited.code == 0
        and exited.oom_kills == 0
        and record.error is None
        and record.too_large_bytes is None
        and record.replay_difference_event is None
        and record.result is not None
        and bool(record.result.response.strip())
        and _answered_with(record) is None
        and (not ending.model_named or any(_answered(call) for call in record.calls))
    )


def _answered(call: ModelCallEvent) -> bool:
    return call.error is None and call.status is not None and call.status < 400


def _was(record: AttemptRecord, ending: Ending, reason: StopReason) -> bool:
    inside = record.exit.reason if record.exit else None
    return reason in {ending.stopped, inside}


def _lost(cause: Failure) -> Failure:
    return failure(
        "platform.worker_lost",
        f"The worker died during this attempt, which may be why the agent failed: {cause.message}",
        evidence=cause.evidence,
        evidence_event=cause.evidence_event,
    )


_Check = Callable[[TestRequest, AttemptRecord, Ending], Failure | None]


_UNREPORTED = {
    False: "the container ended without a report",
    True: "the container said nothing for too long, so the worker ended it",
}
"""Why there is no report, by whether the worker ended the container for its silence."""


def _no_exit(_: TestRequest, record: AttemptRecord, ending: Ending) -> Failure | None:
    if record.exit is not None and record.exit.reason not in {"orphaned", "not_started"}:
        return None
    why = {
        "orphaned": "the container lost its worker",
        "not_started": "the agent's process could not be started",
    }.get(record.exit.reason if record.exit else "", _UNREPORTED[ending.stopped == "silent"])
    code = ending.container_code
    return failure(
        "platform.worker_lost",
        f"The attempt was lost: {why} (container exit code {code}).",
        evidence=ending.evidence,
        evidence_event=record.exit_event,
    )


def _tampered(_: TestRequest, record: AttemptRecord, __: Ending) -> Failure | None:
    if record.tampered_event is None:
        return None
    return failure("agent.tampered", evidence_event=record.tampered_event)


_BY_TYPE = {"SyntaxError": "agent.syntax_error", "IndentationError": "agent.syntax_error"}


def _replay_differs(_: TestRequest, record: AttemptRecord, __: Ending) -> Failure | None:
    """Before what the agent made of it: it got an answer that no model would have given."""
    if record.replay_difference_event is None:
        return None
    return failure(
        DIFFERS,
        record.replay_difference,
        evidence=record.replay_difference,
        evidence_event=record.replay_difference_event,
    )


def _exception(request: TestRequest, record: AttemptRecord, ending: Ending) -> Failure | None:
    error = record.error
    if error is None:
        return None
    if error.stage == "exit":
        return None
    if error.stage == "detect":
        named = of_cause(request, error, record.error_event)
        return named or failure(
            "agent.no_entrypoint", error.message, evidence_event=record.error_event
        )
    if error.module is not None and not error.cause:
        error = replace(error, cause="module", subject=error.module)
    if error.module is None and (
        blamed := of_door(request, record, ending, limit_causes.shown(error))
    ):
        return blamed
    return of_cause(request, error, record.error_event) or _plain(error, record)


def _plain(error: AgentError, record: AttemptRecord) -> Failure:
    """The exception itself, and what the gateway had refused before."""
    where = f" ({error.file}, line {error.line})" if error.file else ""
    return failure(
        _BY_TYPE.get(error.type, "agent.exception") if error.stage == "load" else "agent.exception",
        f"{limit_causes.shown(error)}{where}{before(record)}",
        what_to_do=advice_before(record),
        evidence=limit_causes.shown(error),
        evidence_event=record.error_event,
    )


def _exited(request: TestRequest, record: AttemptRecord, ending: Ending) -> Failure | None:
    exited = record.exit
    if exited is None or exited.code == 0:
        return None
    said = record.last_stderr_line or record.last_log_line
    if record.error and (cause := of_cause(request, record.error, record.error_event)):
        return cause
    if blamed := of_door(request, record, ending, said):
        return blamed
    how = f"signal {exited.signal}" if exited.signal else f"exit code {exited.code}"
    return failure(
        "agent.exited",
        f"The agent's process ended with {how} before it returned an answer.",
        evidence=record.last_stderr_line or record.last_log_line,
        evidence_event=record.last_stderr_event or record.last_log_event or record.exit_event,
    )


def _no_response(request: TestRequest, record: AttemptRecord, ending: Ending) -> Failure | None:
    if record.result is not None and record.result.response.strip():
        return None
    return of_door(request, record, ending, record.last_log_line) or failure(
        "agent.no_response",
        evidence=record.last_log_line,
        evidence_event=record.last_log_event or record.exit_event,
    )


def _no_model_call(request: TestRequest, record: AttemptRecord, ending: Ending) -> Failure | None:
    answer = record.result.response if record.result else ""
    failed = next((text for text in (answer, record.last_stderr_line) if _FAILED.search(text)), "")
    return of_door(request, record, ending, record.last_log_line) or failure(
        "agent.no_model_call",
        f"The test names the model {request.model}, but the agent never called it.{before(record)}",
        what_to_do=f"Correct what failed before the call: {failed[:300]}" if failed else "",
        evidence_event=record.exit_event,
    )


_FAILED = re.compile(
    r"error|exception|traceback|failed|cannot|could not|refused|timed out|went wrong|sorry",
    re.IGNORECASE,
)


def _refusal(request: TestRequest, record: AttemptRecord, ending: Ending) -> Failure | None:
    """The answer is what the gateway said to a refused request, which the agent took for data."""
    host = _answered_with(record)
    if host is None:
        return None
    return of_door(request, replace(record, calls=()), ending, host.message)


def _answered_with(record: AttemptRecord) -> RefusedHost | None:
    answer = record.result.response if record.result else ""
    return next((host for host in record.refused_hosts if host.message in answer), None)


_CHECKS: tuple[_Check, ...] = (
    limit_causes.memory,
    _no_exit,
    limit_causes.too_large,
    limit_causes.disk,
    limit_causes.processes,
    limit_causes.open_files,
    _replay_differs,
    _exception,
    _tampered,
    _exited,
    _no_response,
    _refusal,
    _no_model_call,
)
