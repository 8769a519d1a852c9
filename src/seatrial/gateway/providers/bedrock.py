"""AWS Bedrock's runtime: Converse and InvokeModel, each whole and as an event stream.

The model stands in the path, as `:`, `%3A` or, in ARNs, with `%2F`. It is unescaped once to be
compared and sent on as it was. What acts on the account (guardrails, batch jobs) is not offered.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import unquote

from seatrial.domain.allowances import STORED_OBJECTS
from seatrial.gateway import sigv4
from seatrial.gateway.reach.shapes import needs
from seatrial.gateway.reach.wire import Wire
from seatrial.harness.sdk_env import AWS_ACCESS_KEY, PLACEHOLDER

from .base import Facts, JsonObject, Operation, Provider, Reading, nested, parse_object, tokens
from .bodies import bedrock as bodies

_PATH = re.compile(
    r"/model/([^/]+)/(converse|converse-stream|invoke|invoke-with-response-stream|count-tokens)"
)
_ENDS_WITH = "messageStop"
_NOVA_GOES_ON = {"messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop"}
_REASONS = ("completionReason", "stop_reason")

_ERRORS = {
    "throttlingexception": "model.rate_limited",
    "serviceunavailableexception": "model.rate_limited",
    "modelnotreadyexception": "model.rate_limited",
    "servicequotaexceededexception": "model.quota",
    "accessdeniedexception": "model.access_denied",
    "unrecognizedclientexception": "model.auth_failed",
    "invalidsignatureexception": "model.auth_failed",
    "expiredtokenexception": "model.auth_failed",
    "missingauthenticationtokenexception": "model.auth_failed",
    "resourcenotfoundexception": "model.not_found",
    "validationexception": "model.bad_request",
    "modelerrorexception": "model.server_error",
    "modelstreamerrorexception": "model.server_error",
    "modeltimeoutexception": "model.server_error",
    "internalserverexception": "model.server_error",
}
_NO_SUCH_MODEL = b"model identifier is invalid"
_TYPES = {400: "ValidationException", 403: "AccessDeniedException", 413: "ValidationException"}


def read_converse(value: JsonObject) -> Reading:
    """Read Converse's whole answer or one event of ConverseStream."""
    if "exception" in value:
        return _exception(value)
    usage = nested(value, "usage") or nested(nested(value, "metadata"), "usage")
    return Reading(
        input_tokens=tokens(usage, "inputTokens"),
        output_tokens=tokens(usage, "outputTokens"),
        complete=_ENDS_WITH in value,
    )


def read_invoke(value: JsonObject) -> Reading:
    """Read what a model answered in its own format, whole or in one event of a stream."""
    if "exception" in value:
        return _exception(value)
    chunk = nested(value, "chunk")
    if not chunk:
        return _own_format(value)
    try:
        inner = parse_object(base64.b64decode(str(chunk.get("bytes", ""))))
    except (binascii.Error, ValueError):
        inner = None
    return _own_format(inner or {})


def _own_format(value: JsonObject) -> Reading:
    """Usage as Bedrock's own metrics, Anthropic, Nova, Titan and Llama write it.

    Anthropic's and Nova's streams say where they end; Titan's and Llama's have a reason to stop in
    their last event only. The others end where HTTP does.
    """
    metrics = nested(value, "amazon-bedrock-invocationMetrics")
    usage = nested(value, "usage") or nested(nested(value, "message"), "usage")
    usage = usage or nested(nested(value, "metadata"), "usage")
    own = {**value, **usage, **metrics}
    return Reading(
        input_tokens=tokens(
            own,
            "inputTokenCount",
            "input_tokens",
            "inputTokens",
            "prompt_tokens",
            "inputTextTokenCount",
            "prompt_token_count",
        ),
        output_tokens=tokens(
            {**_first_result(value), **own},
            "outputTokenCount",
            "output_tokens",
            "outputTokens",
            "completion_tokens",
            "generation_token_count",
            "tokenCount",
        ),
        complete=value.get("type") in {None, "message", "message_stop"}
        and not _NOVA_GOES_ON & value.keys()
        and not any(name in value and value[name] is None for name in _REASONS),
    )


def _first_result(value: JsonObject) -> JsonObject:
    results = value.get("results")
    first = cast("list[Any]", results)[:1] if isinstance(results, list) else []
    return cast("JsonObject", first[0]) if first and isinstance(first[0], dict) else {}


def read_nothing(value: JsonObject) -> Reading:
    """An answer without usage."""
    return Reading()


def _exception(value: JsonObject) -> Reading:
    told = nested(value, "exception")
    kind, message = str(told.get("type", "")), str(told.get("message", ""))
    return Reading(error=f"{kind}: {message}", error_code=_ERRORS.get(kind.lower()))


def find(method: str, path: str) -> Operation | None:
    """See Provider.find."""
    match = _PATH.fullmatch(path)
    if method != "POST" or match is None:
        return None
    model, name = unquote(match[1]), match[2]
    body = bodies.BODIES[name]
    if name == "count-tokens":
        return Operation(name, path, read_nothing, counted=False, path_model=model, body=body)
    read = read_converse if name.startswith("converse") else read_invoke
    return Operation(name, path, read, path_model=model, body=body)


def canonical(model: str) -> str:
    """Names are taken as they are: a profile is another thing than the model behind it."""
    return model


def key_headers(key: str) -> Mapping[str, str]:
    """A Bedrock API key; signatures are made from the upstream's credential instead."""
    return {"Authorization": f"Bearer {key}"}


def error_body(path: str, message: str, code: str) -> JsonObject:
    """The text of the exception; its name stands in a header."""
    return {"message": message}


def error_headers(status: int) -> Mapping[str, str]:
    """The exception that AWS's SDKs raise."""
    return {"x-amzn-ErrorType": _TYPES.get(status, "ServiceUnavailableException")}


def keep_models(listing: JsonObject, allowed: Callable[[str], bool]) -> JsonObject:
    """The runtime lists no models."""
    return listing


def of_answer(facts: Facts) -> str | None:
    """See Provider.of_answer: the exception's name says more than the status."""
    kind = facts.headers.get("x-amzn-ErrorType", "").partition(":")[0].lower()
    if not kind:
        body = parse_object(facts.head) or {}
        kind = str(body.get("__type", "")).rpartition("#")[2].lower()
    if kind == "validationexception" and _NO_SUCH_MODEL in facts.head:
        return "model.not_found"
    return _ERRORS.get(kind)


def read_headers(headers: Mapping[str, str]) -> Reading:
    """The token counts that InvokeModel's answers carry beside the body."""

    def count(name: str) -> int | None:
        value = headers.get(f"x-amzn-bedrock-{name}-token-count", "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else None

    return Reading(input_tokens=count("input"), output_tokens=count("output"))


def check_agent(sent: sigv4.Sent) -> str | None:
    """Why a call is not one of the container's keys; None when it is.

    Anything else would be an agent's own credential, which must not look as if it were used.
    """
    claim = sigv4.claimed(sent.headers.get("Authorization", ""))
    if claim is None:
        return (
            "The call is not signed with AWS keys (Signature Version 4). "
            "Let the SDK take its keys from the environment."
        )
    if claim.access_key != AWS_ACCESS_KEY:
        return (
            "The call is signed with AWS keys of the agent's own. Let the SDK take its keys "
            "from the environment; Seatrial signs with the real ones."
        )
    if not sigv4.matches(sent, claim, PLACEHOLDER):
        return "The call's signature does not match the call."
    return None


PROVIDER = Provider(
    name="bedrock",
    find=find,
    canonical=canonical,
    key_headers=key_headers,
    error_body=error_body,
    keep_models=keep_models,
    error_headers=error_headers,
    of_answer=of_answer,
    read_headers=read_headers,
    check_agent=check_agent,
    wire=Wire(
        {
            f"x-amzn-bedrock-{name}": needs(STORED_OBJECTS, "uses a guardrail of the account")
            for name in ("guardrailidentifier", "guardrailversion")
        }
    ),
)
"""AWS Bedrock."""
