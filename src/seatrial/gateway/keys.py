"""Provider keys. This is the only file of Seatrial that reads one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

_VARIABLES = {"openai": ("SEATRIAL_OPENAI_API_KEY", "OPENAI_API_KEY")}


def provider_key(provider: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """The operator's key for a provider, None when there is none."""
    for name in variables(provider):
        value = environ.get(name, "").strip()
        if value:
            return value
    return None


def variables(provider: str) -> tuple[str, ...]:
    """The environment variables that a provider's key is taken from, in order."""
    return _VARIABLES.get(provider, ())


def secrets(base_url: str, key: str | None) -> tuple[str, ...]:
    """Every secret of an upstream: its key, and a password written into its URL."""
    password = urlsplit(base_url).password
    given = (key, password, unquote(password) if password else None)
    return tuple(dict.fromkeys(value for value in given if value))
