"""The rules of the variables that an agent gets: plain ones, and those of stored secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sized

from seatrial.domain.errors import FieldProblem
from seatrial.harness.sdk_env import sdk_environment

from .credentials import NAME as CREDENTIAL_NAME
from .paths import printable
from .texts import is_utf8

MAX_VARIABLES = 64
MAX_SECRETS = 16
MAX_VALUE_BYTES = 32 * 1024
MAX_TOTAL_BYTES = 128 * 1024

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_CREDENTIALS = frozenset(
    ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
)
_PROCESS = frozenset(("HOME", "PATH", "TMPDIR", "IFS", "ENV", "BASH_ENV", "SHELLOPTS"))
_PREFIXES = ("SEATRIAL", "LD_", "PYTHON", "MALLOC_", "GLIBC_")
"""Of the container's own, and what changes how the agent's process itself is started."""

_MAY_CHANGE = re.compile(
    r".*(TELEMETRY|TRACING|TRACKING|DO_NOT_TRACK|OTEL_|COST_MAP).*|(GOOGLE|GEMINI)_API_KEY"
)
"""Switches that only keep clients from calling home, which an agent with egress may want on, and
keys that no provider of the gateway is for.
"""

_RESERVED = frozenset(n for n in sdk_environment() if not _MAY_CHANGE.fullmatch(n)) | _PROCESS


def env_problems(env: Mapping[str, str], secrets: Mapping[str, str]) -> Iterator[FieldProblem]:
    """Names are variables' names that are free, values are texts, all of it of a sensible size."""
    if len(env) > MAX_VARIABLES:
        yield _too_many("env", env, MAX_VARIABLES)
        return
    for name, value in env.items():
        field = f"env.{printable(name)}"
        yield from _name_problems(field, name)
        if name in secrets:
            message = "It is among the secrets too; leave one of them out."
            yield FieldProblem(field, message, "given_twice")
        if not is_utf8(value):
            yield FieldProblem(field, "The value is not valid UTF-8 text.", "not_utf8")
        elif "\0" in value:
            yield FieldProblem(field, "The value holds a null character.", "control_character")
        elif len(value.encode()) > MAX_VALUE_BYTES:
            message = f"The value has more than {MAX_VALUE_BYTES // 1024} KiB."
            yield FieldProblem(field, message, "too_long")
    if sum(map(len, env.values())) > MAX_TOTAL_BYTES:
        message = f"All values together have more than {MAX_TOTAL_BYTES // 1024} KiB."
        yield FieldProblem("env", message, "too_long")


def secret_problems(secrets: Mapping[str, str]) -> Iterator[FieldProblem]:
    """Names are variables' names that are free, values are names of credentials."""
    if len(secrets) > MAX_SECRETS:
        yield _too_many("secrets", secrets, MAX_SECRETS)
        return
    for name, credential in secrets.items():
        field = f"secrets.{printable(name)}"
        yield from _name_problems(field, name)
        if not CREDENTIAL_NAME.fullmatch(credential):
            message = "The value is the name of a stored credential, never the secret itself."
            yield FieldProblem(field, message, "invalid")


def _too_many(field: str, given: Sized, most: int) -> FieldProblem:
    return FieldProblem(field, f"There are {len(given)}; the limit is {most}.", "too_many")


def _name_problems(field: str, name: str) -> Iterator[FieldProblem]:
    if not _NAME.fullmatch(name):
        message = "A variable's name has 1 to 128 letters, digits and underscores, no digit first."
        yield FieldProblem(field, message, "invalid")
    elif name in _CREDENTIALS:
        message = "Store this as a credential of its provider: the gateway puts it on every call."
        yield FieldProblem(field, message, "reserved")
    elif name in _RESERVED or name.upper().startswith(_PREFIXES):
        message = "This variable is reserved: Seatrial or the container sets it."
        yield FieldProblem(field, message, "reserved")
