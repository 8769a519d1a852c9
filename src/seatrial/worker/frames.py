"""What the harness reports, as journal events. Frames are untrusted claims of a container."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, cast

from seatrial.domain.events import (
    EventData,
    LogEvent,
    MetricEvent,
    NoticeEvent,
    ResponseEvent,
    ResultEvent,
)
from seatrial.domain.record import ENTRY, ERROR, EXIT, TOO_LARGE, WRITTEN
from seatrial.domain.tests import Result
from seatrial.harness.protocol import (
    Entry,
    ErrorFrame,
    Exit,
    Frame,
    Log,
    Metric,
    NoticeFrame,
    Response,
    ResultFrame,
    WrittenFrame,
)

_MOST_PARTS = 100_000
_PART = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[,\[{]', re.DOTALL)
_MOST_FILES = 200
_SHOWN_FILES = 5
_PATH = re.compile(r"/(?:agent|home/agent)/[^\x00-\x1f\x7f]{1,300}")
_SHA256 = re.compile(r"(?:[0-9a-f]{64})?")
_DEEPEST_VALUE = 100
"""Nesting of a structured value that is kept; what writes it as JSON gives up before 255."""

ResultMaker = Callable[[ResultFrame], Result]
"""Completes the agent's claim with what the worker knows: entry point, model, fallback."""


def events_of(frame: Frame, result_of: ResultMaker) -> list[EventData]:
    """The events that one numbered frame becomes; none for frames of no interest to a reader."""
    match frame:
        case Log(stream=stream, text=text):
            return [LogEvent(stream=stream, text=text)]
        case Response(text=text):
            return [ResponseEvent(text=text)]
        case Metric():
            return [_metric(frame)]
        case Entry():
            return [_entry(frame)]
        case ResultFrame():
            return [_result(frame, result_of)]
        case ErrorFrame():
            return [_error(frame)]
        case WrittenFrame():
            return _written(frame)
        case NoticeFrame(code=code, message=message):
            return [NoticeEvent(code=f"harness.{code}", message=message)]
        case Exit():
            return [_exit(frame)]
        case _:
            return []


def value_of(frame: ResultFrame) -> Any:
    """The structured value, parsed as plain JSON.

    None when there is none, it is broken, or it has more than 100,000 parts: each costs an object.
    """
    if frame.value_json is None or _has_many_parts(frame.value_json):
        return None
    try:
        value = json.loads(frame.value_json, parse_constant=_refuse, parse_float=_finite)
        return value if _can_be_kept(value) else None
    except (ValueError, RecursionError):
        return None


def _has_many_parts(text: str) -> bool:
    """Whether it has too many strings, commas and brackets, counted without parsing it."""
    parts = _PART.finditer(text)
    return next(itertools.islice(parts, _MOST_PARTS, None), None) is not None


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number that JSON cannot hold")
    return number


def _can_be_kept(value: object, depth: int = 0) -> bool:
    """Whether it can be written as JSON again: nesting and every text in it."""
    if depth > _DEEPEST_VALUE:
        return False
    match value:
        case str():
            return value.isascii() or value.encode("utf-8", "replace").decode() == value
        case list():
            return all(_can_be_kept(item, depth + 1) for item in cast("list[object]", value))
        case dict():
            items = cast("dict[str, object]", value).items()
            return all(
                _can_be_kept(name, depth + 1) and _can_be_kept(item, depth + 1)
                for name, item in items
            )
        case _:
            return True


def _metric(frame: Metric) -> MetricEvent:
    return MetricEvent(
        memory_bytes=frame.memory_bytes,
        memory_peak_bytes=frame.memory_peak_bytes,
        cpu_seconds=frame.cpu_seconds,
        processes=frame.processes,
    )


def _entry(frame: Entry) -> NoticeEvent:
    data = {"entry_point": frame.entry_point, "framework": frame.framework, "how": frame.how}
    return NoticeEvent(code=ENTRY, message=f"Calling {frame.entry_point} ({frame.how})", data=data)


def _written(frame: WrittenFrame) -> list[EventData]:
    """The list, without what no harness of ours sends."""
    files = [
        {"path": path, "size": size, "sha256": frame.hashes.get(path, "")}
        for path, size in list(frame.sizes.items())[:_MOST_FILES]
        if _PATH.fullmatch(path) and ".." not in path.split("/") and size >= 0
    ]
    files = [one for one in files if _SHA256.fullmatch(str(one["sha256"]))]
    if not files:
        return []
    more = max(0, frame.more) + len(frame.sizes) - len(files)
    shown = ", ".join(str(one["path"]) for one in files[:_SHOWN_FILES])
    rest = max(0, len(files) - _SHOWN_FILES) + more
    message = f"The agent left {shown}" + (f" and {rest:,} more files." if rest > 0 else ".")
    return [NoticeEvent(code=WRITTEN, message=message, data={"files": files, "more": more})]


def _result(frame: ResultFrame, result_of: ResultMaker) -> EventData:
    if frame.too_large_bytes is not None:
        return NoticeEvent(
            code=TOO_LARGE,
            message=f"The response has {frame.too_large_bytes} bytes: too large to keep.",
            data={"bytes": frame.too_large_bytes},
        )
    return ResultEvent(result=result_of(frame))


def _error(frame: ErrorFrame) -> NoticeEvent:
    # Its traceback stands in the log already: the runner prints it to stderr, as Python does.
    return NoticeEvent(
        code=ERROR,
        message=f"{frame.type}: {frame.message}",
        data={
            "stage": frame.stage,
            "type": frame.type,
            "message": frame.message,
            "file": frame.file,
            "line": frame.line,
            "module": frame.module,
            **({"cause": frame.cause, "subject": frame.subject} if frame.cause else {}),
        },
    )


def _exit(frame: Exit) -> NoticeEvent:
    data = asdict(frame)
    for known_elsewhere in ("kind", "left_processes", "message"):
        data.pop(known_elsewhere, None)
    how = f"signal {frame.signal}" if frame.signal else f"exit code {frame.code}"
    return NoticeEvent(
        code=EXIT,
        message=f"The agent's process ended with {how} after {frame.wall_seconds:.2f} s.",
        data=data,
    )
