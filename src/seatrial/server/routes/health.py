"""Liveness and readiness: is the server up, and can it take tests."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter

from seatrial.domain.answers import Health, Readiness
from seatrial.server.deps import Deps
from seatrial.server.problems import documented

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Liveness")
async def read_health() -> Health:
    """The process answers. Nothing else is asked."""
    return Health(version=version("seatrial"))


@router.get("/readyz", summary="Readiness", responses=documented(503))
async def read_readiness(deps: Deps) -> Readiness:
    """The database answers, so tests can be taken. Says what workers offer.

    Where users have accounts, the counts of their tests are left out: no token is asked for here.
    """
    await deps.store.ping()
    state = await deps.store.state()
    if deps.settings.has_accounts:
        return Readiness(slots=state.slots)
    return Readiness(slots=state.slots, queued=state.queued, running=state.running)
