"""Ollama: its own API under `/api` and its OpenAI-compatible one under `/v1`.

What changes the models of the machine (pull, push, create, copy, delete, blobs) is not offered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, urlsplit

from . import openai
from .base import JsonObject, Operation, Provider, Reading, error_text, kept, tokens
from .bodies import ollama as bodies

DEFAULT_ADDRESS = "http://127.0.0.1:11434"

_CALLS = frozenset({"/api/chat", "/api/generate", "/api/embed", "/api/embeddings"})
_LISTS = frozenset({"/api/tags", "/api/ps"})
_PLAIN = frozenset({"/", "/api/version"})


def read(value: JsonObject) -> Reading:
    """Read a whole answer or one line of a stream. Only the line that is `done` has counts."""
    return Reading(
        input_tokens=tokens(value, "prompt_eval_count"),
        output_tokens=tokens(value, "eval_count"),
        complete=value.get("done") is True,
        error=error_text(value),
    )


def find(method: str, path: str) -> Operation | None:
    """See Provider.find."""
    if path.startswith("/v1/"):
        return _openai(method, path)
    name = path.removeprefix("/api/").removeprefix("/")
    if method == "POST" and path in _CALLS:
        return Operation(name, path, read, model_fields=("model",), body=bodies.BODIES[path])
    if method == "POST" and path == "/api/show":
        # Ollama still takes the older field `name` here, so both are held to the list.
        fields = ("model", "name")
        return Operation(name, path, read, counted=False, model_fields=fields, body=bodies.SHOW)
    if method in {"GET", "HEAD"} and path in _LISTS:
        return Operation(name, path, read, counted=False, lists_models=True)
    if method in {"GET", "HEAD"} and path in _PLAIN:
        return Operation(name, path, read, counted=False)
    return None


def _openai(method: str, path: str) -> Operation | None:
    operation = openai.find(method, path)
    if operation is None or operation.name == "responses":
        return None
    return Operation(
        name=operation.name,
        path=f"/v1{operation.path}",
        read=openai.read,
        counted=operation.counted,
        model_fields=operation.model_fields,
        path_model=operation.path_model,
        lists_models=operation.lists_models,
        body=operation.body,
        ids=operation.ids,
    )


def canonical(model: str) -> str:
    """A name without a tag means the tag `latest`."""
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"


def key_headers(key: str) -> Mapping[str, str]:
    """The key as a bearer token, as Ollama's hosted service and its proxies take it."""
    return {"Authorization": f"Bearer {key}"}


def error_body(path: str, message: str, code: str) -> JsonObject:
    """The shape that the client turns into its ResponseError; under `/v1` that of OpenAI's."""
    if path.startswith("/v1/"):
        return openai.error_body(path, message, code)
    return {"error": message, "code": code}


def keep_models(listing: JsonObject, allowed: Callable[[str], bool]) -> JsonObject:
    """See Provider.keep_models; both the own listings and the OpenAI-compatible one."""
    if "data" in listing:
        return openai.keep_models(listing, allowed)
    return kept(listing, "models", ("name", "model"), allowed)


def address(given: str) -> str:
    """OLLAMA_HOST as a base URL, read as Ollama itself reads it.

    Without a scheme the port is 11434, with one it is the scheme's own. An address that a
    server listens on everywhere with stands for this machine.

    >>> address("0.0.0.0:4000")
    'http://127.0.0.1:4000'
    """
    given = given.strip().strip("\"'")
    if not given:
        return DEFAULT_ADDRESS
    scheme, separator, rest = given.rpartition("://")
    parts = urlsplit(f"//{_bracketed(rest)}")
    scheme = scheme or "http"
    port = _port(parts) or ({"https": 443}.get(scheme, 80) if separator else 11434)
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(  # noqa: S104 - read only
        parts.hostname or "", parts.hostname or ""
    )
    host = f"[{host}]" if ":" in host else host
    user, at, _ = parts.netloc.rpartition("@")
    return f"{scheme}://{user}{at}{host}:{port}{parts.path.rstrip('/')}"


def _port(parts: SplitResult) -> int | None:
    """The port, None when it is none: Ollama takes its default then, and so do we."""
    try:
        return parts.port
    except ValueError:
        return None


def _bracketed(rest: str) -> str:
    """A bare IPv6 address gets the brackets that a URL needs."""
    return f"[{rest}]" if rest.count(":") > 1 and not {"[", "@", "/"} & set(rest) else rest


PROVIDER = Provider(
    name="ollama",
    find=find,
    canonical=canonical,
    key_headers=key_headers,
    error_body=error_body,
    keep_models=keep_models,
)
"""Ollama and what speaks its API."""
