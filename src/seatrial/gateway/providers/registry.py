"""Every provider, one line each. The name is the path prefix inside the container."""

from __future__ import annotations

from collections.abc import Mapping

from . import anthropic, bedrock, ollama, openai
from .base import Provider

PROVIDERS: Mapping[str, Provider] = {
    "ollama": ollama.PROVIDER,
    "openai": openai.PROVIDER,
    "anthropic": anthropic.PROVIDER,
    "bedrock": bedrock.PROVIDER,
}
"""By name."""

WITHOUT_PREFIX = "ollama"
"""The provider of a path without a known prefix: code that has Ollama's own port written in."""


def split_prefix(path: str) -> tuple[Provider, str]:
    """The provider that a raw path names, and the path without that name.

    >>> split_prefix("/openai/v1/models")[1]
    '/v1/models'
    """
    name, slash, rest = path.removeprefix("/").partition("/")
    if name in PROVIDERS:
        return PROVIDERS[name], slash + rest or "/"
    return PROVIDERS[WITHOUT_PREFIX], path
