"""Users' credentials for model services and tools: written once, never read back by anybody.

A `Credential` exists in the clear only on its way in and in the gateway's process. What is
stored is sealed (`envelope`); what is shown is a `CredentialInfo`, which holds no part of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

CredentialProvider = Literal["openai", "anthropic", "bedrock", "ollama", "secret"]
"""What a credential can be for: a model service, or a tool of the agent (`secret`)."""

TOOL_SECRET = "secret"  # noqa: S105 - the name of a kind, no secret
"""The provider of credentials that agents get themselves, for what the gateway cannot do."""

DEFAULT_NAME = "default"
"""The credential of that name is taken where a request names none."""


class Credential(BaseModel):
    """What one account at a provider is used with. Which fields it has depends on the provider.

    `openai` and `anthropic` take `api_key` and may take `base_url`; `ollama` takes `base_url` and
    may take `api_key`, a bearer token; `bedrock` takes `region` and `access_key_id` with
    `secret_access_key`, and may take `session_token`; with `role_arn` (and `external_id`) that
    role is assumed for each test, with these keys or, without any, with the worker's own AWS
    identity; `secret` takes `value`. Shapes only: the rules are in `validation`. No error and no
    repr shows a secret.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    provider: CredentialProvider
    api_key: str | None = Field(
        default=None, repr=False, description="OpenAI, Anthropic; for Ollama a bearer token."
    )
    base_url: str | None = Field(
        default=None, description="Where the service is, when not at its usual address."
    )
    access_key_id: str | None = Field(default=None, repr=False, description="Bedrock.")
    secret_access_key: str | None = Field(default=None, repr=False, description="Bedrock.")
    session_token: str | None = Field(
        default=None, repr=False, description="Bedrock, with temporary keys."
    )
    region: str | None = Field(default=None, description="Bedrock, for example us-east-1.")
    role_arn: str | None = Field(
        default=None, description="Bedrock: a role to assume for each test."
    )
    external_id: str | None = Field(
        default=None, repr=False, description="Bedrock: what the role's trust policy asks for."
    )
    value: str | None = Field(
        default=None, repr=False, description="Of a `secret`: what the agent's tool is given."
    )


SECRET_FIELDS: dict[CredentialProvider, tuple[str, ...]] = {
    "openai": ("api_key",),
    "anthropic": ("api_key",),
    "ollama": ("api_key",),
    "bedrock": ("access_key_id", "secret_access_key", "session_token"),
    "secret": ("value",),
}
"""The fields of each provider's credential that are secret, in the order they are asked for."""


class CredentialInfo(BaseModel):
    """All that anybody may know of a stored credential: no part of any secret."""

    model_config = ConfigDict(frozen=True)

    name: str
    provider: CredentialProvider
    base_url: str | None = None
    region: str | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class SealedCredential:
    """A credential as it is stored. `sealed` is an envelope for the holder of key `key_id`."""

    owner: str
    name: str
    provider: CredentialProvider
    key_id: str
    sealed: str = field(repr=False)
    base_url: str | None = None
    region: str | None = None


@dataclass(frozen=True)
class GatewayKey:
    """A public key that credentials are sealed to: 32 bytes of X25519. `id` follows from it."""

    id: str
    public: bytes


def chosen(found: tuple[CredentialInfo, ...], provider: str) -> CredentialInfo | None:
    """The credential that a request means which names none: the default, else the only one."""
    fitting = [info for info in found if info.provider == provider]
    named = [info for info in fitting if info.name == DEFAULT_NAME]
    if named:
        return named[0]
    return fitting[0] if len(fitting) == 1 else None
