"""Recordings of model calls: read, downloaded, and whether a test may be answered from one."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator

from seatrial.domain.errors import FieldProblem, InvalidRequest, NotFound
from seatrial.domain.phases import Phase
from seatrial.domain.ports import Store
from seatrial.domain.recording_ports import Recordings
from seatrial.domain.recordings import RecordingInfo, as_plain
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Test

from .read_test import checked_id

_PAGE = 20


async def read_recording(recordings: Recordings, owner: str, test_id: str) -> RecordingInfo:
    """What was recorded of the owner's test, call by call. NotFound, also when nothing was."""
    return await recordings.recording(owner, checked_id(test_id))


async def recording_lines(
    recordings: Recordings, owner: str, test_id: str
) -> AsyncGenerator[bytes, None]:
    """Every recorded call with its bodies, each as a line of JSON. NotFound."""
    after = 0
    while page := await recordings.recorded_calls(
        owner, checked_id(test_id), after=after, limit=_PAGE
    ):
        for call in page:
            yield json.dumps(as_plain(call), separators=(",", ":")).encode() + b"\n"
        after = page[-1].number


def replayed(old: Test, request: TestRequest, *, replay: bool | None) -> TestRequest:
    """The request of a retry: answered from a recording or not. InvalidRequest.

    The recording is the old test's, or the one that the old test was a replay of.
    """
    if replay is None:
        return request
    if not replay:
        return request.model_copy(update={"replay_of": None})
    source = old.id if old.request.record else old.request.replay_of
    if source is None:
        message = f"{old.id} was not recorded. Retry it with `record` first, then replay that."
        raise InvalidRequest((FieldProblem("replay", message, "not_recorded"),))
    # What is recorded stays recorded once; asking for both at once is a contradiction.
    record = request.record and not old.request.record
    return request.model_copy(update={"replay_of": source, "record": record})


async def replay_problems(store: Store, owner: str, request: TestRequest) -> list[FieldProblem]:
    """Why the request can't be answered from the recording that it names; nothing without one."""
    if request.replay_of is None:
        return []
    if request.record:
        message = "A test that is answered from a recording cannot be recorded itself."
        return [FieldProblem("record", message, "not_with_replay")]
    try:
        recorded = await store.test(owner, checked_id(request.replay_of))
        if recorded.phase is not Phase.COMPLETED:
            return [_no_replay("The recorded test has not ended yet.")]
        problem = (await store.recording(owner, recorded.id)).problem
    except NotFound as error:
        return [_no_replay(error.message)]
    if problem is not None:
        return [_no_replay(f"The recording is not whole: {problem}")]
    if recorded.request.model != request.model:
        message = (
            f"The recording was made with {recorded.request.model or 'the default model'}, "
            "and no other can answer from it."
        )
        return [FieldProblem("model", message, "not_with_replay")]
    return []


def _no_replay(message: str) -> FieldProblem:
    return FieldProblem("replay_of", message, "cannot_be_replayed")
