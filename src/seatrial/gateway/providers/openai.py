"""OpenAI and every service that speaks its API. The base URL ends where `/chat/completions` begins.

The SDK's base URL inside the container is `<gateway>/openai/v1`; `/openai` alone works too.
Operations are the two text APIs, embeddings and the model list. Files, fine-tuning, assistants
and administration are not offered: they would act on the account, not on a model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import unquote

from .base import (
    JsonObject,
    Operation,
    Provider,
    Reading,
    error_text,
    kept,
    model_path,
    nested,
    tokens,
)
from .bodies import openai as bodies

_ERROR_CODES = {
    "rate_limit_exceeded": "model.rate_limited",
    "insufficient_quota": "model.quota",
}
_ENDINGS = ("response.completed", "response.incomplete", "response.failed")


def read(value: JsonObject) -> Reading:
    """Read a whole answer or one chunk of a stream: chat, completions, responses, embeddings."""
    response = nested(value, "response")
    usage = nested(value, "usage") or nested(response, "usage")
    return Reading(
        input_tokens=tokens(usage, "prompt_tokens", "input_tokens"),
        output_tokens=tokens(usage, "completion_tokens", "output_tokens"),
        complete=value.get("type") in _ENDINGS or _has_finish_reason(value),
        error=_error(value, response),
        error_code=_ERROR_CODES.get(_code(value) or _code(response)),
    )


def _has_finish_reason(value: JsonObject) -> bool:
    choices = value.get("choices")
    if not isinstance(choices, list):
        return False
    items = [cast("JsonObject", item) for item in cast("list[Any]", choices) if _is_object(item)]
    return any(isinstance(item.get("finish_reason"), str) for item in items)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _code(value: JsonObject) -> str:
    """The code of an error within a stream."""
    own = value.get("code") if value.get("type") == "error" else None
    code = nested(value, "error").get("code") or own
    return code if isinstance(code, str) else ""


def _error(value: JsonObject, response: JsonObject) -> str | None:
    if value.get("type") == "error" and isinstance(value.get("message"), str):
        return value["message"]
    return error_text(value) or error_text(response)


def find(method: str, path: str) -> Operation | None:
    """See Provider.find."""
    path = path.removeprefix("/v1")
    body = bodies.BODIES.get(path) if method == "POST" else None
    if body is not None:
        name = path.removeprefix("/")
        return Operation(name, path, read, model_fields=("model",), body=body, ids=bodies.ids)
    if method == "GET" and path == "/models":
        return Operation("models", path, read, counted=False, lists_models=True)
    if method == "GET" and path.startswith("/models/"):
        model = unquote(path.removeprefix("/models/"))
        path = model_path("/models/", model)
        return Operation("models", path, read, counted=False, path_model=model)
    return None


def canonical(model: str) -> str:
    """Names are taken as they are."""
    return model


def key_headers(key: str) -> Mapping[str, str]:
    """The key as a bearer token."""
    return {"Authorization": f"Bearer {key}"}


def error_body(path: str, message: str, code: str) -> JsonObject:
    """The shape that the SDK turns into its APIError."""
    error = {"message": message, "type": "seatrial_gateway", "param": None, "code": code}
    return {"error": error}


def keep_models(listing: JsonObject, allowed: Callable[[str], bool]) -> JsonObject:
    """See Provider.keep_models; `data` holds objects with an `id`."""
    return kept(listing, "data", ("id",), allowed)


PROVIDER = Provider(
    name="openai",
    find=find,
    canonical=canonical,
    key_headers=key_headers,
    error_body=error_body,
    keep_models=keep_models,
    private_headers=frozenset({"openai-organization", "openai-project"}),
)
"""OpenAI-compatible services."""
