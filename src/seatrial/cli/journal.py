"""A test's journal as lines: when, what, and the output behind a bar that says whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from seatrial.domain.events import (
    CleanupEvent,
    Event,
    FailureEvent,
    LogEvent,
    ModelCallEvent,
    NoticeEvent,
    PhaseEvent,
    QueueEvent,
    ResponseEvent,
)
from seatrial.domain.ports import WorkerState
from seatrial.domain.tests import WaitInterval

from .lines import Line, Role, Span, line

_LONGEST_PENDING = 16_384
"""A line without an end is shown in pieces of this many characters."""

_TAGS: dict[str, tuple[str, Role]] = {
    "stdout": ("out", "plain"),
    "stderr": ("err", "warn"),
    "build": ("build", "dim"),
    "system": ("system", "dim"),
    "answer": ("answer", "name"),
}
_OUTCOMES: dict[str, Role] = {"succeeded": "good", "cancelled": "warn"}


class Journal:
    """Turns events into lines, in order. Keeps only what has no line end yet.

    With `answer`, the response is shown as it is produced. Samples of memory and CPU are not
    shown: the summary has what they come to.
    """

    def __init__(self, *, started: datetime | None = None, answer: bool = False) -> None:
        """Times count from `started`, or from the first event that is fed."""
        self._started = started
        self._answer = answer
        self._pending: dict[str, str] = {}
        self._queue_shown = ""

    def feed(self, event: Event) -> list[Line]:
        """The lines that this event completes."""
        data = event.data
        self._started = self._started or event.at
        if isinstance(data, LogEvent):
            return self._text(data.stream, data.text)
        if isinstance(data, ResponseEvent):
            return self._text("answer", data.text) if self._answer else []
        said = self._said(event)
        if said is None:
            return []
        seconds = (event.at - self._started).total_seconds()
        return [*self.rest(), line(Span(f"{seconds:7.1f}s  ", "dim"), *said)]

    def rest(self) -> list[Line]:
        """What has no line end yet, as lines; called at the end, too."""
        waiting, self._pending = self._pending, {}
        return [_tagged(stream, text.rstrip("\r")) for stream, text in waiting.items()]

    def _text(self, stream: str, text: str) -> list[Line]:
        text = self._pending.pop(stream, "") + text
        # A CR at the end may be the first half of a line end that was cut.
        cut = "\r" if text.endswith("\r") else ""
        *whole, rest = _one_end(text.removesuffix(cut)).split("\n")
        while len(rest) > _LONGEST_PENDING:
            whole.append(rest[:_LONGEST_PENDING])
            rest = rest[_LONGEST_PENDING:]
        if rest or cut:
            self._pending[stream] = rest + cut
        return [_tagged(stream, one) for one in whole]

    def _said(self, event: Event) -> tuple[Span, ...] | None:
        data = event.data
        if isinstance(data, PhaseEvent):
            return _phase(data)
        if isinstance(data, QueueEvent):
            return self._queue(data)
        if isinstance(data, ModelCallEvent):
            return _named("model", _call(data), "bad" if data.error else "plain")
        if isinstance(data, NoticeEvent):
            return _named("notice", data.message, "warn")
        if isinstance(data, FailureEvent):
            return _named("failure", f"{data.failure.code}: {data.failure.title}", "bad")
        if isinstance(data, CleanupEvent):
            return _named("cleaned", _cleanup(data), "warn" if data.left else "dim")
        return None

    def _queue(self, data: QueueEvent) -> tuple[Span, ...] | None:
        shown = f"place {data.position}{wait_text(data.wait)}"
        shown += f" ({data.reason})" if data.reason else ""
        if shown == self._queue_shown:
            return None
        self._queue_shown = shown
        return _named("queued", shown, "plain")


def wait_text(wait: WaitInterval | None) -> str:
    """`, starts in about 3 to 20 s`, or nothing when it is not known."""
    if wait is None or wait.high_seconds <= 0:
        return ""
    low, high = round(wait.low_seconds), max(1, round(wait.high_seconds))
    return f", starts within {high} s" if low < 1 else f", starts in about {low} to {high} s"


def worker_text(worker: WorkerState) -> str:
    """`Docker 28.5.1, x86_64: 4 slots`, or what keeps it from working."""
    engine = worker.engine or "no engine was seen yet"
    slots = f"{worker.slots} slot{'s' * (worker.slots != 1)}"
    return f"{engine}: {worker.trouble or slots}"


def _one_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _tagged(stream: str, text: str) -> Line:
    tag, role = _TAGS[stream]
    return line(Span(f"{tag:>8} │ ", "dim"), Span(text, role))


def _named(name: str, text: str, role: Role) -> tuple[Span, ...]:
    return Span(f"{name:<10}", "name"), Span(text, role)


def _phase(data: PhaseEvent) -> tuple[Span, ...]:
    name = data.outcome or data.phase
    role: Role = _OUTCOMES.get(data.outcome, "bad") if data.outcome else "strong"
    text = data.message or (f"attempt {data.attempt}" if data.attempt > 1 else "")
    return Span(f"{name:<10}", role), Span(text)


def _call(data: ModelCallEvent) -> str:
    status = str(data.status) if data.status is not None else "connection lost"
    tokens = ""
    if data.input_tokens is not None or data.output_tokens is not None:
        tokens = f", {data.input_tokens or 0} tokens in, {data.output_tokens or 0} out"
    what = " ".join(part for part in (data.provider, data.model, data.operation) if part)
    waited = f" (of which it paused {data.waited_seconds:.0f} s)" if data.waited_seconds else ""
    message = f": {data.message}" if data.message else ""
    replayed = " (replayed)" if data.replayed else ""
    told = f"{waited}{tokens}{replayed}{message}"
    return f"{what}: {status} in {data.latency_seconds:.2f} s{told}"


def _cleanup(data: CleanupEvent) -> str:
    left = f"; left behind: {', '.join(data.left)}" if data.left else ""
    return (removed_text(data.removed) or "nothing was left to remove") + left.replace("_", " ")


def removed_text(removed: Mapping[str, float]) -> str:
    """`tmpfs 0.04 s, container 0.05 s`: parts in the order in which they were gone."""
    in_order = sorted(removed.items(), key=lambda part: part[1])
    return ", ".join(f"{name.replace('_', ' ')} {seconds:.2f} s" for name, seconds in in_order)
