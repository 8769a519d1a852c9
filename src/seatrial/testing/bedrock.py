"""A scripted AWS Bedrock runtime; see seatrial.testing.providers.

It verifies signatures with the real secret and holds requests to AWS's own service model. Its
answers are scripted and say so. What it does not do it answers with 501.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, cast
from urllib.parse import unquote

from aiohttp import web
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from multidict import CIMultiDict

from seatrial.domain.aws import AwsKeys
from seatrial.gateway import sigv4

from .anthropic import message, message_events
from .providers import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    TEXT,
    ScriptedProvider,
    SeenRequest,
    json_answer,
)

_OPERATIONS = {
    "converse": "Converse",
    "converse-stream": "ConverseStream",
    "invoke": "InvokeModel",
    "invoke-with-response-stream": "InvokeModelWithResponseStream",
}
_EXCEPTIONS = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}


def encode_event(kind: str, payload: Mapping[str, Any], *, exception: bool = False) -> bytes:
    """One message of an event stream, with both its sums."""
    names = (":exception-type", "exception") if exception else (":event-type", "event")
    headers = {":message-type": names[1], names[0]: kind, ":content-type": "application/json"}
    head = b"".join(
        bytes([len(name)])
        + name.encode()
        + b"\x07"
        + struct.pack("!H", len(value))
        + value.encode()
        for name, value in headers.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(head) + len(body), len(head))
    whole = prelude + struct.pack("!I", binascii.crc32(prelude)) + head + body
    return whole + struct.pack("!I", binascii.crc32(whole))


class ScriptedBedrock(ScriptedProvider):
    """Converse, ConverseStream, InvokeModel and InvokeModelWithResponseStream."""

    stream_type = "application/vnd.amazon.eventstream"
    answer_headers: ClassVar[Mapping[str, str]] = {
        "x-amzn-bedrock-input-token-count": str(INPUT_TOKENS),
        "x-amzn-bedrock-output-token-count": str(OUTPUT_TOKENS),
    }

    def __init__(self, keys: AwsKeys, models: tuple[str, ...] = ()) -> None:
        """It takes these keys and no other, for their region. It answers for any model."""
        super().__init__(models)
        self.keys = keys

    def check(self, seen: SeenRequest) -> web.Response | None:
        """As AWS: signature first, then the operation and its parameters."""
        return self._unsigned(seen) or self._invalid(seen)

    def _unsigned(self, seen: SeenRequest) -> web.Response | None:
        claim = sigv4.claimed(seen.headers.get("Authorization", ""))
        sent = sigv4.Sent(seen.method, seen.target, CIMultiDict(seen.headers), seen.body)
        if claim is None:
            return _exception(403, "MissingAuthenticationTokenException", "Missing token")
        token = seen.headers.get("X-Amz-Security-Token")
        if claim.access_key != self.keys.access_key or token != self.keys.session_token:
            text = "The security token included in the request is invalid."
            return _exception(403, "UnrecognizedClientException", text)
        if claim.region != self.keys.region:
            text = "Credential should be scoped to a valid region."
            return _exception(403, "InvalidSignatureException", text)
        if not sigv4.matches(sent, claim, self.keys.secret_key):
            text = "The request signature we calculated does not match."
            return _exception(403, "InvalidSignatureException", text)
        return None

    def _invalid(self, seen: SeenRequest) -> web.Response | None:
        model, operation = _model_and_operation(seen)
        if operation not in _OPERATIONS:
            return _exception(501, "NotImplemented", f"{operation} is not scripted")
        try:
            given = seen.json
        except ValueError:
            return _exception(400, "ValidationException", "The body is not JSON.")
        params = {"modelId": model, **given}
        if operation.startswith("invoke"):
            params = {"modelId": model, "body": seen.body}
        shape = _service().operation_model(_OPERATIONS[operation]).input_shape
        assert shape is not None
        report = ParamValidator().validate(params, shape)
        if report.has_errors():
            return _exception(400, "ValidationException", report.generate_report())
        return None

    def refusal(self, status: int, message: str) -> web.Response:
        """See ScriptedProvider."""
        status, name = (403 if status == 401 else status), _EXCEPTIONS[status]
        return _exception(status, name, message)

    def error(self, message: str) -> Mapping[str, Any]:
        """See ScriptedProvider."""
        return {"message": message}

    def metadata(self, seen: SeenRequest) -> web.Response:
        """See ScriptedProvider. The runtime has none."""
        return _exception(501, "NotImplemented", "not scripted")

    def streams(self, seen: SeenRequest) -> bool:
        """See ScriptedProvider."""
        return seen.path.endswith("-stream")

    def whole(self, seen: SeenRequest) -> Mapping[str, Any]:
        """See ScriptedProvider. InvokeModel answers in the format of the model's maker."""
        model, operation = _model_and_operation(seen)
        if operation == "converse":
            content = [{"text": "".join(TEXT)}]
            return {
                "output": {"message": {"role": "assistant", "content": content}},
                "stopReason": "end_turn",
                "usage": _USAGE,
                "metrics": {"latencyMs": 1},
            }
        if "embed" in model:
            return {"embedding": [0.5, 0.25], "inputTextTokenCount": INPUT_TOKENS}
        if "anthropic" in model:
            return message(model)
        result = {"tokenCount": OUTPUT_TOKENS, "outputText": "".join(TEXT)}
        return {"inputTextTokenCount": INPUT_TOKENS, "results": [result]}

    def pieces(self, seen: SeenRequest) -> tuple[list[bytes], bytes]:
        """See ScriptedProvider."""
        model, operation = _model_and_operation(seen)
        return _converse_stream() if operation == "converse-stream" else _invoke_stream(model)

    def stream_error(self) -> bytes:
        """See ScriptedProvider."""
        told = {"message": "Too many requests, please wait before trying again."}
        return encode_event("throttlingException", told, exception=True)


_USAGE = {
    "inputTokens": INPUT_TOKENS,
    "outputTokens": OUTPUT_TOKENS,
    "totalTokens": INPUT_TOKENS + OUTPUT_TOKENS,
}


def _converse_stream() -> tuple[list[bytes], bytes]:
    deltas = [{"contentBlockIndex": 0, "delta": {"text": text}} for text in TEXT]
    events = [
        encode_event("messageStart", {"role": "assistant"}),
        *(encode_event("contentBlockDelta", delta) for delta in deltas),
    ]
    ending = [
        encode_event("contentBlockStop", {"contentBlockIndex": 0}),
        encode_event("messageStop", {"stopReason": "end_turn"}),
        encode_event("metadata", {"usage": _USAGE, "metrics": {"latencyMs": 1}}),
    ]
    return events, b"".join(ending)


def _invoke_stream(model: str) -> tuple[list[bytes], bytes]:
    metrics = {"inputTokenCount": INPUT_TOKENS, "outputTokenCount": OUTPUT_TOKENS}
    if "anthropic" in model:
        events, ending = message_events(model)
    else:
        events = [{"index": n, "outputText": text} for n, text in enumerate(TEXT)]
        ending = [{"index": len(TEXT), "outputText": "", "completionReason": "FINISH"}]
    ending = [*ending[:-1], {**ending[-1], "amazon-bedrock-invocationMetrics": metrics}]
    return [_chunk(value) for value in events], b"".join(_chunk(value) for value in ending)


def _chunk(value: Mapping[str, Any]) -> bytes:
    return encode_event("chunk", {"bytes": base64.b64encode(json.dumps(value).encode()).decode()})


def _exception(status: int, name: str, text: str) -> web.Response:
    return json_answer({"message": text}, status=status, headers={"x-amzn-ErrorType": name})


def _model_and_operation(seen: SeenRequest) -> tuple[str, str]:
    _, _, rest = seen.path.partition("/model/")
    model, _, operation = rest.rpartition("/")
    return unquote(model), operation


@cache
def _service() -> ServiceModel:
    """AWS's own description of the service, as botocore carries it."""
    described = cast("Any", Loader()).load_service_model("bedrock-runtime", "service-2")
    return ServiceModel(described, "bedrock-runtime")
