"""Environments that are kept on this machine."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from seatrial.domain.answers import EnvironmentList, Freed
from seatrial.server.auth import Caller, is_operator, require_local
from seatrial.server.deps import Deps
from seatrial.server.problems import documented
from seatrial.services import environments as keeping

router = APIRouter(prefix="/environments", tags=["environments"])


class Prune(BaseModel):
    """How much may stay."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep_bytes: int = Field(default=0, ge=0, le=2**53)


@router.get("", summary="List the built environments", responses=documented(401, 404))
async def list_environments(deps: Deps, caller: Caller) -> EnvironmentList:
    """What is kept, most recently used first. 404 where workers elsewhere keep them.

    The operator reads all of it, other users what their own tests used, and when these did.
    """
    owner = None if is_operator(caller, deps) else caller.id
    entries = await keeping.list_environments(deps.environments, owner)
    return EnvironmentList(environments=tuple(entries))


@router.post("/prune", summary="Remove environments", responses=documented(401, 403, 404, 422))
async def prune_environments(deps: Deps, caller: Caller, prune: Prune | None = None) -> Freed:
    """Remove the least recently used ones until the rest fits. None in use is touched.

    All users share them: where users have accounts, only this machine's own user may.
    """
    if deps.settings.has_accounts:
        require_local(caller)
    keep = (prune or Prune()).keep_bytes
    freed = await keeping.prune_environments(deps.environments, keep_bytes=keep)
    return Freed(freed_bytes=freed)
