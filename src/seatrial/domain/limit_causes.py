"""The limits that an attempt may have run into: each named with what was used and allowed. Pure."""

from __future__ import annotations

import re

from .door_blame import awaited_call, waiting_for
from .ending import Ending
from .failures import Failure, failure
from .record import AgentError, AttemptRecord
from .requests import TestRequest

_NEARLY_FULL = 0.9
"""Share of the memory limit from which a container that was killed had run out of it."""
_OVERFULL = 1.1
"""Above this share of a limit it was not enforced, or what was measured is not the container's."""


_LOOK_AT_THE_MODEL = "Look whether the model service is busy or stuck, or raise the timeout."


def timeout(request: TestRequest, record: AttemptRecord, ending: Ending) -> Failure:
    """The failure of an attempt whose time was over; it says when a model was waited for."""
    call = awaited_call(record)
    if call is not None:
        doing = f"it was {waiting_for(call)}"
    else:
        doing = f"{record.entry_point} had not returned" if record.entry_point else "still starting"
    used = record.exit.wall_seconds if record.exit else request.timeout_seconds
    return failure(
        "limit.timeout",
        f"The agent ran {used:.1f} s of the {request.timeout_seconds} s allowed, then it was "
        f"stopped: {doing}.{_meanwhile(request, record)}",
        what_to_do=_LOOK_AT_THE_MODEL if call else "",
        evidence=call.message if call else record.last_log_line,
        evidence_event=record.last_call_event
        if call
        else record.last_log_event or record.exit_event,
        fix=_raised("timeout_seconds", request.timeout_seconds, ending.maxima.timeout_seconds),
    )


def _meanwhile(request: TestRequest, record: AttemptRecord) -> str:
    """Other limits that it ran into, which may be why it did not get on."""
    exited = record.exit
    if exited is None:
        return ""
    said = ""
    if exited.oom_kills:
        said += f" The kernel ended {exited.oom_kills} of its processes for memory."
    if exited.process_limit_hits:
        said += f" It reached its limit of {request.limits.processes} processes and threads."
    if exited.full:
        said += f" {exited.full_folder} was full."
    return said


def _raised(name: str, value: int, most: int, needed: int = 0) -> dict[str, str | int]:
    """The change that doubles a limit, or raises it to what is needed, as far as it may be.

    None where it may not be raised, or not far enough.
    """
    better = max(value * 2, needed)
    return {name: min(better, most)} if value < most and needed <= most else {}


def memory(request: TestRequest, record: AttemptRecord, ending: Ending) -> Failure | None:
    """Memory ran out, in whichever process, or Python said so."""
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
    fix = _raised("memory_mb", limit, ending.maxima.memory_mb)
    more = f"Raise the memory limit (to {fix['memory_mb']} MiB, say), or use less." if fix else ""
    return failure(
        "limit.memory",
        f"The agent ran out of memory{child}: {used} the {limit} MiB allowed.",
        what_to_do=more,
        evidence=f"memory limit {limit} MiB, processes killed by the kernel: {max(killed, 1)}",
        evidence_event=record.exit_event,
        fix=fix,
    )


def _died_full(request: TestRequest, record: AttemptRecord, ending: Ending) -> bool:
    """Whether a container that was killed by nobody we know was seen near its memory limit.

    Not every engine tells that memory ran out (Podman); a killed container alone proves nothing.
    """
    if ending.container_code != 137 or ending.stopped is not None or record.last_metric is None:
        return False
    share = record.last_metric.memory_peak_bytes / (request.limits.memory_mb * 2**20)
    return _NEARLY_FULL <= share <= _OVERFULL


def too_large(request: TestRequest, record: AttemptRecord, ending: Ending) -> Failure | None:
    """The response is larger than it may be."""
    if record.too_large_bytes is None:
        return None
    limit = request.limits.response_kb
    needed = -(-record.too_large_bytes // 1024)
    return failure(
        "agent.response_too_large",
        f"The response has {record.too_large_bytes / 1024:.0f} KiB; {limit} KiB are allowed.",
        evidence_event=record.too_large_event,
        fix=_raised("response_kb", limit, ending.maxima.response_kb, needed),
    )


def disk(request: TestRequest, record: AttemptRecord, ending: Ending) -> Failure | None:
    """A writable folder was full, of bytes or of files."""
    error, exited = record.error, record.exit
    full = exited is not None and exited.disk_full
    if error is None or not (full or "Errno 28" in error.message):
        return None
    limit = request.limits.disk_mb
    files = exited is not None and exited.full == "files"
    return failure(
        "limit.files" if files else "limit.disk",
        _full(limit, record),
        evidence=shown(error),
        evidence_event=record.error_event,
        fix=_raised("disk_mb", limit, ending.maxima.disk_mb),
    )


def _full(limit: int, record: AttemptRecord) -> str:
    exited = record.exit
    if exited is None or not exited.full:
        return f"The agent filled its disk: {limit} MiB are allowed in each writable folder."
    if exited.full == "files":
        return f"{exited.full_folder} holds {exited.used_files:,} files: no more are allowed."
    used = exited.used_bytes / 2**20
    return f"{exited.full_folder} is full: {used:.0f} MiB were used of the {limit} MiB allowed."


def processes(request: TestRequest, record: AttemptRecord, ending: Ending) -> Failure | None:
    """No further process or thread could be made."""
    error, exited = record.error, record.exit
    hits = exited.process_limit_hits if exited else 0
    # Some sandboxes show no counters: then Python's own words have to do.
    refused = error is not None and "can't start new thread" in error.message
    if not (hits or refused):
        return None
    limit = request.limits.processes
    return failure(
        "limit.processes",
        f"The agent reached its limit of {limit} processes and threads: so many were running at "
        "one time, and another was refused.",
        evidence=shown(error) or record.last_log_line,
        evidence_event=record.error_event or record.exit_event,
        fix=_raised("processes", limit, ending.maxima.processes),
    )


def open_files(request: TestRequest, record: AttemptRecord, ending: Ending) -> Failure | None:
    """No further file or connection could be opened."""
    error = record.error
    if error is None or not re.search(r"\[?Errno 24\]?|Too many open files", error.message):
        return None
    limit = request.limits.open_files
    return failure(
        "limit.open_files",
        f"The agent had {limit} files and connections open at one time: no more are allowed.",
        evidence=shown(error),
        evidence_event=record.error_event,
        fix=_raised("open_files", limit, ending.maxima.open_files),
    )


def shown(error: AgentError | None) -> str:
    """An exception on one line."""
    return f"{error.type}: {error.message}"[:1000] if error else ""
