"""Which model services can be used here, and which models they list."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from seatrial.domain.aws import AwsKeys
from seatrial.domain.errors import FailureError
from seatrial.domain.ports import ProviderState
from seatrial.domain.requests import TEST_MODEL

from .asking import NoAnswer, ask
from .keys import Keys
from .places import Places
from .providers import anthropic, ollama
from .providers.base import parse_object
from .relay import without_secrets

ASK_SECONDS = 2.0
"""How long a provider may take to list its models."""

TEST_MODEL_NAME = "smollm2:135m"


class Listing:
    """Asks the services of one set of keys."""

    def __init__(
        self,
        places: Places,
        keys: Keys,
        testmodel_url: Callable[[], Awaitable[str | None]] | None,
    ) -> None:
        """Without `testmodel_url` the built-in test model is not offered."""
        self._places = places
        self._keys = keys
        self._testmodel_url = testmodel_url

    async def states(self) -> Sequence[ProviderState]:
        """See Providers. Asked concurrently; Ollama, OpenAI, Anthropic, Bedrock, test model."""
        asked: list[Awaitable[ProviderState]] = [self.ollama()]
        if self._places.names_openai or await self._keys.key("openai"):
            asked.append(self._openai())
        if await self._keys.key("anthropic"):
            asked.append(self._anthropic())
        asked += await self._of_bedrock()
        if self._testmodel_url is not None:
            asked.append(self._test_model(self._testmodel_url))
        return await asyncio.gather(*asked)

    async def of(self, provider: str) -> ProviderState | None:
        """The state of one, whether or not it is configured; None when it lists no models."""
        ask = {"ollama": self.ollama, "openai": self._openai, "anthropic": self._anthropic}
        return await ask[provider]() if provider in ask else None

    async def ollama(self) -> ProviderState:
        """What Ollama has."""
        key = await self._keys.key("ollama")
        sent: Mapping[str, str] = ollama.key_headers(key) if key else {}
        return await self._state("ollama", self._places.ollama, "/api/tags", _ollama_models, sent)

    async def _openai(self) -> ProviderState:
        key = await self._keys.key("openai")
        sent = {"Authorization": f"Bearer {key}"} if key else {}
        return await self._state("openai", self._places.openai, "/models", _openai_models, sent)

    async def _anthropic(self) -> ProviderState:
        key = await self._keys.key("anthropic")
        sent = {**anthropic.key_headers(key or ""), "anthropic-version": anthropic.VERSION}
        place = self._places.anthropic
        return await self._state("anthropic", place, "/v1/models", _openai_models, sent)

    async def _of_bedrock(self) -> list[Awaitable[ProviderState]]:
        """Its state where AWS keys are found, or where finding them failed."""
        try:
            credential = await self._keys.aws()
        except FailureError as error:
            return [_given(ProviderState("bedrock", False, reason=error.failure.message))]
        return [] if credential is None else [_given(self._bedrock(credential))]

    def _bedrock(self, credential: AwsKeys) -> ProviderState:
        """The runtime has nothing that could be asked at no cost, so having keys must do."""
        url = without_secrets(self._places.bedrock(credential.region))
        return ProviderState("bedrock", reachable=True, base_url=url)

    async def _test_model(self, start: Callable[[], Awaitable[str | None]]) -> ProviderState:
        try:
            # Shielded: giving up on the answer must not stop the model from starting.
            url = await asyncio.wait_for(
                asyncio.shield(asyncio.ensure_future(start())), ASK_SECONDS
            )
        except TimeoutError:
            return ProviderState(TEST_MODEL, reachable=False, reason="it is still starting")
        if url is None:
            return ProviderState(TEST_MODEL, reachable=False, reason="it is not installed")
        return ProviderState(TEST_MODEL, reachable=True, base_url=url, models=(TEST_MODEL_NAME,))

    async def _state(
        self,
        name: str,
        base_url: str,
        path: str,
        models: Callable[[Mapping[str, Any]], tuple[str, ...]],
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> ProviderState:
        """The state of a provider by its list of models. A list that cannot be read is empty."""
        shown = without_secrets(base_url)
        private = self._places.may_be_private(name)
        try:
            answer = await ask(
                base_url, path, headers=headers, seconds=ASK_SECONDS, may_be_private=private
            )
        except NoAnswer as error:
            return ProviderState(name, reachable=False, reason=str(error), base_url=shown)
        reason = _trouble(answer.status)
        if reason:
            return ProviderState(name, reachable=False, reason=reason, base_url=shown)
        listing = parse_object(answer.body) if answer.status == 200 else None
        return ProviderState(
            name, reachable=True, base_url=shown, models=models(listing) if listing else ()
        )


async def _given(state: ProviderState) -> ProviderState:
    """A state that needs no asking."""
    return state


def _trouble(status: int) -> str:
    """Why a service that answered so cannot be used."""
    if status in {401, 403}:
        return "the key was refused"
    return f"it answered {status}" if status >= 500 else ""


def _ollama_models(listing: Mapping[str, Any]) -> tuple[str, ...]:
    return names(listing.get("models"), "name")


def _openai_models(listing: Mapping[str, Any]) -> tuple[str, ...]:
    return names(listing.get("data"), "id")


def names(items: Any, field: str) -> tuple[str, ...]:
    """What the objects of a list have in that field, as far as it is text."""
    entries = cast("list[Any]", items) if isinstance(items, list) else []
    found = [cast("Mapping[str, Any]", e).get(field) for e in entries if isinstance(e, dict)]
    return tuple(name for name in found if isinstance(name, str))
