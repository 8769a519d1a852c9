"""ARNs of Bedrock's models: what a caller needs permission for to invoke one. Pure."""

from __future__ import annotations

from dataclasses import dataclass

PROFILES = ("us", "eu", "apac", "jp", "au", "ca", "us-gov", "global")
"""Beginnings of the names of Bedrock's cross-region inference profiles."""

_ANY_BEHIND = (":application-inference-profile/", ":prompt-router/", ":default-prompt-router/")
"""ARNs that do not say which model answers."""


@dataclass(frozen=True)
class Place:
    """Where the models are called: parts of their ARNs."""

    partition: str
    region: str
    account: str


def model_arns(model: str, place: Place) -> list[str]:
    """The resources that invoking the model needs.

    A cross-region profile needs itself and the foundation model in every region that it may lead
    to. A whole ARN is taken as it is; behind that of an application's own profile or of a router
    any model may stand, which the ARN does not tell.

    >>> model_arns("amazon.nova-lite-v1:0", Place("aws", "eu-west-1", "1"))
    ['arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0']
    """
    everywhere = f"arn:{place.partition}:bedrock:*::foundation-model"
    if model.startswith("arn:"):
        return [model, *_behind(model, everywhere)]
    prefix, _, base = model.partition(".")
    if prefix in PROFILES:
        account = f"arn:{place.partition}:bedrock:{place.region}:{place.account}"
        return [f"{account}:inference-profile/{model}", f"{everywhere}/{base}"]
    return [f"arn:{place.partition}:bedrock:{place.region}::foundation-model/{model}"]


def _behind(arn: str, everywhere: str) -> list[str]:
    if any(kind in arn for kind in _ANY_BEHIND):
        return [f"{everywhere}/*"]
    _, found, profile = arn.partition(":inference-profile/")
    prefix, _, base = profile.partition(".")
    return [f"{everywhere}/{base}"] if found and prefix in PROFILES else []
