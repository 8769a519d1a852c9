"""A scripted Bedrock control plane: which models there are, and whether an account may use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from seatrial.domain.aws import AwsKeys

from . import aws
from .aws import Issued, Issuer
from .base import ScriptedProvider, SeenRequest
from .wire import json_answer

_PATHS = {
    "foundation-models": ("GetFoundationModel", "modelIdentifier"),
    "inference-profiles": ("GetInferenceProfile", "inferenceProfileIdentifier"),
    "foundation-model-availability": ("GetFoundationModelAvailability", "modelId"),
}
_NAMES: Mapping[aws.Fault, str] = {
    "missing": "MissingAuthenticationTokenException",
    "unknown": "UnrecognizedClientException",
    "expired": "ExpiredTokenException",
    "region": "InvalidSignatureException",
    "signature": "InvalidSignatureException",
}


class ScriptedBedrockControl(ScriptedProvider):
    """GetFoundationModel, GetInferenceProfile and GetFoundationModelAvailability."""

    def __init__(self, keys: AwsKeys, models: tuple[str, ...], *, issuer: Issuer | None = None):
        """It knows these foundation models, and for each a profile `eu.MODEL`."""
        super().__init__(models)
        self.keys = keys
        self.issuer = issuer
        self.closed: set[str] = set()
        """Models to which the account has no access."""
        self.by_profile: set[str] = set()
        """Models that can be called through a profile alone."""
        self.forbidden: set[str] = set()
        """Operations for which the keys have no permission."""

    def check(self, seen: SeenRequest) -> web.Response | None:
        """See ScriptedProvider."""
        fault = aws.signature_fault(seen, self._accepted, "bedrock", self.keys.region)
        if fault is not None:
            return _refused(403, _NAMES[fault], "The keys are not taken.")
        operation, field, name = _asked(seen)
        if operation is None:
            return _refused(501, "NotImplemented", "not scripted")
        problem = aws.invalid_params("bedrock", operation, {field: name})
        if problem:
            return _refused(400, "ValidationException", problem)
        if operation in self.forbidden:
            text = f"User is not authorized to perform: bedrock:{operation}"
            return _refused(403, "AccessDeniedException", text)
        return None

    def metadata(self, seen: SeenRequest) -> web.Response:
        """See ScriptedProvider."""
        operation, _, name = _asked(seen)
        profile = operation == "GetInferenceProfile"
        base = name.rpartition("/")[2]
        if profile and not base.startswith("eu."):
            return _missing(name)
        base = base.removeprefix("eu.") if profile else base
        if base not in self.models:
            return _missing(name)
        if operation == "GetFoundationModelAvailability":
            return json_answer(self._availability(base))
        return json_answer(self._profile(base) if profile else self._model(base))

    def _accepted(self, access_key: str, token: str | None) -> Issued | None:
        if (access_key, token) == (self.keys.access_key, self.keys.session_token):
            return Issued(self.keys)
        return self.issuer(access_key, token) if self.issuer else None

    def _model(self, name: str) -> Mapping[str, Any]:
        types = ["INFERENCE_PROFILE"] if name in self.by_profile else ["ON_DEMAND"]
        details = {
            "modelArn": self._arn(name),
            "modelId": name,
            "inferenceTypesSupported": types,
            "modelLifecycle": {"status": "ACTIVE"},
        }
        return {"modelDetails": details}

    def _profile(self, name: str) -> Mapping[str, Any]:
        arn = f"arn:aws:bedrock:{self.keys.region}:123456789012:inference-profile/eu.{name}"
        return {
            "inferenceProfileName": name,
            "inferenceProfileId": f"eu.{name}",
            "inferenceProfileArn": arn,
            "models": [{"modelArn": self._arn(name)}],
            "status": "ACTIVE",
            "type": "SYSTEM_DEFINED",
        }

    def _availability(self, name: str) -> Mapping[str, Any]:
        state = "NOT_AVAILABLE" if name in self.closed else "AVAILABLE"
        return {
            "modelId": name,
            "agreementAvailability": {"status": "NOT_AVAILABLE"},
            "authorizationStatus": "AUTHORIZED",
            "entitlementAvailability": state,
            "regionAvailability": "AVAILABLE",
        }

    def _arn(self, name: str) -> str:
        return f"arn:aws:bedrock:{self.keys.region}::foundation-model/{name}"

    def error(self, status: int, message: str) -> Mapping[str, Any]:
        """See ScriptedProvider."""
        return {"message": message}

    def stream_type(self, seen: SeenRequest) -> str:
        """See ScriptedProvider. It streams nothing."""
        return ""

    def streams(self, seen: SeenRequest) -> bool:
        """See ScriptedProvider. Never."""
        return False

    def whole(self, seen: SeenRequest) -> Mapping[str, Any]:
        """See ScriptedProvider. It takes no POST."""
        return {}

    def pieces(self, seen: SeenRequest) -> tuple[list[bytes], bytes]:
        """See ScriptedProvider."""
        return [], b""

    def stream_error(self, seen: SeenRequest) -> bytes:
        """See ScriptedProvider."""
        return b""


def _asked(seen: SeenRequest) -> tuple[str | None, str, str]:
    """Operation, name of its field, and the model."""
    kind, _, name = seen.path.removeprefix("/").partition("/")
    operation, field = _PATHS.get(kind, (None, ""))
    return operation, field, unquote(name)


def _missing(name: str) -> web.Response:
    return _refused(404, "ResourceNotFoundException", f"Could not resolve {name}.")


def _refused(status: int, code: str, text: str) -> web.Response:
    return json_answer({"message": text}, status=status, headers={"x-amzn-ErrorType": code})
