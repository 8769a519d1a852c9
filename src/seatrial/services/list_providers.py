"""List the providers of models, and the models of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seatrial.domain.errors import NotFound
from seatrial.domain.ports import Providers, ProviderState

from .pull_model import PULLING


async def list_providers(
    providers: Providers | None, *, can_pull: bool = False
) -> Sequence[ProviderState]:
    """Every provider that is configured, asked now; none where only workers elsewhere have any.

    `can_pull`: whether the caller may have models pulled, where a provider does that.
    """
    states = await providers.states() if providers else ()
    return [replace(one, can_pull=can_pull and one.name == PULLING) for one in states]


async def list_models(providers: Providers | None, name: str) -> Sequence[str]:
    """The models of that provider. NotFound when it is not configured here."""
    for state in await list_providers(providers):
        if state.name == name:
            return state.models
    raise NotFound("No provider of that name is configured here.")
