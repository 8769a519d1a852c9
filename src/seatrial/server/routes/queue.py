"""The queue."""

from __future__ import annotations

from fastapi import APIRouter

from seatrial.domain.answers import LimitList
from seatrial.domain.ports import QueueState
from seatrial.domain.shares import queue_share
from seatrial.domain.validation import limit_ranges
from seatrial.server.auth import Caller, is_operator
from seatrial.server.deps import Deps
from seatrial.server.problems import documented
from seatrial.services import queue_state
from seatrial.services.validate_request import maxima_of

router = APIRouter(tags=["queue"])


@router.get("/limits", summary="What a test may use", responses=documented(401))
async def read_limits(deps: Deps, _: Caller) -> LimitList:
    """For each limit what a test has that asks for nothing, and how much it may ask for here.

    `per_user` is what one user may have while other users have some too.
    """
    settings = deps.settings
    return LimitList(
        limits=limit_ranges(maxima_of(settings)),
        per_user={
            "max_per_user": settings.max_per_user,
            "max_queued_per_user": queue_share(settings.max_queued, settings.max_queued_per_user),
            "max_builds_per_user": settings.max_builds_per_user,
            "max_streams_per_user": settings.max_streams_per_user,
            "max_tokens_per_user": settings.max_tokens_per_user,
        },
    )


@router.get("/queue", summary="Capacity and waits", responses=documented(401))
async def read_queue(deps: Deps, caller: Caller) -> QueueState:
    """How many tests wait and run, how many can, and how long one submitted now would wait.

    The operator reads the counts of all users, other users (`own` is true) those of their own
    tests; slots, workers and the wait are the same for all.
    """
    owner = None if is_operator(caller, deps) else caller.id
    return await queue_state.queue_state(deps.store, owner)
