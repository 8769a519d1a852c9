"""Stored credentials: written, listed and removed, never read back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body

from seatrial.domain.answers import CredentialList, Resealed
from seatrial.domain.credentials import Credential, CredentialInfo
from seatrial.server.auth import Caller, require_local
from seatrial.server.deps import Deps
from seatrial.server.examples import CREDENTIALS
from seatrial.server.problems import documented
from seatrial.services import credentials

router = APIRouter(prefix="/credentials", tags=["credentials"])


@router.get("", summary="List your credentials", responses=documented(401))
async def list_credentials(deps: Deps, caller: Caller) -> CredentialList:
    """Your credentials by name. No answer holds any part of a secret."""
    found = await credentials.list_credentials(deps.store, caller.id)
    return CredentialList(credentials=tuple(found))


@router.post(
    "/rotate",
    summary="Seal all credentials to a new key",
    responses=documented(401, 403, 404, 409, 503),
)
async def rotate_credentials(deps: Deps, caller: Caller) -> Resealed:
    """Make a new key, seal everybody's credentials to it, forget the old one.

    Only this machine's own user may; 404 where the workers are elsewhere.
    """
    require_local(caller)
    return Resealed(resealed=await credentials.rotate_key(deps.key_rotation))


@router.get("/{name}", summary="Read about a credential", responses=documented(401, 404, 422))
async def read_credential(name: str, deps: Deps, caller: Caller) -> CredentialInfo:
    """Its provider, address and times. The secret is never read back."""
    return await credentials.read_credential(deps.store, caller.id, name)


@router.put(
    "/{name}",
    summary="Store a credential",
    responses=documented(401, 409, 413, 422, 503),
)
async def set_credential(
    name: str,
    credential: Annotated[Credential, Body(openapi_examples=CREDENTIALS)],
    deps: Deps,
    caller: Caller,
) -> CredentialInfo:
    """Seal it so that only the gateway can open it, and store it; one of that name is replaced."""
    return await credentials.set_credential(deps.store, caller.id, name, credential)


@router.delete(
    "/{name}", status_code=204, summary="Remove a credential", responses=documented(401, 404, 422)
)
async def delete_credential(name: str, deps: Deps, caller: Caller) -> None:
    """Remove it. Tests that run go on with it; those that wait fail without it."""
    await credentials.delete_credential(deps.store, caller.id, name)
