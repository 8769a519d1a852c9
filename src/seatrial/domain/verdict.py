"""How an attempt ends: the pure decision from its record to one outcome and one cause."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .events import ModelCallEvent
from .failures import CATALOGUE, Failure, failure
from .phases import Outcome
from .record import AgentError, AttemptRecord
from .requests import TestRequest

StopReason = Literal["cancelled", "deadline", "silent"]
"""Why the worker itself ended a container: asked to, time over, or process 1 went silent."""


@dataclass(frozen=True)
class Ending:
    """What the worker knows besides the journal when a container has ended.

    `stopped` is set when the worker killed it. `model_named` tells whether the request itself
    names a model. `adopted` marks an attempt whose first worker died.
    """

    container_code: int | None = None
    container_oom: bool = False
    evidence: str = ""
    stopped: StopReason | None = None
    model_named: bool = False
    adopted: bool = False


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
        return Verdict(Outcome.TIMED_OUT, _timeout(request, record))
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
        and record.result is not None
        and bool(record.result.response.strip())
        and (not ending.model_named or any(_answered(call) for call in record.calls))
    )


def _answered(call: ModelCallEvent) -> bool:
    return call.error is None and call.status is not None and call.status < 400


def _was(record: AttemptRecord, ending: Ending, reason: StopReason) -> bool:
    inside = record.exit.reason if record.exit else None
    return reason in {ending.stopped, inside}


def _timeout(request: TestRequest, record: AttemptRecord) -> Failure:
    doing = f"{record.entry_point} had not returned" if record.entry_point else "still starting"
    last = record.last_log_line
    return failure(
        "limit.timeout",
        f"The agent was stopped after {request.timeout_seconds} s: {doing}.",
        evidence=last,
        evidence_event=record.last_log_event,
        fix={"timeout_seconds": min(request.timeout_seconds * 2, 3600)},
    )


def _lost(cause: Failure) -> Failure:
    return failure(
        "platform.worker_lost",
        f"The worker died during this attempt, which may be why the agent failed: {cause.message}",
        evidence=cause.evidence,
        evidence_event=cause.evidence_event,
    )


_NEARLY_FULL = 0.9
"""Share of the memory limit from which a container that was killed had run out of it."""

_Check = Callable[[TestRequest, AttemptRecord, Ending], Failure | None]


def _memory(request: TestRequest, record: AttemptRecord, ending: Ending) -> Failure | None:
    exited = record.exit
    killed = exited.oom_kills if exited else 0
    unseen = exited is None and (ending.container_oom or _died_full(request, record, ending))
    python_gave_up = record.error is not None and record.error.type == "MemoryError"
    if not (killed or unseen or python_gave_up):
        return None
    sample = record.last_metric
    peak = exited.memory_peak_bytes if exited else sample.memory_peak_bytes if sample else 0
    limit = request.limits.memory_mb
    used = f"{peak / 2**20:.0f} MiB were used of" if peak else "it used more than"
    child = " in a child process" if exited and exited.code == 0 else ""
    return failure(
        "limit.memory",
        f"The agent ran out of memory{child}: {used} the {limit} MiB allowed.",
        what_to_do=f"Raise the memory limit (for example to {limit * 2} MiB), or use less.",
        evidence=f"memory limit {limit} MiB, processes killed by the kernel: {max(killed, 1)}",
        evidence_event=record.exit_event,
        fix={"memory_mb": limit * 2},
    )


def _died_full(request: TestRequest, record: AttemptRecord, ending: Ending) -> bool:
    """Whether a container that was killed by nobody we know was seen near its memory limit.

    Not every engine tells that memory ran out (Podman); a killed container alone proves nothing.
    """
    if ending.container_code != 137 or ending.stopped is not None or record.last_metric is None:
        return False
    return record.last_metric.memory_peak_bytes >= _NEARLY_FULL * request.limits.memory_mb * 2**20


def _no_exit(_: TestRequest, record: AttemptRecord, ending: Ending) -> Failure | None:
    if record.exit is not None and record.exit.reason not in {"orphaned", "not_started"}:
        return None
    why = {
        "orphaned": "the container lost its worker",
        "not_started": "the agent's process could not be started",
    }.get(record.exit.reason if record.exit else "", "the container ended without a report")
    code = ending.container_code
    return failure(
        "platform.worker_lost",
        f"The attempt was lost: {why} (container exit code {code}).",
        evidence=ending.evidence,
        evidence_event=record.exit_event,
    )


def _too_large(request: TestRequest, record: AttemptRecord, _: Ending) -> Failure | None:
    if record.too_large_bytes is None:
        return None
    limit = request.limits.response_kb
    return failure(
        "agent.response_too_large",
        f"The response has {record.too_large_bytes / 1024:.0f} KiB; {limit} KiB are allowed.",
        evidence_event=record.exit_event,
    )


def _disk(request: TestRequest, record: AttemptRecord, _: Ending) -> Failure | None:
    error = record.error
    full = record.exit is not None and record.exit.disk_full
    if error is None or not (full or "Errno 28" in error.message):
        return None
    limit = request.limits.disk_mb
    return failure(
        "limit.disk",
        f"The agent filled its disk: {limit} MiB are allowed in each writable folder.",
        evidence=f"{error.type}: {error.message}",
        evidence_event=record.error_event,
        fix={"disk_mb": limit * 2},
    )


def _processes(request: TestRequest, record: AttemptRecord, _: Ending) -> Failure | None:
    if record.exit is None or not record.exit.process_limit_hits:
        return None
    limit = request.limits.processes
    return failure(
        "limit.processes",
        f"The agent reached its limit of {limit} processes and threads.",
        evidence=_shown(record.error) or record.last_log_line,
        evidence_event=record.error_event or record.exit_event,
        fix={"processes": limit * 2},
    )


_BY_TYPE = {"SyntaxError": "agent.syntax_error", "IndentationError": "agent.syntax_error"}


def _exception(_: TestRequest, record: AttemptRecord, __: Ending) -> Failure | None:
    error = record.error
    if error is None:
        return None
    if error.stage == "detect":
        return failure("agent.no_entrypoint", error.message, evidence_event=record.error_event)
    if error.module is not None:
        return _missing_module(error, error.module, record.error_event)
    if blamed := _blamed_call(record):
        return blamed
    where = f" ({error.file}, line {error.line})" if error.file else ""
    return failure(
        _BY_TYPE.get(error.type, "agent.exception") if error.stage == "load" else "agent.exception",
        f"{_shown(error)}{where}",
        evidence=_shown(error),
        evidence_event=record.error_event,
    )


def _missing_module(error: AgentError, module: str, event: int | None) -> Failure:
    package = KNOWN_PACKAGES.get(module, module)
    # The name is the agent's claim: only what can be a package is offered as a line to add.
    fits = re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,98}[A-Za-z0-9])?", package) is not None
    return failure(
        "agent.import_error",
        f"The module {module[:100]!r} is not installed in the test's environment.",
        what_to_do=f"Add {package!r} to the requirements, then run again." if fits else "",
        evidence=_shown(error),
        evidence_event=event,
        fix={"add_requirement": package} if fits else None,
    )


def _blamed_call(record: AttemptRecord) -> Failure | None:
    """The last model call, when it failed: the exception that followed it is its echo."""
    if not record.calls or record.calls[-1].error is None:
        return None
    call = record.calls[-1]
    code = call.error if call.error in CATALOGUE else "model.bad_request"
    status = f" (status {call.status})" if call.status else ""
    return failure(
        code,
        f"{call.provider}:{call.model} answered with an error{status}: {call.message}",
        evidence=call.message,
        evidence_event=record.last_call_event,
    )


def _exited(_: TestRequest, record: AttemptRecord, __: Ending) -> Failure | None:
    exited = record.exit
    if exited is None or exited.code == 0:
        return None
    if blamed := _blamed_call(record):
        return blamed
    how = f"signal {exited.signal}" if exited.signal else f"exit code {exited.code}"
    return failure(
        "agent.exited",
        f"The agent's process ended with {how} before it returned an answer.",
        evidence=record.last_stderr_line or record.last_log_line,
        evidence_event=record.last_stderr_event or record.last_log_event or record.exit_event,
    )


def _no_response(_: TestRequest, record: AttemptRecord, __: Ending) -> Failure | None:
    if record.result is not None and record.result.response.strip():
        return None
    return _blamed_call(record) or failure(
        "agent.no_response",
        evidence=record.last_log_line,
        evidence_event=record.last_log_event or record.exit_event,
    )


def _no_model_call(request: TestRequest, record: AttemptRecord, _: Ending) -> Failure | None:
    return _blamed_call(record) or failure(
        "agent.no_model_call",
        f"The test names the model {request.model}, but the agent never called it.",
        evidence_event=record.exit_event,
    )


_CHECKS: tuple[_Check, ...] = (
    _memory,
    _no_exit,
    _too_large,
    _disk,
    _processes,
    _exception,
    _exited,
    _no_response,
    _no_model_call,
)


def _shown(error: AgentError | None) -> str:
    return f"{error.type}: {error.message}"[:1000] if error else ""


KNOWN_PACKAGES = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "google": "google-genai",
    "agents": "openai-agents",
    "langchain_ollama": "langchain-ollama",
    "langchain_openai": "langchain-openai",
    "langchain_aws": "langchain-aws",
    "langchain_anthropic": "langchain-anthropic",
    "llama_index": "llama-index",
    "pydantic_ai": "pydantic-ai",
    "sklearn": "scikit-learn",
    "strands": "strands-agents",
    "strands_tools": "strands-agents-tools",
    "yaml": "pyyaml",
}
"""Import names whose distribution is called otherwise."""
