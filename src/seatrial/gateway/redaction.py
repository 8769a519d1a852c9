"""Takes known secrets out of an attempt's events; see seatrial.domain.redaction.Redactor."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from seatrial.domain.events import (
    CleanupEvent,
    EventData,
    FailureEvent,
    LogEvent,
    MetricEvent,
    ModelCallEvent,
    NoticeEvent,
    PhaseEvent,
    QueueEvent,
    ResponseEvent,
    ResultEvent,
)
from seatrial.domain.receipts import SENT, LeakCheck, Scan
from seatrial.domain.record import ERROR, EXIT, REDACTED
from seatrial.domain.tests import Result

from .scrub import KnownSecrets, TextScrubber

GONE = "[redacted]"
"""Stands for a structured value that cannot be kept without the secret that is spread over it."""

_RESPONSE = "response"
_CLOSED_WORDS = frozenset({"kind", "code", "whose"})
"""Fields whose values come from our own lists."""

M = TypeVar("M", bound=BaseModel)


class EventRedactor:
    """Redacts the events of one attempt."""

    def __init__(self, known: KnownSecrets, redacted: Iterable[str] = ()) -> None:
        """`redacted` are places in which a former worker of the attempt found secrets."""
        self._known = known
        self._streams: dict[str, TextScrubber] = {}
        self._scans: dict[str, Scan] = {place: Scan(hits=1) for place in redacted}
        self._told: set[str] = set(redacted)

    @property
    def known(self) -> KnownSecrets:
        """See Redactor."""
        return self._known

    def clean(self, events: Sequence[EventData]) -> list[EventData]:
        """See Redactor."""
        return [passed for data in events for passed in self._cleaned(data)]

    def end(self) -> list[EventData]:
        """See Redactor."""
        rest: list[EventData] = []
        for stream in self._streams:
            rest += self._piece(stream, "", last=True)
        return rest

    def text(self, place: str, text: str) -> str:
        """See Redactor."""
        cleaned, hits = self._known.cleaned(text)
        self._count(place, _size(text), hits)
        return cleaned

    def scan(self, place: str, texts: Iterable[str]) -> None:
        """See Redactor."""
        for text in texts:
            self.text(place, text)

    def leaks(self) -> LeakCheck:
        """See Redactor."""
        return LeakCheck(secrets=self._known.count, places=dict(self._scans))

    def _cleaned(self, data: EventData) -> Iterator[EventData]:
        match data:
            case LogEvent(stream=stream, text=text):
                yield from self._piece(stream, text)
            case ResponseEvent(text=text):
                yield from self._piece(_RESPONSE, text)
            case PhaseEvent() | QueueEvent() | MetricEvent() | CleanupEvent():
                yield data
            case ResultEvent(result=result):
                yield data.model_copy(update={"result": self._result(result)})
                yield from self._notices("result")
            case _:
                if isinstance(data, ModelCallEvent) and data.secret_hits is not None:
                    self._count(SENT, data.sent_bytes, data.secret_hits)
                if isinstance(data, NoticeEvent) and data.code == EXIT:
                    yield from self.end()
                place = _place_of(data)
                yield self._model(data, place)
                yield from self._notices(place)

    # ------------------------------------------------------------------ streams

    def _piece(self, stream: str, text: str, *, last: bool = False) -> Iterator[EventData]:
        scrubber = self._streams.setdefault(stream, TextScrubber(self._known))
        before = scrubber.hits
        passed = scrubber.end() if last else scrubber.feed(text)
        self._count(stream, _size(text), scrubber.hits - before)
        if passed:
            yield _stream_event(stream, passed)
        yield from self._notices(stream)

    def _notices(self, place: str) -> Iterator[EventData]:
        if place not in self._told and self._scans[place].hits:
            self._told.add(place)
            message = (
                f"A known secret stood in {_SAID.get(place, place)}; it was replaced by stars."
            )
            yield NoticeEvent(code=REDACTED, message=message, data={"place": place})

    def _count(self, place: str, size: int, hits: int) -> None:
        scan = self._scans.get(place, Scan())
        self._scans[place] = Scan(bytes=scan.bytes + size, hits=scan.hits + hits)

    # ------------------------------------------------------------------ fields

    def _result(self, result: Result) -> Result:
        cleaned = self._model(result, "result")
        return cleaned.model_copy(update={"value": self._spread(cleaned.value)})

    def _spread(self, value: Any) -> Any:
        """A structured value without a secret that is spread over several of its parts."""
        if not isinstance(value, dict | list):
            return value
        written = json.dumps(value, ensure_ascii=False)
        cleaned, hits = self._known.cleaned(written)
        if not hits:
            return cast("Any", value)
        self._count("result", 0, hits)
        try:
            return json.loads(cleaned)
        except ValueError:
            return GONE

    def _model(self, model: M, place: str) -> M:
        changes: dict[str, Any] = {}
        for name in type(model).model_fields:
            value = getattr(model, name)
            if name not in _CLOSED_WORDS and (new := self._any(value, place)) is not value:
                changes[name] = new
        return model.model_copy(update=changes) if changes else model

    def _any(self, value: Any, place: str) -> Any:
        """The value without secrets; the very same one when there is none in it."""
        match value:
            case str():
                cleaned = self.text(place, value)
                return value if cleaned == value else cleaned
            case BaseModel():
                return self._model(value, place)
            case dict():
                items = cast("dict[Any, Any]", value).items()
                new = {self._any(k, place): self._any(v, place) for k, v in items}
                return cast("Any", value) if new == value else new
            case list() | tuple():
                parts = [self._any(item, place) for item in cast("Sequence[Any]", value)]
                same = parts == list(cast("Sequence[Any]", value))
                return cast("Any", value) if same else type(cast("Any", value))(parts)
            case _:
                return value


_SAID = {
    "stdout": "the agent's standard output",
    "stderr": "the agent's standard error",
    "build": "the build's output",
    _RESPONSE: "the agent's response",
    "result": "the agent's result",
    "error": "the agent's exception",
    "failure": "the test's failure",
    "model_call": "what is noted of a model call",
    "notice": "a notice",
}


def _place_of(data: EventData) -> str:
    match data:
        case ModelCallEvent():
            return "model_call"
        case FailureEvent():
            return "failure"
        case NoticeEvent(code=code) if code == ERROR:
            return "error"
        case _:
            return "notice"


def _stream_event(stream: str, text: str) -> EventData:
    if stream == _RESPONSE:
        return ResponseEvent(text=text)
    return LogEvent.model_validate({"stream": stream, "text": text})


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
