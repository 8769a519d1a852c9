"""Anthropic's Messages API. The base URL ends before `/v1`.

Operations are messages, counting their tokens and the model list. Batches, files and
administration are not offered: they would act on the account, not on a model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import unquote

from seatrial.gateway.reach.wire import Wire

from .base import (
    Facts,
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
from .bodies import anthropic as bodies

VERSION = "2023-06-01"
"""Of the API, as its headers name it."""

_MODEL = ("model",)
_RATE = frozenset({"rate_limit_error", "overloaded_error"})


def read(value: JsonObject) -> Reading:
    """Read a whole message or one event of a stream.

    A stream tells its input in `message_start`, its output so far in each `message_delta` and
    its end in `message_stop`. Input read from a cache is not among the input tokens, as
    Anthropic counts.
    """
    if value.get("type") == "error":
        kind = nested(value, "error").get("type")
        code = "model.rate_limited" if kind in _RATE else None
        return Reading(error=error_text(value) or "error", error_code=code)
    usage = nested(value, "usage") or nested(nested(value, "message"), "usage")
    return Reading(
        input_tokens=tokens(usage, "input_tokens"),
        output_tokens=tokens(usage, "output_tokens"),
        complete=value.get("type") == "message_stop",
    )


def read_count(value: JsonObject) -> Reading:
    """The answer of count_tokens is no usage."""
    return Reading()


def find(method: str, path: str) -> Operation | None:
    """See Provider.find."""
    if method == "POST" and path == "/v1/messages":
        return Operation(
            "messages", path, read, model_fields=_MODEL, body=bodies.MESSAGES, ids=bodies.ids
        )
    if method == "POST" and path == "/v1/messages/count_tokens":
        return Operation(
            "count_tokens",
            path,
            read_count,
            counted=False,
            model_fields=_MODEL,
            body=bodies.MESSAGES,
        )
    if method == "GET" and path == "/v1/models":
        return Operation("models", path, read_count, counted=False, lists_models=True)
    if method == "GET" and path.startswith("/v1/models/"):
        model = unquote(path.removeprefix("/v1/models/"))
        path = model_path("/v1/models/", model)
        return Operation("models", path, read_count, counted=False, path_model=model)
    return None


def canonical(model: str) -> str:
    """Names are taken as they are: an alias may mean another model tomorrow."""
    return model


def key_headers(key: str) -> Mapping[str, str]:
    """The key as Anthropic takes it, however the agent's SDK sent its own."""
    return {"x-api-key": key}


def error_body(path: str, message: str, code: str) -> JsonObject:
    """The shape that the SDK shows; the gateway's own code stands in the header."""
    kind = "permission_error" if code.endswith("_allowed") else "invalid_request_error"
    if code == "model_unreachable":
        kind = "api_error"
    return {"type": "error", "error": {"type": kind, "message": message}}


def keep_models(listing: JsonObject, allowed: Callable[[str], bool]) -> JsonObject:
    """See Provider.keep_models; `data` holds objects with an `id`, named at both its ends."""
    cut = kept(listing, "data", ("id",), allowed)
    ids = [item["id"] for item in cut["data"]]
    ends = {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}
    return {**cut, **{name: value for name, value in ends.items() if name in listing}}


def of_answer(facts: Facts) -> str | None:
    """See Provider.of_answer: a used-up balance is a 400 here."""
    return "model.quota" if facts.status == 400 and b"credit balance" in facts.head else None


PROVIDER = Provider(
    name="anthropic",
    find=find,
    canonical=canonical,
    key_headers=key_headers,
    error_body=error_body,
    keep_models=keep_models,
    of_answer=of_answer,
    wire=Wire({"anthropic-beta": bodies.BETAS}),
)
"""Anthropic."""
