"""API tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from seatrial.domain.answers import NewToken, TokenList
from seatrial.server.auth import Caller, require_local
from seatrial.server.deps import Deps
from seatrial.server.problems import documented
from seatrial.services import users

router = APIRouter(prefix="/tokens", tags=["session"])


class TokenRequest(BaseModel):
    """A token that is wanted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str = Field(description="What to call it, for revoking it.")
    user: str | None = Field(
        default=None,
        description="Whose it shall be, made if new; only this machine's own user may name one.",
    )


@router.get("", summary="List API tokens", responses=documented(401, 403, 404, 422))
async def list_tokens(
    deps: Deps,
    caller: Caller,
    user: Annotated[
        str | None,
        Query(description="Whose, when not yours; only this machine's own user may name one."),
    ] = None,
    everyone: Annotated[
        bool, Query(description="Every user's; only this machine's own user may ask for them.")
    ] = False,
) -> TokenList:
    """Your tokens with label, creation, last use and the token through which each was made."""
    if everyone or user not in {None, caller.user.name}:
        require_local(caller)
    if everyone:
        return TokenList(tokens=tuple(await users.list_tokens(deps.store)))
    if user is None or user == caller.user.name:
        return TokenList(tokens=tuple(await users.list_tokens(deps.store, caller.id)))
    return TokenList(tokens=tuple(await users.list_tokens_of(deps.store, user)))


@router.post(
    "", status_code=201, summary="Make an API token", responses=documented(401, 403, 409, 422)
)
async def create_token(wanted: TokenRequest, deps: Deps, caller: Caller) -> NewToken:
    """A new token, shown this once. It ends with the token that the request came with."""
    if wanted.user is not None and wanted.user != caller.user.name:
        require_local(caller)
    name = wanted.user or caller.user.name
    user, token = await users.create_token(
        deps.store,
        name,
        wanted.label,
        parent=caller.token_hash,
        most=deps.settings.max_tokens_per_user,
    )
    return NewToken(user=user.name, label=wanted.label, token=token)


@router.delete(
    "/{label:path}",
    status_code=204,
    summary="Revoke a token",
    responses=documented(401, 403, 404, 422),
)
async def revoke_token(
    label: str,
    deps: Deps,
    caller: Caller,
    user: Annotated[
        str | None,
        Query(description="Whose, when not yours; only this machine's own user may name one."),
    ] = None,
) -> None:
    """Revoke your tokens of that label, or those of the user who is named.

    Tokens that were made through them end with them.
    """
    if user is None or user == caller.user.name:
        await users.revoke_token(deps.store, caller.id, label)
        return
    require_local(caller)
    await users.revoke_token_of(deps.store, user, label)
