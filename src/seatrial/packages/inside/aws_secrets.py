"""Reads one secret of AWS Secrets Manager without the AWS SDK, which the test may not have had.

The credentials are the container's role: from the environment (Lambda), from the container
credentials address (ECS), or from the instance metadata service (AgentCore).
"""

import datetime
import hashlib
import hmac
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

_ECS = "http://169.254.170.2"
_METADATA = "http://169.254.169.254"
_SECONDS = 5


class SecretUnavailable(Exception):
    """The secret could not be read; the message says why, and never holds a value."""


@dataclass(frozen=True)
class Keys:
    """Temporary AWS keys."""

    key_id: str
    secret: str
    token: str = ""


def fetch(arn: str, environment: Mapping[str, str]) -> str:
    """The secret's text. SecretUnavailable."""
    parts = arn.split(":")
    if len(parts) < 7 or parts[2] != "secretsmanager":
        raise SecretUnavailable("AGENT_SECRETS_ARN is not the ARN of a secret.")
    region = parts[3]
    suffix = "amazonaws.com.cn" if parts[1] == "aws-cn" else "amazonaws.com"
    url = environment.get("AWS_ENDPOINT_URL_SECRETS_MANAGER") or (
        f"https://secretsmanager.{region}.{suffix}"
    )
    body = json.dumps({"SecretId": arn}).encode()
    now = datetime.datetime.now(datetime.timezone.utc)
    headers = signed(url, body, region, keys(environment), now)
    answer = _ask(url.rstrip("/") + "/", headers, body)
    return str(answer["SecretString"])


def keys(environment: Mapping[str, str]) -> Keys:
    """The keys of the container's role. SecretUnavailable."""
    if "AWS_ACCESS_KEY_ID" in environment:
        return Keys(
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            environment.get("AWS_SESSION_TOKEN", ""),
        )
    path = environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    if path:
        return _keys_in(_ask(_ECS + path, {}))
    return _keys_of_metadata()


def signed(
    url: str, body: bytes, region: str, given: Keys, now: datetime.datetime
) -> "dict[str, str]":
    """The headers of a GetSecretValue call, signed with AWS Signature Version 4."""
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "host": url.split("://", 1)[1].strip("/"),
        "x-amz-date": stamp,
        "x-amz-target": "secretsmanager.GetSecretValue",
    }
    if given.token:
        headers["x-amz-security-token"] = given.token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{region}/secretsmanager/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = ("AWS4" + given.secret).encode()
    for part in (day, region, "secretsmanager", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={given.key_id}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return headers


def _keys_of_metadata() -> Keys:
    lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": "300"}
    token = _read(f"{_METADATA}/latest/api/token", lifetime, method="PUT").decode()
    known = {"X-aws-ec2-metadata-token": token}
    roles = f"{_METADATA}/latest/meta-data/iam/security-credentials/"
    role = _read(roles, known).decode().split("\n")[0]
    return _keys_in(_ask(roles + role, known))


def _keys_in(answer: "dict[str, Any]") -> Keys:
    return Keys(answer["AccessKeyId"], answer["SecretAccessKey"], answer.get("Token", ""))


def _ask(url: str, headers: "dict[str, str]", body: Optional[bytes] = None) -> "dict[str, Any]":
    return json.loads(_read(url, headers, body))


def _read(
    url: str,
    headers: "dict[str, str]",
    body: Optional[bytes] = None,
    method: Optional[str] = None,
) -> bytes:
    request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return answer.read()
    except urllib.error.HTTPError as error:
        said = error.read(500).decode("utf-8", "replace")
        host = request.host
        raise SecretUnavailable(f"{host} answered {error.code}: {said}") from error
    except OSError as error:
        raise SecretUnavailable(f"{request.host} cannot be reached: {error}") from error
