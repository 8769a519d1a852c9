"""Answers the calls of a door from a recording. No model service is asked, ever."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import HttpVersion11, web
from multidict import CIMultiDict

from seatrial.domain.recordings import DIFFERS, UNUSED, RecordedCall, Replay
from seatrial.gateway import budget
from seatrial.gateway.budget import BudgetSpent
from seatrial.gateway.exchange import Call, CallRecord, Watcher, own_answer
from seatrial.gateway.journal import DoorJournal
from seatrial.gateway.providers.base import Reading
from seatrial.gateway.scrub import KnownSecrets, scrubbed

from .differences import MOST, told
from .forms import kept_headers, make_form
from .matching import Matcher, Mismatch

LONGEST_PAUSE = 0.01
"""Seconds between two pieces of an answer: enough to arrive as a stream, not as slow as it was."""

LONGEST_PAUSES = 2.0
"""Seconds that all pauses of one answer come to."""

PATIENCE = 5.0
"""Seconds that an agent may wait longer than it did for an answer that it did not wait for."""

REFUSED = 400
"""No SDK tries a call again that was answered with it."""

OUT_OF_ORDER = "model.replay_order"


class Player:
    """The recording of one door."""

    def __init__(self, replay: Replay, journal: DoorJournal, known: KnownSecrets) -> None:
        """What is `known` stands as stars in a recording, so it does in what is compared."""
        self._known = known
        self._replay = replay
        self._journal = journal
        self._matcher: Matcher | None = None
        self._turn = asyncio.Lock()
        self._calls = 0

    async def answer(
        self, request: web.BaseRequest, call: Call, record: CallRecord, watcher: Watcher
    ) -> web.StreamResponse:
        """Play the recorded answer to a call, or tell how it differs from all recorded ones."""
        record.replayed = True
        found = await self._found(request, call)
        if isinstance(found, Mismatch):
            return self._differs(call, record, found)
        record.recorded_call = found.number
        return await self._play(request, found, record, watcher)

    def end(self) -> None:
        """Tell what the agent did not ask again, and what it asked the other way round."""
        if self._matcher is None:
            unused = tuple(
                call
                for call in self._replay.calls
                if call.counted and call.number not in self._replay.used
            )
        else:
            unused = self._matcher.unused()
            for early, late in self._matcher.out_of_order():
                text = f"Recorded call {early.number} was made before call {late.number} this time."
                self._journal.add_notice(OUT_OF_ORDER, "", text)
        if unused:
            self._journal.add_notice(UNUSED, "", _unused_text(unused), _unused_data(unused))

    async def _found(self, request: web.BaseRequest, call: Call) -> RecordedCall | Mismatch:
        """One at a time and in the order of arrival, off the loop: bodies may be large."""
        known, headers = self._known, kept_headers(request.headers.items())

        def look() -> RecordedCall | Mismatch:
            if self._matcher is None:
                self._matcher = Matcher(self._replay)
            form = make_form(
                call.provider.name,
                call.operation.name,
                method=request.method,
                path=known.text(call.operation.path),
                query=known.text(call.query),
                headers=[(name, known.text(value)) for name, value in headers],
                body=scrubbed(known, call.body),
            )
            return self._matcher.match(form)

        async with self._turn:
            return await asyncio.to_thread(look)

    def _differs(self, call: Call, record: CallRecord, mismatch: Mismatch) -> web.Response:
        self._calls += 1
        text, data = _mismatch_text(call, mismatch), _mismatch_data(mismatch)
        record.status = REFUSED
        record.blame(DIFFERS, text)
        self._journal.add_notice(DIFFERS, str(self._calls), text, data)
        answer = own_answer(call.provider, call.operation.path, REFUSED, "replay_differs", text)
        answer.headers["X-Should-Retry"] = "false"
        return answer

    async def _play(
        self,
        request: web.BaseRequest,
        call: RecordedCall,
        record: CallRecord,
        watcher: Watcher,
    ) -> web.StreamResponse:
        answer = call.answer
        record.status = answer.status
        record.reading = Reading(call.input_tokens, call.output_tokens)
        if answer.status is None:
            return await self._wait_for_agent(request, call, record, web.StreamResponse())
        response = web.StreamResponse(
            status=answer.status, reason=answer.reason, headers=CIMultiDict(answer.headers)
        )
        has_body = request.method != "HEAD" and answer.status not in {204, 304}
        if response.content_length is None and has_body and request.version >= HttpVersion11:
            response.enable_chunked_encoding()
        await response.prepare(request)
        try:
            if has_body:
                await _send(response, call, record, watcher)
        except BudgetSpent as spent:
            record.blame(budget.TRAFFIC, str(spent))
            return _cut(request, response)
        if answer.end == "abandoned":
            return await self._wait_for_agent(request, call, record, response)
        record.error, record.message = call.error, call.message
        if answer.end == "cut":
            return _cut(request, response)
        await response.write_eof()
        return response

    async def _wait_for_agent(
        self,
        request: web.BaseRequest,
        call: RecordedCall,
        record: CallRecord,
        response: web.StreamResponse,
    ) -> web.StreamResponse:
        """The agent closed this connection when it was recorded, and is expected to do it again.

        Then this is cancelled. One that waits longer gets no answer: there is none.
        """
        await asyncio.sleep(call.seconds + PATIENCE)
        text = (
            f"Recorded call {call.number} has no whole answer, because the agent closed the "
            f"connection after {call.seconds:.1f} s; this time it waited for more."
        )
        record.blame(DIFFERS, text)
        self._journal.add_notice(DIFFERS, f"waited {call.number}", text)
        return _cut(request, response)


async def _send(
    response: web.StreamResponse, call: RecordedCall, record: CallRecord, watcher: Watcher
) -> None:
    before, left = 0, LONGEST_PAUSES
    for at, piece in call.answer.pieces:
        pause = min((at - before) / 1000, LONGEST_PAUSE, left) if before else 0.0
        await asyncio.sleep(pause)
        before, left = at, left - pause
        record.mark_first_byte()
        watcher.passed(len(piece))
        await response.write(piece)


def _cut(request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
    """End the connection without the answer's end."""
    if request.transport is not None:
        request.transport.close()
    return response


def _mismatch_text(call: Call, mismatch: Mismatch) -> str:
    if mismatch.nearest is None:
        what = f"{call.provider.name} {call.operation.name}"
        return f"The recording has no further call, but the agent made one more ({what})."
    number = mismatch.nearest.number
    return f"The call differs from recorded call {number}: {told(mismatch.differences)}."


def _mismatch_data(mismatch: Mismatch) -> dict[str, Any]:
    return {
        "recorded_call": mismatch.nearest.number if mismatch.nearest else None,
        "differences": [vars(one) for one in mismatch.differences[:MOST]],
        "more": max(0, len(mismatch.differences) - MOST),
    }


def _unused_text(unused: tuple[RecordedCall, ...]) -> str:
    numbers = ", ".join(str(call.number) for call in unused[:10])
    more = f" and {len(unused) - 10} more" if len(unused) > 10 else ""
    what = "call was" if len(unused) == 1 else "calls were"
    return f"{len(unused)} recorded {what} not made again: {numbers}{more}."


def _unused_data(unused: tuple[RecordedCall, ...]) -> dict[str, Any]:
    return {"calls": [call.number for call in unused[:100]], "count": len(unused)}
