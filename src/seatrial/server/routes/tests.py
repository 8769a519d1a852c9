"""Tests: submit, read, list, cancel, retry, delete."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Header, Query, Response

from seatrial.domain.answers import Removed
from seatrial.domain.phases import Outcome
from seatrial.domain.requests import RetryChanges, TestRequest
from seatrial.domain.tests import Test, TestPage
from seatrial.server.auth import Caller, Reader
from seatrial.server.deps import Deps
from seatrial.server.examples import CREATED, REQUESTS, RETRIES
from seatrial.server.problems import documented
from seatrial.services import cancel_test as cancelling
from seatrial.services import delete_tests as deleting
from seatrial.services import embed_test as embedding
from seatrial.services import list_tests as listing
from seatrial.services import read_test as reading
from seatrial.services import retry_test as retrying
from seatrial.services import submit_test as submitting

router = APIRouter(prefix="/tests", tags=["tests"])

IdempotencyKey = Annotated[
    str | None,
    Header(description="The same key within 24 hours gives the first call's test again."),
]


@router.post(
    "",
    status_code=201,
    summary="Submit a test",
    responses={**CREATED, **documented(401, 409, 413, 422, 429)},
)
async def submit_test(
    request: Annotated[TestRequest, Body(openapi_examples=REQUESTS)],
    response: Response,
    deps: Deps,
    caller: Caller,
    idempotency_key: IdempotencyKey = None,
) -> Test:
    """Check the request and queue it. The answer holds its queue place and estimated wait."""
    test = await submitting.submit_test(
        deps.store,
        deps.settings,
        caller.id,
        request,
        idempotency_key=idempotency_key,
        compiler=deps.compiler,
        providers=deps.offered_providers,
    )
    response.headers["Location"] = f"/api/v1/tests/{test.id}"
    return test


@router.get("", summary="List your tests, newest first", responses=documented(401, 422))
async def list_tests(
    deps: Deps,
    caller: Caller,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=listing.MAX_PAGE)] = 50,
    outcome: Outcome | None = None,
    model: Annotated[
        str | None,
        Query(description="The first model that a test named; `default`: it named none."),
    ] = None,
    q: Annotated[str, Query(description="Search in name, query and id.")] = "",
) -> TestPage:
    """One page of your history."""
    return await listing.list_tests(
        deps.store, caller.id, cursor=cursor, limit=limit, outcome=outcome, model=model, text=q
    )


@router.delete("", summary="Remove your completed tests", responses=documented(401, 422))
async def clear_tests(
    deps: Deps,
    caller: Caller,
    before: Annotated[
        datetime | None, Query(description="Only those created before; without a zone, UTC.")
    ] = None,
) -> Removed:
    """Remove completed tests with their journals. Unfinished ones are never touched."""
    return Removed(removed=await deleting.clear_tests(deps.store, caller.id, before=before))


@router.get("/{test_id}", summary="Read a test", responses=documented(401, 403, 404, 422))
async def read_test(test_id: str, deps: Deps, reader: Reader) -> Test:
    """The test as it stands now: phase, outcome, failure, result, metrics, queue place."""
    if reader.grant is not None:
        return await embedding.read_embedded(deps.store, reader.grant)
    return await reading.read_test(deps.store, reader.owner, test_id)


@router.delete(
    "/{test_id}",
    status_code=204,
    summary="Remove a completed test",
    responses=documented(401, 404, 409, 422),
)
async def delete_test(test_id: str, deps: Deps, caller: Caller) -> None:
    """Remove the test with its journal. 409 while it is unfinished: cancel it first."""
    await deleting.delete_test(deps.store, caller.id, test_id)


@router.post("/{test_id}/cancel", summary="Stop a test", responses=documented(401, 404, 422))
async def cancel_test(test_id: str, deps: Deps, caller: Caller) -> Test:
    """Ask for the test's end. One that is completed is answered as it is."""
    return await cancelling.cancel_test(deps.store, caller.id, test_id)


@router.post(
    "/{test_id}/retry",
    status_code=201,
    summary="Run a test again, with changes if you like",
    responses={**CREATED, **documented(401, 404, 409, 413, 422, 429)},
)
async def retry_test(
    test_id: str,
    response: Response,
    deps: Deps,
    caller: Caller,
    changes: Annotated[RetryChanges | None, Body(openapi_examples=RETRIES)] = None,
    idempotency_key: IdempotencyKey = None,
) -> Test:
    """A new test that points at this one by `retry_of`. This one stays as it is."""
    test = await retrying.retry_test(
        deps.store,
        deps.settings,
        caller.id,
        test_id,
        changes or RetryChanges(),
        idempotency_key=idempotency_key,
        compiler=deps.compiler,
        providers=deps.offered_providers,
    )
    response.headers["Location"] = f"/api/v1/tests/{test.id}"
    return test
