"""What to do about a provider's error, from what it said. Pure; for preflight and agents' calls."""

from __future__ import annotations

import re

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,200}", re.ASCII)
"""What may stand in a command that somebody pastes into a shell."""

_NOT_AUTHORIZED = re.compile(
    r"not authorized to perform:? ([a-z-]{1,40}:[A-Za-z*]{1,80})(?: on resource:? (\S{1,500}))?"
)
_MARKETPLACE = re.compile(r"aws-marketplace:[A-Za-z]{1,60}")
_ASSUME = "sts:AssumeRole"

_ADDRESSES = {"openai": "OPENAI_BASE_URL", "anthropic": "ANTHROPIC_BASE_URL"}
_KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}


def in_command(name: str) -> str:
    """A foreign name as it can be part of a command; any other is quoted, to be read only."""
    fits = re.fullmatch(r"[A-Za-z0-9._/@+-]{1,200}", name, re.ASCII)
    return name if fits else repr(name[:200])


def advice(provider: str, model: str, code: str, said: str) -> str:
    """What to do about a `model.*` failure; empty where the catalogue's own text says it.

    `model` and `said` are foreign: they are shown and matched, nothing more.
    """
    if code == "model.access_denied" and provider == "bedrock":
        return _of_denied(model, said)
    if code == "model.auth_failed":
        return _of_credential(provider, said)
    if code == "model.not_found":
        return _of_missing(provider, model)
    if code == "model.unreachable":
        return _of_unreachable(provider)
    if code == "model.bad_request" and "on-demand throughput" in said:
        return f"Name an inference profile of it, such as bedrock:us.{model}, and test again."
    return ""


def _of_denied(model: str, said: str) -> str:
    """Bedrock denies for three reasons: a policy, a subscription, or no access to the model."""
    market = tuple(dict.fromkeys(_MARKETPLACE.findall(said)))
    if market:
        return f"Allow {' and '.join(market)} for the AWS identity that calls {model}, once."
    found = _NOT_AUTHORIZED.search(said)
    if found is None:
        return (
            f"Open access to {model} in the Bedrock console (Model access) of the region, "
            "or choose another model."
        )
    action, on = found[1], f" on {found[2]}" if found[2] else ""
    if action == _ASSUME:
        return (
            f"Allow {_ASSUME}{on} for the calling identity, and let the role's trust policy name "
            "it, with the external id if the policy asks for one."
        )
    if "explicit deny" in said:
        return f"A policy denies {action}{on} explicitly: whoever set it must lift it."
    return f"Allow {action}{on} in the IAM policy of the calling identity, then test again."


def _of_credential(provider: str, said: str) -> str:
    if provider == "bedrock":
        if "Signature expired" in said or "Signature not yet current" in said:
            return "Set the clock of the worker's machine: AWS refuses signatures of another time."
        return (
            "Store the AWS keys again with `seatrial credentials set`, or renew those that the "
            "worker has, then test again."
        )
    variable = _KEYS.get(provider)
    if variable is None:
        return ""
    return (
        f"Store the key again with `seatrial credentials set default --provider {provider} "
        f"--prompt`, or correct {variable} for the worker, then test again."
    )


def _of_missing(provider: str, model: str) -> str:
    if not SAFE_NAME.fullmatch(model):
        return ""
    if provider == "ollama":
        return f"Run `ollama pull {model}`, then test again."
    if provider == "bedrock":
        return (
            "Name a model or an inference profile of the region: `aws bedrock "
            "list-foundation-models` and `aws bedrock list-inference-profiles` list them."
        )
    return ""


def _of_unreachable(provider: str) -> str:
    if provider == "ollama":
        return "Start it with `ollama serve`, or set OLLAMA_HOST to where it runs."
    if provider == "bedrock":
        return "Let the worker reach Bedrock's runtime in that region, or name another region."
    variable = _ADDRESSES.get(provider)
    if variable is None:
        return ""
    return (
        f"Start the service, or correct its address: base_url of the credential, or {variable} "
        "for the worker."
    )
