"""The journal of a test, as a page or as a stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Any, cast

from fastapi import APIRouter, Header, Query, Request, Response

from seatrial.domain.errors import FieldProblem, InvalidRequest
from seatrial.domain.events import Event, EventPage
from seatrial.server.auth import Reader, Reading
from seatrial.server.deps import Deps, ServerDeps
from seatrial.server.metrics import ServerMetrics
from seatrial.server.problems import documented
from seatrial.server.sse import EventStream, encode
from seatrial.services.embed_test import follow_embedded, read_embedded_page
from seatrial.services.read_events import MAX_PAGE, follow, is_read_whole, read_page

router = APIRouter(prefix="/tests", tags=["events"])

_MAX_NUMBER = 2**53

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "model": EventPage,
        "description": (
            "A page as JSON, or with `Accept: text/event-stream` every event as it is written: "
            "`id` is its number, `event` its kind, `data` the event as JSON. The stream ends "
            "after the last event."
        ),
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    204: {"description": "A stream that would be empty: there is no event after that number."},
}


@router.get(
    "/{test_id}/events",
    summary="Read or follow a test's journal",
    response_model=None,
    responses={**_STREAM, **documented(401, 403, 404, 422, 429, 503)},
)
async def read_events(
    request: Request,
    test_id: str,
    deps: Deps,
    reader: Reader,
    after: Annotated[int, Query(ge=0, le=_MAX_NUMBER)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Of a JSON page.")] = MAX_PAGE,
    last_event_id: Annotated[
        str | None, Header(description="Where a stream resumes; stands above `after`.")
    ] = None,
) -> Response:
    """Events numbered above `after`, in order and without gaps."""
    if "text/event-stream" not in request.headers.get("accept", ""):
        page = await _page(deps, reader, test_id, after=after, limit=limit)
        return Response(page.model_dump_json(), media_type="application/json")
    after = _number(last_event_id) if last_event_id else after
    # Asked before the stream starts, so that a test of somebody else is a plain 404. 204 tells
    # a browser's EventSource, which comes again after every end, to stop.
    if await is_read_whole(deps.store, reader.owner, test_id, after):
        return Response(status_code=204)
    # Pages of other origins take no room from the owner of the test that they show.
    name = reader.owner if reader.grant is None else f"embedded {reader.owner}"
    batches = _batches(deps, reader, test_id, after=after)
    metrics = cast("ServerMetrics", request.app.state.metrics)
    return EventStream(batches, encode, deps, metrics, reader=name, seconds=reader.seconds)


async def _page(
    deps: ServerDeps, reader: Reading, test_id: str, *, after: int, limit: int
) -> EventPage:
    if reader.grant is not None:
        return await read_embedded_page(deps.store, reader.grant, after=after, limit=limit)
    return await read_page(deps.store, reader.owner, test_id, after=after, limit=limit)


def _batches(
    deps: ServerDeps, reader: Reading, test_id: str, *, after: int
) -> AsyncGenerator[Sequence[Event], None]:
    if reader.grant is not None:
        return follow_embedded(deps.store, reader.grant, after=after)
    return follow(deps.store, reader.owner, test_id, after=after)


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    message = "It is the number of an event."
    raise InvalidRequest((FieldProblem("Last-Event-ID", message),))
