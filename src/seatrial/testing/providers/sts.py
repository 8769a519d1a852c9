"""A scripted AWS STS, whose keys expire.

It verifies signatures with the real secret and holds requests to AWS's own service model.

    async with ScriptedSts(keys, {ROLE: "external-id"}, lifetime=2.0) as sts:
        async with ScriptedBedrock(keys, issuer=sts.find) as bedrock:
            ...
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from aiohttp import web
from botocore.model import Shape

from seatrial.domain.aws import AwsKeys

from . import aws
from .aws import Issued
from .base import ScriptedProvider, SeenRequest
from .wire import SCRIPTED

MAX_POLICY = 2048
"""Characters of a session policy."""

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_FAULTS: Mapping[aws.Fault, tuple[str, str]] = {
    "missing": ("MissingAuthenticationToken", "Request is missing Authentication Token"),
    "unknown": ("InvalidClientTokenId", "The security token included in the request is invalid."),
    "expired": ("ExpiredToken", "The security token included in the request is expired"),
    "region": ("SignatureDoesNotMatch", "Credential should be scoped to a valid region."),
    "signature": ("SignatureDoesNotMatch", "The request signature we calculated does not match."),
}


class ScriptedSts(ScriptedProvider):
    """AssumeRole and GetCallerIdentity."""

    def __init__(
        self, keys: AwsKeys, roles: Mapping[str, str | None], *, lifetime: float = 3600.0
    ) -> None:
        """These keys may assume the `roles`, each with its external id if it has one.

        `lifetime` in seconds, of the keys that are given.
        """
        super().__init__(())
        self.keys = keys
        self.roles = roles
        self.lifetime = lifetime
        self.issued: list[Issued] = []
        """All keys that were given, oldest first."""

    def find(self, access_key: str, token: str | None) -> Issued | None:
        """The keys of that id that were given; this is an Issuer."""
        wanted = (access_key, token)
        given = (one for one in self.issued)
        return next((i for i in given if (i.keys.access_key, i.keys.session_token) == wanted), None)

    def check(self, seen: SeenRequest) -> web.Response | None:
        """See ScriptedProvider. Signature first, then the parameters."""
        fault = aws.signature_fault(seen, self._accepted, "sts", None)
        if fault is not None:
            code, text = _FAULTS[fault]
            return _refused(403, code, text + _signed(seen) if fault == "signature" else text)
        params = _params(seen)
        operation = params.pop("Action", "")
        if operation not in {"AssumeRole", "GetCallerIdentity"}:
            return _refused(501, "NotImplemented", f"{operation} is not scripted")
        problem = _problem(operation, params) or _policy_problem(params)
        return _refused(400, "ValidationError", problem) if problem else self._forbidden(params)

    def _forbidden(self, params: Mapping[str, Any]) -> web.Response | None:
        role = params.get("RoleArn")
        if role is None:
            return None
        if role in self.roles and self.roles[role] == params.get("ExternalId"):
            return None
        text = (
            "User: arn:aws:iam::123456789012:user/scripted is not authorized to perform: "
            f"sts:AssumeRole on resource: {role}"
        )
        return _refused(403, "AccessDenied", text)

    def _accepted(self, access_key: str, token: str | None) -> Issued | None:
        if (access_key, token) == (self.keys.access_key, self.keys.session_token):
            return Issued(self.keys)
        return self.find(access_key, token)

    async def _good(self, request: web.BaseRequest, seen: SeenRequest) -> web.StreamResponse:
        params = _params(seen)
        made = self._assumed(params) if "RoleArn" in params else _identity()
        return _xml(200, params["Action"], made)

    def _assumed(self, params: Mapping[str, Any]) -> str:
        expires = datetime.now(UTC) + timedelta(seconds=self.lifetime)
        token = f"scripted/{secrets.token_hex(24)}"
        key = f"ASIA{secrets.token_hex(8).upper()}"
        keys = AwsKeys(key, secrets.token_hex(20), self.keys.region, token)
        policy = json.loads(params["Policy"]) if "Policy" in params else None
        self.issued.append(Issued(keys, expires, str(params["RoleSessionName"]), policy))
        return (
            f"<Credentials><AccessKeyId>{key}</AccessKeyId>"
            f"<SecretAccessKey>{keys.secret_key}</SecretAccessKey>"
            f"<SessionToken>{token}</SessionToken>"
            f"<Expiration>{expires.isoformat().replace('+00:00', 'Z')}</Expiration></Credentials>"
        )

    def refusal(self, status: int, message: str) -> web.Response:
        """See ScriptedProvider."""
        return _refused(status, "InternalFailure" if status >= 500 else "AccessDenied", message)

    def error(self, status: int, message: str) -> Mapping[str, Any]:
        """See ScriptedProvider. Not used: its errors are XML."""
        return {"message": message}

    def metadata(self, seen: SeenRequest) -> web.Response:
        """See ScriptedProvider. There is none."""
        return _refused(501, "NotImplemented", "not scripted")

    def stream_type(self, seen: SeenRequest) -> str:
        """See ScriptedProvider. It streams nothing."""
        return ""

    def streams(self, seen: SeenRequest) -> bool:
        """See ScriptedProvider. Never."""
        return False

    def whole(self, seen: SeenRequest) -> Mapping[str, Any]:
        """See ScriptedProvider. Not used: its answers are XML."""
        return {}

    def pieces(self, seen: SeenRequest) -> tuple[list[bytes], bytes]:
        """See ScriptedProvider."""
        return [], b""

    def stream_error(self, seen: SeenRequest) -> bytes:
        """See ScriptedProvider."""
        return b""


def _params(seen: SeenRequest) -> dict[str, Any]:
    """The form's fields, as the kinds that AWS's model says."""
    fields: dict[str, Any] = dict(parse_qsl(seen.body.decode(), keep_blank_values=True))
    if str(fields.get("DurationSeconds", "")).isdigit():
        fields["DurationSeconds"] = int(fields["DurationSeconds"])
    return fields


def _problem(operation: str, params: dict[str, Any]) -> str:
    """What AWS's own model says against the parameters: kinds, lengths, patterns."""
    given = {name: value for name, value in params.items() if name != "Version"}
    if params.get("Version") != "2011-06-15":
        return "The version is not 2011-06-15."
    shape = aws.service_model("sts").operation_model(operation).input_shape
    assert shape is not None
    members: Mapping[str, Shape] = shape.members
    unknown = sorted(set(given) - set(members))
    if unknown:
        return f"Unknown parameters: {', '.join(unknown)}"
    for name, value in given.items():
        pattern = members[name].metadata.get("pattern")
        # AWS's patterns hold characters that only its own dialect takes; those are left out.
        if pattern and "\\u" not in pattern and not re.fullmatch(pattern, str(value)):
            return f"{name} does not match {pattern}"
    return aws.invalid_params("sts", operation, given)


def _policy_problem(params: Mapping[str, Any]) -> str:
    """What is wrong with a session policy; empty when nothing is."""
    if "Policy" not in params:
        return ""
    try:
        policy = json.loads(params["Policy"])
        statements = policy["Statement"]
    except (ValueError, KeyError, TypeError):
        return "This policy is not valid JSON with statements."
    if len(params["Policy"]) > MAX_POLICY:
        return f"The policy has more than {MAX_POLICY} characters."
    if policy.get("Version") != "2012-10-17" or not statements:
        return "The policy has no version or no statement."
    bad = [one for one in statements if not (one.get("Action") and one.get("Resource"))]
    return "A statement names no action or no resource." if bad else ""


def _signed(seen: SeenRequest) -> str:
    """As AWS does, what should have been signed: it holds the session's token."""
    token = seen.headers.get("X-Amz-Security-Token", "")
    return f" The Canonical String should have been 'POST / x-amz-security-token:{token}'"


def _identity() -> str:
    return (
        "<Arn>arn:aws:iam::123456789012:user/scripted</Arn>"
        "<UserId>AIDASCRIPTED00000000</UserId><Account>123456789012</Account>"
    )


def _xml(status: int, action: str, inner: str) -> web.Response:
    text = (
        f'<{action}Response xmlns="{_NAMESPACE}"><{action}Result>{inner}</{action}Result>'
        f"<ResponseMetadata><RequestId>scripted</RequestId></ResponseMetadata></{action}Response>"
    )
    return web.Response(status=status, text=text, content_type="text/xml", headers=SCRIPTED)


def _refused(status: int, code: str, message: str) -> web.Response:
    text = (
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>scripted</RequestId>"
        "</ErrorResponse>"
    )
    return web.Response(status=status, text=text, content_type="text/xml", headers=SCRIPTED)
