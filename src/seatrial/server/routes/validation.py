"""Checking a request without queueing it."""

from __future__ import annotations

from fastapi import APIRouter

from seatrial.domain.answers import ValidationReport
from seatrial.domain.requests import TestRequest
from seatrial.server.auth import Caller
from seatrial.server.deps import Deps
from seatrial.server.problems import documented
from seatrial.services.validate_request import validate_request as check

router = APIRouter(tags=["tests"])


@router.post(
    "/validate",
    summary="Check a test request; nothing is queued",
    responses=documented(401, 413, 422),
)
async def validate_request(request: TestRequest, deps: Deps, caller: Caller) -> ValidationReport:
    """The same checks as on submission. 200 without problems, or 422 with all of them."""
    unchecked = await check(
        deps.store,
        deps.settings,
        caller.id,
        request,
        compiler=deps.compiler,
        providers=deps.offered_providers,
    )
    return ValidationReport(unchecked=unchecked)
