"""Webhooks: a back end is told that a test has ended. Pure: what is sent, signed how, and when.

The scheme is that of Standard Webhooks (https://www.standardwebhooks.com), whose libraries check
it: HMAC-SHA256 over `ID.TIMESTAMP.BODY` with the user's secret. The secret follows from the
installation's key and the user, so nothing secret is stored for it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime

from .tests import Test

EVENT_TYPE = "test.completed"
"""The type of the only message there is."""

KEY_BYTES = 32
MAX_ATTEMPTS = 10

_PAUSES = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0)
"""Seconds between the attempts: about 16 hours in all."""


@dataclass(frozen=True)
class Delivery:
    """One attempt, from 1, to tell `url` that a test has ended. Its number fences its report."""

    test_id: str
    owner: str
    url: str
    attempt: int


def pause_after(attempt: int) -> float | None:
    """Seconds until the next attempt after that one failed; None when it was the last."""
    return _PAUSES[attempt - 1] if attempt < MAX_ATTEMPTS else None


def secret_of(key: bytes, owner: str) -> str:
    """The user's secret as receivers' libraries take it: `whsec_` and base64."""
    raw = hmac.digest(key, b"seatrial webhook 1\0" + owner.encode(), hashlib.sha256)
    return f"whsec_{base64.b64encode(raw).decode()}"


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of one message: `v1,` and base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed).decode()}"


def headers_of(secret: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """What goes with the body. The id is the same in every attempt, so a receiver can tell."""
    timestamp = int(at.timestamp())
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, message_id, timestamp, body),
    }


def body_of(test: Test) -> bytes:
    """The message: the test as the API answers it, without the agent's files."""
    data = test.model_dump(mode="json", exclude={"request": {"files"}, "webhook": True})
    at = (test.completed_at or test.created_at).isoformat()
    return json.dumps({"type": EVENT_TYPE, "timestamp": at, "data": data}).encode()
