"""Metrics for Prometheus."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from seatrial.server.auth import Caller, require_operator
from seatrial.server.deps import Deps
from seatrial.server.metrics import CONTENT_TYPE, ServerMetrics
from seatrial.server.problems import documented

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=PlainTextResponse,
    responses=documented(401, 403),
)
async def read_metrics(request: Request, deps: Deps, caller: Caller) -> Response:
    """Tests by outcome, queue depth, slots, open streams, request latency.

    For the operator: this machine's own user and those whom SEATRIAL_OPERATORS names.
    """
    require_operator(caller, deps)
    metrics = cast("ServerMetrics", request.app.state.metrics)
    return Response(await metrics.page(deps.store), media_type=CONTENT_TYPE)
