"""A scripted AWS Bedrock runtime.

It verifies signatures with the real secret and holds requests to AWS's own service model. Its
answers are scripted and say so. What it does not do it answers with 501.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from seatrial.domain.aws import AwsKeys
from seatrial.domain.bedrock_arns import Place, model_arns
from seatrial.gateway import sigv4

from . import aws, bedrock_converse, bedrock_invoke
from .base import ScriptedProvider, SeenRequest
from .bedrock_events import encode_event
from .script import INPUT_TOKENS, OUTPUT_TOKENS
from .wire import json_answer

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


_FAULTS: Mapping[aws.Fault, tuple[str, str]] = {
    "missing": ("MissingAuthenticationTokenException", "Missing token"),
    "unknown": (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    ),
    "expired": (
        "ExpiredTokenException",
        "The security token included in the request is expired",
    ),
    "region": ("InvalidSignatureException", "Credential should be scoped to a valid region."),
    "signature": (
        "InvalidSignatureException",
        "The request signature we calculated does not match.",
    ),
}


class ScriptedBedrock(ScriptedProvider):
    """Converse, ConverseStream, InvokeModel and InvokeModelWithResponseStream."""

    def __init__(
        self,
        keys: AwsKeys,
        models: tuple[str, ...] = (),
        *,
        issuer: aws.Issuer | None = None,
    ) -> None:
        """It takes these keys and those of the issuer, for their region, and knows any model."""
        super().__init__(models)
        self.keys = keys
        self.issuer = issuer

    def check(self, seen: SeenRequest) -> web.Response | None:
        """As AWS: signature first, then the operation and its parameters."""
        return self._unsigned(seen) or self._forbidden(seen) or self._invalid(seen)

    def _unsigned(self, seen: SeenRequest) -> web.Response | None:
        """AWS takes its own keys or those that the token service gave, until they expire."""
        fault = aws.signature_fault(seen, self.accepted, "bedrock", self.keys.region)
        return None if fault is None else _exception(403, *_FAULTS[fault])

    def _forbidden(self, seen: SeenRequest) -> web.Response | None:
        """What the policy of the caller's session does not allow: the model, an object of S3."""
        claim = sigv4.claimed(seen.headers.get("Authorization", ""))
        token = seen.headers.get("X-Amz-Security-Token")
        issued = self.accepted(claim.access_key, token) if claim else None
        if issued is None or issued.policy is None:
            return None
        model, operation = _model_and_operation(seen)
        action = "bedrock:InvokeModel"
        if operation.endswith("-stream"):
            action = "bedrock:InvokeModelWithResponseStream"
        asked = [(action, arn) for arn in model_arns(model, _place(self.keys.region))]
        objects = re.findall(rb'"s3://([^"]+)"', seen.body)
        asked += [("s3:GetObject", f"arn:aws:s3:::{one.decode()}") for one in objects]
        for action, resource in asked:
            if not issued.may(action, resource):
                text = f"no session policy allows the {action} action on {resource}"
                return _exception(403, "AccessDeniedException", text)
        return None

    def accepted(self, access_key: str, token: str | None) -> aws.Issued | None:
        """The keys of that id and token, None when there are none."""
        if (access_key, token) == (self.keys.access_key, self.keys.session_token):
            return aws.Issued(self.keys)
        return self.issuer(access_key, token) if self.issuer else None

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
        problem = aws.invalid_params("bedrock-runtime", _OPERATIONS[operation], params)
        return _exception(400, "ValidationException", problem) if problem else None

    def stream_type(self, seen: SeenRequest) -> str:
        """See ScriptedProvider."""
        return "application/vnd.amazon.eventstream"

    def headers(self, seen: SeenRequest) -> Mapping[str, str]:
        """See ScriptedProvider. InvokeModel counts beside the body; vectors have no output."""
        model, operation = _model_and_operation(seen)
        counts = {"input": INPUT_TOKENS, "output": OUTPUT_TOKENS}
        if not operation.startswith("invoke"):
            return {}
        if bedrock_invoke.embeds(model):
            del counts["output"]
        return {f"x-amzn-bedrock-{n}-token-count": str(count) for n, count in counts.items()}

    def refusal(self, status: int, message: str) -> web.Response:
        """See ScriptedProvider."""
        status, name = (403 if status == 401 else status), _EXCEPTIONS[status]
        return _exception(status, name, message)

    def error(self, status: int, message: str) -> Mapping[str, Any]:
        """See ScriptedProvider."""
        return {"message": message}

    def metadata(self, seen: SeenRequest) -> web.Response:
        """See ScriptedProvider. The runtime has none."""
        return _exception(501, "NotImplemented", "not scripted")

    def streams(self, seen: SeenRequest) -> bool:
        """See ScriptedProvider."""
        return seen.path.endswith("-stream")

    def whole(self, seen: SeenRequest) -> Mapping[str, Any]:
        """See ScriptedProvider."""
        model, operation = _model_and_operation(seen)
        if operation == "converse":
            return bedrock_converse.whole(seen.json)
        return bedrock_invoke.whole(model, seen.json)

    def pieces(self, seen: SeenRequest) -> tuple[list[bytes], bytes]:
        """See ScriptedProvider."""
        model, operation = _model_and_operation(seen)
        if operation == "converse-stream":
            return bedrock_converse.pieces(seen.json)
        return bedrock_invoke.pieces(model, seen.json)

    def stream_error(self, seen: SeenRequest) -> bytes:
        """See ScriptedProvider."""
        told = {"message": "Too many requests, please wait before trying again."}
        return encode_event("throttlingException", told, exception=True)


def _place(region: str) -> Place:
    return Place("aws", region, "123456789012")


def _exception(status: int, name: str, text: str) -> web.Response:
    return json_answer({"message": text}, status=status, headers={"x-amzn-ErrorType": name})


def _model_and_operation(seen: SeenRequest) -> tuple[str, str]:
    _, _, rest = seen.path.partition("/model/")
    model, _, operation = rest.rpartition("/")
    return unquote(model), operation
