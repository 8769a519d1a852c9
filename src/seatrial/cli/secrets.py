"""Reads secrets from where other users of the machine cannot see them."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from seatrial.domain.credentials import SECRET_FIELDS, TOOL_SECRET, Credential
from seatrial.domain.errors import FieldProblem, InvalidRequest

_MAX_INPUT = 65_536
_OPTIONAL = frozenset({("bedrock", "session_token"), ("ollama", "api_key")})


@dataclass(frozen=True)
class Source:
    """Where the secrets come from: exactly one of these."""

    variables: tuple[str, ...] = ()
    stdin: bool = False
    prompt: bool = False

    @property
    def count(self) -> int:
        """How many ways were asked for."""
        return bool(self.variables) + self.stdin + self.prompt


def read_credential(provider: str, source: Source, given: Mapping[str, str | None]) -> Credential:
    """The credential of what was typed and where the secrets are. InvalidRequest."""
    fields = next((names for kind, names in SECRET_FIELDS.items() if kind == provider), None)
    if fields is None:
        known = ", ".join(SECRET_FIELDS)
        raise _invalid("--provider", f"There is no such provider; there are {known}.")
    needs_none = provider == "ollama" or (provider == "bedrock" and given.get("role_arn"))
    if source.count > 1 or (source.count == 0 and not needs_none):
        message = "Say where the secret is: --from-env VAR, --stdin or --prompt, one of them."
        raise _invalid("--from-env", message)
    values = _values(provider, fields, source)
    if len(values) > len(fields):
        raise _invalid("--from-env", f"A credential for {provider} has {len(fields)} secrets.")
    named = dict(zip(fields, values, strict=False))
    try:
        return Credential.model_validate({"provider": provider, **named, **_present(given)})
    except ValidationError:
        raise _invalid("--provider", "These options make no credential.") from None


def _values(provider: str, fields: tuple[str, ...], source: Source) -> list[str]:
    if source.variables:
        return [_of_variable(name) for name in source.variables]
    if source.stdin and provider == TOOL_SECRET:
        # One value, which may have several lines, such as a private key.
        return [value] if (value := sys.stdin.read(_MAX_INPUT).strip("\r\n")) else []
    if source.stdin:
        lines = [line.strip() for line in sys.stdin.read(_MAX_INPUT).splitlines()]
        return [line for line in lines if line]
    if source.prompt:
        asked = [getpass.getpass(_question(provider, field)) for field in fields]
        return [answer.strip() for answer in asked if answer.strip()]
    return []


def _of_variable(name: str) -> str:
    """The variable's value, taken out: no process that is started from here shall have it."""
    value = os.environ.pop(name, "").strip()
    if not value:
        raise _invalid("--from-env", f"The variable {name} is not set.")
    return value


def _question(provider: str, field: str) -> str:
    optional = " (may be empty)" if (provider, field) in _OPTIONAL else ""
    return f"{field.replace('_', ' ').capitalize()}{optional}: "


def _present(given: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in given.items() if value is not None}


def _invalid(option: str, message: str) -> InvalidRequest:
    return InvalidRequest((FieldProblem(option, message),))
