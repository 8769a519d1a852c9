"""The queue."""

from __future__ import annotations

from fastapi import APIRouter

from seatrial.domain.answers import LimitList
from seatrial.domain.ports import QueueState
from seatrial.domain.validation import limit_ranges
from seatrial.server.auth import Caller, is_operator
from seatrial.server.deps import Deps
from seatrial.server.problems import documented
from seatrial.services import queue_state
from seatrial.services.validate_request import maxima_of

router = APIRouter(tags=["queue"])


@router.get("/limits", summary="What a test may use", responses=documented(401))
async def read_limits(deps: Deps, _: Caller) -> LimitList:
    """For each limit what a test has that asks for nothing, and how much it may ask for here."""
    return LimitList(limits=limit_ranges(maxima_of(deps.settings)))


@router.get("/queue", summary="Capacity and waits", responses=documented(401))
async def read_queue(deps: Deps, caller: Caller) -> QueueState:
    """How many tests wait and run, how many can, and how long one submitted now would wait.

    The operator reads the counts of all users, other users (`own` is true) those of their own
    tests; slots, workers and the wait are the same for all.
    """
    owner = None if is_operator(caller, deps) else caller.id
    return await queue_state.queue_state(deps.store, owner)
