"""List the providers of models, and the models of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seatrial.domain.credential_ports import Credentials
from seatrial.domain.credentials import TOOL_SECRET
from seatrial.domain.errors import NotFound
from seatrial.domain.ports import Providers, ProviderState

from .credentials import read_credential
from .pull_model import PULLING

_SEALED = (
    "Only a worker can open stored credentials, and this server has none in its process: type "
    "the name of a model."
)


_AWAY = "It cannot be used now; the operator can see why."


async def list_providers(
    providers: Providers | None, *, can_pull: bool = False
) -> Sequence[ProviderState]:
    """Every provider that is configured, asked now; none where only workers elsewhere have any.

    `can_pull`: whether the caller may have models pulled, where a provider does that.
    """
    states = await providers.states() if providers else ()
    return [replace(one, can_pull=can_pull and one.name == PULLING) for one in states]


def without_address(state: ProviderState) -> ProviderState:
    """The provider as users see it who are not the operator: not where it is."""
    reason = "" if state.reachable else _AWAY
    return replace(state, base_url="", reason=reason)


async def list_models(providers: Providers | None, name: str) -> ProviderState:
    """That provider with its models. NotFound when it is not configured here."""
    for state in await list_providers(providers):
        if state.name == name:
            return state
    raise NotFound("No provider of that name is configured here.")


async def list_stored_models(
    credentials: Credentials, providers: Providers | None, owner: str, name: str, credential: str
) -> ProviderState:
    """The provider as the owner's stored credential finds it, with its models.

    NotFound for a credential that is not there or is another provider's.
    """
    info = await read_credential(credentials, owner, credential)
    if info.provider != name or name == TOOL_SECRET:
        raise NotFound(f"Your credential {info.name!r} is for {info.provider}: it lists no models.")
    if providers is None:
        return ProviderState(name, reachable=False, reason=_SEALED)
    return await providers.listed(owner, name, info.name)
