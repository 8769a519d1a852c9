"""What was recorded of a test's model calls."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from seatrial.domain.recordings import RecordingInfo
from seatrial.server.auth import Caller
from seatrial.server.deps import Deps
from seatrial.server.problems import documented
from seatrial.services.recordings import read_recording, recording_lines

router = APIRouter(prefix="/tests", tags=["recordings"])

_LINES = "application/jsonl"
_DOWNLOAD: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One JSON object per line and call: the request as the agent sent it, "
        "the answer as the agent got it, piece by piece. No credential is in it.",
        "content": {_LINES: {"schema": {"type": "string"}}},
    }
}


@router.get(
    "/{test_id}/recording", summary="List recorded model calls", responses=documented(401, 404, 422)
)
async def list_recorded_calls(test_id: str, deps: Deps, caller: Caller) -> RecordingInfo:
    """The recorded calls in order, without their bodies. 404 when the test was not recorded."""
    return await read_recording(deps.store, caller.id, test_id)


@router.get(
    "/{test_id}/recording/calls",
    summary="Download recorded model calls",
    response_class=StreamingResponse,
    responses={**_DOWNLOAD, **documented(401, 404, 422)},
)
async def download_recorded_calls(test_id: str, deps: Deps, caller: Caller) -> StreamingResponse:
    """The recorded calls with their bodies, as JSON lines."""
    # Asked before the answer starts, so that a test without a recording is a plain 404.
    found = await read_recording(deps.store, caller.id, test_id)
    lines = recording_lines(deps.store, caller.id, found.test_id)
    name = f'attachment; filename="{found.test_id}.jsonl"'
    return StreamingResponse(lines, media_type=_LINES, headers={"Content-Disposition": name})
