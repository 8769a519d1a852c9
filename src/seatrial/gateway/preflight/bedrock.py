"""Asks AWS about keys and a model of Bedrock, as far as the keys may ask.

Only the runtime must be reachable. STS and Bedrock's control plane may be closed to the worker
or forbidden to the keys: then nothing is known, and nothing fails.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from seatrial.domain.aws import AwsKeys
from seatrial.domain.errors import FailureError
from seatrial.domain.ports import Upstream
from seatrial.gateway.asking import NoAnswer, ask
from seatrial.gateway.aws import BAD_KEYS, AwsApi, AwsRefused, AwsSilent
from seatrial.gateway.places import Places

from .verdicts import SECONDS, refusal

_MISSING = frozenset({"ResourceNotFoundException", "ValidationException"})
_ARNS = {
    "foundation-model": ("get_foundation_model", "modelIdentifier"),
    "inference-profile": ("get_inference_profile", "inferenceProfileIdentifier"),
    "application-inference-profile": ("get_inference_profile", "inferenceProfileIdentifier"),
    "provisioned-model": ("get_provisioned_model_throughput", "provisionedModelId"),
    "imported-model": ("get_imported_model", "modelIdentifier"),
    "custom-model-deployment": (
        "get_custom_model_deployment",
        "customModelDeploymentIdentifier",
    ),
}
_MODEL, _PROFILE = _ARNS["foundation-model"], _ARNS["inference-profile"]
_GEOGRAPHY = re.compile(r"(us|us-gov|eu|apac|ap|au|ca|jp|sa|global)\.[a-z0-9-]+\.")
_Facts = Mapping[str, Any]


class BedrockCheck:
    """The check of one installation."""

    def __init__(self, places: Places, aws: AwsApi) -> None:
        self._places = places
        self._aws = aws

    async def check(self, upstream: Upstream, model: str) -> None:
        """FailureError when keys, runtime or model are refused. A role is assumed for it."""
        assert upstream.credential is not None
        keys = await upstream.credential.current()
        found = await asyncio.gather(
            self._identity(upstream, model, keys),
            _runtime(upstream, model),
            self._model(upstream, model, keys),
            return_exceptions=True,
        )
        for problem in found:
            if problem is not None:
                raise problem

    async def _identity(self, upstream: Upstream, model: str, keys: AwsKeys) -> None:
        """GetCallerIdentity needs no permission: what it refuses are the keys."""
        endpoint = self._places.sts
        if not self._places.may_ask(endpoint):
            return
        try:
            await self._aws.ask(
                "sts", "get_caller_identity", {}, keys, endpoint=endpoint, seconds=SECONDS
            )
        except AwsSilent:
            return
        except AwsRefused as error:
            _raise_for_keys(upstream, model, keys, error)

    async def _model(self, upstream: Upstream, model: str, keys: AwsKeys) -> None:
        if not self._places.may_ask(self._places.bedrock_control):
            return
        question = _Question(self._aws, self._places.bedrock_control, upstream, model, keys)
        await question.ask()


class _Question:
    """What is asked about one model with one set of keys."""

    def __init__(
        self, aws: AwsApi, endpoint: str | None, upstream: Upstream, model: str, keys: AwsKeys
    ) -> None:
        self._aws = aws
        self._endpoint = endpoint
        self._upstream = upstream
        self._model = model
        self._keys = keys

    async def ask(self) -> None:
        """FailureError when it is not there or the account has no access to it."""
        missing: AwsRefused | None = None
        for operation, field in _kinds(self._model):
            try:
                facts = await self._tell(operation, {field: self._model})
            except AwsRefused as error:
                missing = error
                continue
            if facts is not None:
                self._must_be_callable(facts)
                await self._must_be_open(facts)
            return
        if missing is not None:
            region = self._keys.region
            message = f"Bedrock has no model {self._model!r} in {region}."
            raise self._refused("model.not_found", message, missing.said)

    async def _tell(self, operation: str, params: Mapping[str, Any]) -> _Facts | None:
        """The answer; None when AWS does not tell. AwsRefused for what is not there."""
        try:
            return await self._aws.ask(
                "bedrock",
                operation,
                params,
                self._keys,
                endpoint=self._endpoint,
                seconds=SECONDS,
            )
        except AwsSilent:
            return None
        except AwsRefused as error:
            _raise_for_keys(self._upstream, self._model, self._keys, error)
            if error.code in _MISSING:
                raise
            return None

    def _must_be_callable(self, facts: _Facts) -> None:
        """Some models can be called through inference profiles alone."""
        details: _Facts = facts.get("modelDetails", {})
        types = details.get("inferenceTypesSupported")
        if types and "ON_DEMAND" not in types:
            message = f"{self._model} can be called only through an inference profile of it."
            said = "Invocation with on-demand throughput isn't supported."
            raise self._refused("model.bad_request", message, said)

    async def _must_be_open(self, facts: _Facts) -> None:
        base = _base_model(facts)
        if base is None:
            return
        try:
            told = await self._tell("get_foundation_model_availability", {"modelId": base})
        except AwsRefused:
            return
        # An agreement that is still to come is made by the first call: it denies nothing.
        denied = [
            f"{name}: {told[name]}"
            for name in ("authorizationStatus", "entitlementAvailability")
            if told and str(told.get(name, "")).startswith("NOT_")
        ]
        if denied:
            message = f"The AWS account has no access to {base} in {self._keys.region}."
            raise self._refused("model.access_denied", message, ", ".join(denied))

    def _refused(self, code: str, message: str, said: str) -> FailureError:
        return refusal(code, self._upstream, self._model, message, said=said, now=self._keys)


async def _runtime(upstream: Upstream, model: str) -> None:
    """Any answer of the runtime will do: it has nothing that could be asked at no cost."""
    try:
        await ask(upstream.base_url, "/", seconds=SECONDS)
    except NoAnswer as error:
        raise refusal("model.unreachable", upstream, model, str(error)) from None


def _raise_for_keys(upstream: Upstream, model: str, keys: AwsKeys, error: AwsRefused) -> None:
    if error.code in BAD_KEYS:
        message = f"AWS refused the keys ({error.code})."
        raise refusal(
            "model.auth_failed", upstream, model, message, said=error.said, now=keys
        ) from None


def _kinds(model: str) -> tuple[tuple[str, str], ...]:
    """The operations that may know it, the likelier first. A name does not say what it names."""
    if model.startswith("arn:"):
        kind = model.partition("/")[0].rpartition(":")[2]
        return (_ARNS[kind],) if kind in _ARNS else ()
    return (_PROFILE, _MODEL) if _GEOGRAPHY.match(model) else (_MODEL, _PROFILE)


def _base_model(facts: _Facts) -> str | None:
    """The foundation model of an answer about it or about a profile of it."""
    if "modelDetails" in facts:
        return str(facts["modelDetails"].get("modelId", "")) or None
    models = facts.get("models")
    arn = str(models[0].get("modelArn", "")) if models else ""
    return arn.partition("foundation-model/")[2] or None
