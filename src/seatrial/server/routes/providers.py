"""Model providers."""

from __future__ import annotations

from fastapi import APIRouter

from seatrial.domain.answers import ModelList, ProviderList
from seatrial.server.auth import Caller
from seatrial.server.deps import Deps
from seatrial.server.problems import documented
from seatrial.services import list_providers as listing

router = APIRouter(prefix="/providers", tags=["providers"])


@router.get("", summary="What models can be had from", responses=documented(401))
async def list_providers(deps: Deps, _: Caller) -> ProviderList:
    """Every configured provider, asked now: reachable, or why not."""
    return ProviderList(providers=tuple(await listing.list_providers(deps.providers)))


@router.get("/{name}/models", summary="A provider's models", responses=documented(401, 404, 422))
async def list_models(name: str, deps: Deps, _: Caller) -> ModelList:
    """The names of its models; none when it cannot be reached."""
    return ModelList(models=tuple(await listing.list_models(deps.providers, name)))
