"""AWS Signature Version 4: checks the container's signatures and makes those with real keys.

The path is signed as it was sent, byte for byte: `%3A`, `:` and `%2F` in a model's name are
different paths to the signature.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from multidict import CIMultiDict, CIMultiDictProxy

from seatrial.domain.aws import AwsKeys

SERVICE = "bedrock"
"""The name under which requests to the Bedrock runtime are signed."""

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([A-Za-z0-9-]+)/([a-z0-9-]+)/aws4_request,"
    r"\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})"
)
_MUST_BE_SIGNED = frozenset({"host", "x-amz-date"})


@dataclass(frozen=True)
class Sent:
    """A request as it arrived. `target` is the raw path with its query."""

    method: str
    target: str
    headers: CIMultiDictProxy[str] | CIMultiDict[str]
    body: bytes


@dataclass(frozen=True)
class Claimed:
    """What an Authorization header says about itself."""

    access_key: str
    region: str
    service: str
    signed: tuple[str, ...]
    signature: str


def claimed(authorization: str) -> Claimed | None:
    """Read an Authorization header; None when it is no signature of this version."""
    match = _AUTHORIZATION.fullmatch(authorization.strip())
    if match is None:
        return None
    key, _, region, service, signed, signature = match.groups()
    return Claimed(key, region, service, tuple(signed.split(";")), signature)


def matches(sent: Sent, claim: Claimed, secret_key: str, service: str = SERVICE) -> bool:
    """Whether the request was signed with that secret: method, path, query, headers and body."""
    if claim.service != service or not _MUST_BE_SIGNED.issubset(claim.signed):
        return False
    # A hash in the headers is what gets signed, so it must be that of the body.
    body_hash = hashlib.sha256(sent.body).hexdigest()
    if sent.headers.get("X-Amz-Content-SHA256", body_hash) != body_hash:
        return False
    request = AWSRequest(
        method=sent.method,
        url=f"http://{sent.headers.get('Host', '')}{sent.target}",
        data=sent.body,
    )
    for name in claim.signed:
        for value in sent.headers.getall(name, []):
            request.headers[name] = value
    request.context["timestamp"] = sent.headers.get("X-Amz-Date", "")
    signer = SigV4Auth(Credentials(claim.access_key, secret_key), claim.service, claim.region)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return hmac.compare_digest(signer.signature(text, request), claim.signature)


def signed_headers(
    method: str, url: str, content_type: str | None, body: bytes, keys: AwsKeys
) -> Mapping[str, str]:
    """The headers that make a request one of these keys. `url` is raw, with its query."""
    request = AWSRequest(method=method, url=url, data=body)
    if content_type is not None:
        request.headers["Content-Type"] = content_type
    credentials = Credentials(keys.access_key, keys.secret_key, keys.session_token)
    SigV4Auth(credentials, SERVICE, keys.region).add_auth(request)
    made = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token")
    return {name: value for name in made if (value := request.headers.get(name)) is not None}
