"""The queue."""

from __future__ import annotations

from fastapi import APIRouter

from seatrial.domain.ports import QueueState
from seatrial.server.auth import Caller
from seatrial.server.deps import Deps
from seatrial.server.problems import documented
from seatrial.services import queue_state

router = APIRouter(tags=["queue"])


@router.get("/queue", summary="Capacity and waits", responses=documented(401))
async def read_queue(deps: Deps, _: Caller) -> QueueState:
    """How many tests wait and run, how many can, and how long one submitted now would wait."""
    return await queue_state.queue_state(deps.store)
