"""Answers of the API that are neither a test nor one of its events."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from .credentials import CredentialInfo
from .errors import FieldProblem
from .ports import EnvironmentInfo, ProviderState, TokenInfo
from .requests import LimitRange


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class ValidationReport(_Answer):
    """What a check of a request found. Problems are answered as an error, so here are none."""

    problems: tuple[FieldProblem, ...] = ()
    unchecked: tuple[str, ...] = Field(
        default=(),
        description="Files whose syntax could not be checked in time; running them shows it.",
    )


class ProviderList(_Answer):
    """Every provider that is configured, asked just now."""

    providers: tuple[ProviderState, ...]


class ModelList(_Answer):
    """The models of one provider, by their names there; `reason` says why there may be none."""

    models: tuple[str, ...]
    reason: str = ""


class LimitList(_Answer):
    """What a test may use here, by the names of a request; the timeout is one of them.

    `per_user` is what one user may have concurrently or in all, by the names of the settings.
    """

    limits: Mapping[str, LimitRange]
    per_user: Mapping[str, int] = {}


class EnvironmentList(_Answer):
    """The environments that are kept, most recently used first."""

    environments: tuple[EnvironmentInfo, ...]


class Removed(_Answer):
    """How many tests were removed."""

    removed: int


class Freed(_Answer):
    """How many bytes were given back."""

    freed_bytes: int


class CredentialList(_Answer):
    """Your credentials by name, without their secrets."""

    credentials: tuple[CredentialInfo, ...]


class Resealed(_Answer):
    """How many credentials were sealed to the new key."""

    resealed: int


class Session(_Answer):
    """Who the caller is to this server. `local`: this machine's own user."""

    user: str
    local: bool
    version: str


class NewToken(_Answer):
    """A fresh API token. It is shown this once: only its hash is kept."""

    user: str
    label: str
    token: str = Field(repr=False)


class TokenList(_Answer):
    """API tokens by user, label and age, without the tokens themselves."""

    tokens: tuple[TokenInfo, ...]


class WebhookSecret(_Answer):
    """What a user's webhooks are signed with: `whsec_` and base64."""

    secret: str = Field(repr=False)


class Health(_Answer):
    """The server is up."""

    status: str = "ok"
    version: str


class Readiness(_Answer):
    """The server can take tests. `slots` counts what live workers offer; with 0, tests wait."""

    status: str = "ready"
    slots: int
    queued: int | None = None
    running: int | None = None
