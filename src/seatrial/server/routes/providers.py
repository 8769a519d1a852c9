"""Model providers."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from seatrial.domain.answers import ModelList, ProviderList
from seatrial.server.auth import Caller, Identity, is_operator
from seatrial.server.deps import Deps, ServerDeps
from seatrial.server.metrics import ServerMetrics
from seatrial.server.problems import documented
from seatrial.server.pull_stream import encode, told
from seatrial.server.sse import EventStream
from seatrial.services import list_providers as listing
from seatrial.services import pull_model as pulling

router = APIRouter(prefix="/providers", tags=["providers"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "Server-sent events: `progress` whenever it changes, whose data is a PullProgress; the "
            "last one is `done`. A pull that fails ends with the event `problem`, whose data is a "
            "Problem: `pull.unknown_model`, `pull.disk_full`, `pull.unreachable`, "
            "`pull.interrupted` or `pull.failed`, with what to do as its hint."
        ),
    }
}


class PullOrder(BaseModel):
    """Which model a provider shall pull, by its name there."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(
        max_length=300,
        description="`name[:tag]` or `namespace/name[:tag]` of Ollama's own library.",
        examples=["smollm2:135m"],
    )


@router.get("", summary="What models can be had from", responses=documented(401))
async def list_providers(deps: Deps, caller: Caller) -> ProviderList:
    """Every configured provider, asked now: reachable, or why not.

    The operator reads its address and why it is not reachable, other users do not.
    """
    found = await listing.list_providers(deps.providers, can_pull=_may_pull(deps, caller))
    if not is_operator(caller, deps):
        found = [listing.without_address(state) for state in found]
    return ProviderList(providers=tuple(found))


@router.get("/{name}/models", summary="A provider's models", responses=documented(401, 404, 422))
async def list_models(
    name: str,
    deps: Deps,
    caller: Caller,
    credential: Annotated[
        str | None,
        Query(description="Ask with this stored credential of yours, at its address."),
    ] = None,
) -> ModelList:
    """The names of its models; none when it cannot be reached, with the reason."""
    if credential is None:
        state = await listing.list_models(deps.providers, name)
        if not is_operator(caller, deps):
            state = listing.without_address(state)
    else:
        state = await listing.list_stored_models(
            deps.store, deps.providers, caller.id, name, credential
        )
    return ModelList(models=state.models, reason=state.reason)


@router.post(
    "/{name}/models",
    summary="Pull a model",
    response_model=None,
    response_class=EventStream,
    status_code=200,
    responses={**_STREAM, **documented(401, 403, 404, 422)},
)
async def pull_model(
    request: Request, name: str, order: PullOrder, deps: Deps, caller: Caller
) -> Response:
    """Have the server's own Ollama pull a model, and follow it.

    Whoever asks for a model that is being pulled follows the same pull. When the last who
    follows it goes away, it ends; asked for again, it goes on where it stopped. The operator
    decides who may (`SEATRIAL_OLLAMA_PULL`), and `can_pull` of the provider says so.
    """
    allowed = _may_pull(deps, caller)
    progress = pulling.pull_model(deps.pulls, name, order.model, allowed=allowed)
    metrics = cast("ServerMetrics", request.app.state.metrics)
    return EventStream(told(progress), encode, deps, metrics, reader=caller.id)


def _may_pull(deps: ServerDeps, caller: Identity) -> bool:
    """As the operator says; else where users have no accounts, and this machine's own user."""
    if deps.pulls is None:
        return False
    if deps.settings.ollama_pull is not None:
        return deps.settings.ollama_pull
    return caller.local or not deps.settings.has_accounts
