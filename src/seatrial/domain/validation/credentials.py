"""The rules of a stored credential. No message repeats a value: any of them may be secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from seatrial.domain.credentials import Credential
from seatrial.domain.errors import FieldProblem

from .base_urls import base_url_problem

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
"""A credential's name."""

_VISIBLE = re.compile(r"[!-~]{8,4096}", re.ASCII)
_TOKEN = re.compile(r"[!-~]{16,8192}", re.ASCII)
# Identity and Access Management, "IAM identifiers": 20 characters, the first four say which kind.
_ACCESS_KEY = re.compile(r"(AKIA|ASIA)[A-Z0-9]{16}", re.ASCII)
_SECRET_KEY = re.compile(r"[A-Za-z0-9/+=]{40}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]{2,12}){1,3}-[0-9]{1,2}", re.ASCII)
# AWS STS, AssumeRole, parameter ExternalId.
_EXTERNAL = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_VALUE = re.compile(r"(?=(?:[^A-Za-z0-9]*[A-Za-z0-9]){8})[ -~\t\r\n]{8,8192}", re.ASCII)
_ROLE = re.compile(r"arn:aws[a-z-]{0,20}:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)


@dataclass(frozen=True)
class _Shape:
    pattern: re.Pattern[str]
    what: str


_SHAPES = {
    "api_key": _Shape(_VISIBLE, "An API key has 8 to 4,096 visible ASCII characters."),
    "access_key_id": _Shape(
        _ACCESS_KEY, "An access key id is AKIA or ASIA and 16 capitals or digits."
    ),
    "secret_access_key": _Shape(
        _SECRET_KEY, "A secret access key has 40 letters, digits, slashes and plus signs."
    ),
    "session_token": _Shape(_TOKEN, "A session token has 16 to 8,192 visible ASCII characters."),
    "region": _Shape(_REGION, "A region is written like us-east-1."),
    "role_arn": _Shape(_ROLE, "A role is written like arn:aws:iam::123456789012:role/NAME."),
    "external_id": _Shape(
        _EXTERNAL, "An external id has 2 to 1,224 letters, digits and characters of +=,.@:/-_."
    ),
    "value": _Shape(
        _VALUE,
        "A secret has 8 to 8,192 ASCII characters, at least 8 of them letters or digits: what is "
        "shorter cannot be told apart from other text.",
    ),
}

_NEEDED = {
    "openai": ("api_key",),
    "anthropic": ("api_key",),
    "ollama": ("base_url",),
    "bedrock": ("access_key_id", "secret_access_key", "region"),
    "secret": ("value",),
}
_ALLOWED = {
    "openai": ("api_key", "base_url"),
    "anthropic": ("api_key", "base_url"),
    "ollama": ("api_key", "base_url"),
    "bedrock": (
        "access_key_id",
        "secret_access_key",
        "session_token",
        "region",
        "role_arn",
        "external_id",
    ),
    "secret": ("value",),
}


def credential_problems(name: str, credential: Credential) -> list[FieldProblem]:
    """Every rule that it breaks, in the order in which the fields are declared. Never raises."""
    return [*_name_problems(name), *_field_problems(credential), *_kind_problems(credential)]


def _name_problems(name: str) -> Iterator[FieldProblem]:
    if not NAME.fullmatch(name):
        message = "A name has 1 to 64 letters, digits, dots, dashes and underscores."
        yield FieldProblem("name", message)


def _field_problems(credential: Credential) -> Iterator[FieldProblem]:
    provider = credential.provider
    for field in Credential.model_fields:
        value: str | None = getattr(credential, field)
        if field == "provider":
            continue
        if value is None:
            if field in _needed(credential):
                message = f"A credential for {provider} needs it."
                yield FieldProblem(field, message, "missing")
        elif field not in _ALLOWED[provider]:
            message = f"A credential for {provider} does not have it."
            yield FieldProblem(field, message, "not_allowed")
        else:
            problem = _value_problem(field, value)
            if problem:
                yield FieldProblem(field, problem)


def _needed(credential: Credential) -> tuple[str, ...]:
    """The fields that it must have. A role alone is assumed with the worker's own identity."""
    keys = (credential.access_key_id, credential.secret_access_key, credential.session_token)
    if credential.provider == "bedrock" and credential.role_arn and not any(keys):
        return ("region",)
    return _NEEDED[credential.provider]


def _value_problem(field: str, value: str) -> str | None:
    if field == "base_url":
        return base_url_problem(value)
    shape = _SHAPES[field]
    return None if shape.pattern.fullmatch(value) else shape.what


def _kind_problems(credential: Credential) -> Iterator[FieldProblem]:
    """Keys that are plainly for something else."""
    key, home = credential.api_key or "", credential.base_url is None
    if _ACCESS_KEY.fullmatch(key):
        message = "This is an AWS access key id; the provider is bedrock."
        yield FieldProblem("api_key", message)
    elif credential.provider == "openai" and home and key.startswith("sk-ant-"):
        message = "This is a key of Anthropic; the provider is anthropic."
        yield FieldProblem("api_key", message)
    if credential.external_id is not None and credential.role_arn is None:
        yield FieldProblem(
            "role_arn", "An external id goes with the role that asks for it.", "missing"
        )
    temporary = (credential.access_key_id or "").startswith("ASIA")
    if credential.provider == "bedrock" and temporary and credential.session_token is None:
        message = "Keys that begin with ASIA are temporary: they need their session token."
        yield FieldProblem("session_token", message, "missing")
