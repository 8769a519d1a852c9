"""Notes calls as the agent sees them, within a limit, and hands each on when it has ended."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime

from aiohttp import web

from seatrial.domain.record import USED_UP
from seatrial.domain.recording_ports import Recorder
from seatrial.domain.recordings import AnswerEnd, RecordedAnswer, RecordedCall
from seatrial.gateway import blame, budget
from seatrial.gateway.exchange import Call, CallRecord
from seatrial.gateway.scrub import KnownSecrets, scrubbed

from .forms import kept_headers

_DROPPED = frozenset({"date", "transfer-encoding", "connection"})
"""Headers of an answer that belong to the moment and the connection."""

_OF_A_CALL = 1024
_OF_A_PIECE = 32
"""Bytes by which they count beside their own: what is told of them is kept, too."""

_TOGETHER_MS = 5
_LONGEST_TOGETHER = 4096
"""Small pieces that came within these milliseconds are kept as one."""


class Reel:
    """All tapes of one door, which share one limit."""

    def __init__(self, recorder: Recorder, known: KnownSecrets) -> None:
        """What is `known` is not kept, also not of what the agent itself sent."""
        self.known = known
        self._recorder = recorder
        self._left = recorder.limit_bytes
        self._numbers = itertools.count(recorder.first_number)
        self._full = False

    def start(self, request: web.BaseRequest, call: Call) -> Tape:
        """A tape for a call that begins now."""
        return Tape(self, next(self._numbers), request, call)

    def take(self, size: int) -> bool:
        """Whether there is room for so many bytes more; once there is not, there never is."""
        self._left -= size
        if self._left < 0 and not self._full:
            self._full = True
            limit = self._recorder.limit_bytes / 2**20
            self._recorder.cut(f"The calls came to more than the {limit:g} MiB that are kept.")
        return not self._full

    def add(self, call: RecordedCall) -> None:
        """Hand a whole call on."""
        if not self._full:
            self._recorder.add(call)


class Tape:
    """One call and its answer, piece by piece."""

    def __init__(self, reel: Reel, number: int, request: web.BaseRequest, call: Call) -> None:
        """Made by `Reel.start`."""
        self._reel = reel
        self._number = number
        self._method = request.method
        self._headers = kept_headers(request.headers.items())
        self._call = call
        self._status: int | None = None
        self._reason = ""
        self._answer_headers: tuple[tuple[str, str], ...] = ()
        self._pieces: list[tuple[int, bytes]] = []
        self._running = reel.take(len(call.body) + _OF_A_CALL)
        self._started_at = datetime.now(UTC)
        self._started = time.monotonic()

    def begin(self, response: web.StreamResponse) -> None:
        """The answer's head, as it is about to be sent."""
        self._status = response.status
        self._reason = response.reason or ""
        self._answer_headers = tuple(
            (name, value)
            for name, value in response.headers.items()
            if name.lower() not in _DROPPED
        )

    def feed(self, piece: bytes) -> None:
        """A piece of the body that was sent."""
        if not (self._running and self._reel.take(len(piece) + _OF_A_PIECE)):
            self._running = False
            self._pieces.clear()
            return
        at = int((time.monotonic() - self._started) * 1000)
        last_at, last = self._pieces[-1] if self._pieces else (at, b"")
        if last and at - last_at < _TOGETHER_MS and len(last) < _LONGEST_TOGETHER:
            self._pieces[-1] = (last_at, last + piece)
        else:
            self._pieces.append((at, piece))

    def end(self, record: CallRecord, response: web.StreamResponse | None) -> None:
        """The call is over: `response` was sent, or None when the agent did not wait for it."""
        if isinstance(response, web.Response) and record.error in USED_UP:
            return  # Nobody was asked: a limit of this test refused it, as it will again.
        if isinstance(response, web.Response) and isinstance(response.body, bytes):
            # An answer of the gateway's own making: it was sent in one piece.
            self.begin(response)
            self.feed(response.body)
        if self._running:
            self._reel.add(self._recorded(record, _end(record, response)))

    def _recorded(self, record: CallRecord, end: AnswerEnd) -> RecordedCall:
        call, known = self._call, self._reel.known
        return RecordedCall(
            number=self._number,
            provider=call.provider.name,
            operation=call.operation.name,
            counted=call.operation.counted,
            model=record.model,
            method=self._method,
            path=known.text(call.operation.path),
            query=known.text(call.query),
            headers=tuple((name, known.text(value)) for name, value in self._headers),
            body=scrubbed(known, call.body),
            answer=RecordedAnswer(
                status=self._status,
                reason=self._reason,
                headers=self._answer_headers,
                pieces=tuple(self._pieces),
                end=end,
            ),
            started_at=self._started_at,
            seconds=time.monotonic() - self._started,
            input_tokens=record.reading.input_tokens,
            output_tokens=record.reading.output_tokens,
            error=record.error,
            message=record.message,
        )


def _end(record: CallRecord, response: web.StreamResponse | None) -> AnswerEnd:
    if response is None:
        return "abandoned"
    return "cut" if record.error in {blame.LOST, budget.TRAFFIC} else "whole"
