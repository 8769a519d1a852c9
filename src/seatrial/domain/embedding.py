"""Embedding: a page of another origin may show one test for a while. Pure: what a token grants.

A token is `se_`, the grant as JSON in base64url, a dot, and the HMAC-SHA256 of all before it. The
key follows from the installation's, so nothing is stored for it: a token ends by its time, with
its test, or with the key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

PREFIX = "se_"
"""How every token for embedding begins; no API token does."""

MOST_ORIGINS = 10
SHORTEST_SECONDS = 60
LONGEST_SECONDS = 24 * 3600

_TOKEN = re.compile(r"(se_[A-Za-z0-9_-]{1,8000})\.([A-Za-z0-9_-]{43})", re.ASCII)
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII)
_PORTS = {"http": 80, "https": 443}
_HOW = "Write it as browsers do: https://host or https://host:port, in small letters, no path."


@dataclass(frozen=True)
class Grant:
    """Leave to read one test of `owner` from pages of these origins, until `expires` (Unix)."""

    test_id: str
    owner: str
    origins: tuple[str, ...]
    expires: int


def checked_origin(text: str) -> str:
    """The origin, if it is written as a browser sends it. ValueError says how otherwise."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(_HOW) from None
    usual = _PORTS.get(parts.scheme)
    shown = f"[{host}]" if ":" in host else host
    whole = f"{parts.scheme}://{shown}" + (f":{port}" if port not in {None, usual} else "")
    if usual is None or text != whole or not _is_host(host):
        raise ValueError(_HOW)
    return text


def _is_host(host: str) -> bool:
    if _NAME.fullmatch(host):
        return True
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


Origin = Annotated[str, Field(max_length=300), AfterValidator(checked_origin)]


class EmbedOrder(BaseModel):
    """Which pages may show a test, and for how long."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origins: tuple[Origin, ...] = Field(
        min_length=1,
        max_length=MOST_ORIGINS,
        description="Origins of the pages, for example `https://app.example`; no patterns.",
    )
    lifetime_seconds: int = Field(
        default=3600,
        ge=SHORTEST_SECONDS,
        le=LONGEST_SECONDS,
        description="How long the token is good for, in seconds.",
    )


class EmbedToken(BaseModel):
    """A token for `<seatrial-test>`: it reads this one test, and nothing else."""

    model_config = ConfigDict(frozen=True)

    test_id: str
    token: str = Field(repr=False)
    origins: tuple[str, ...]
    expires_at: datetime


def signed(key: bytes, grant: Grant) -> str:
    """The token of a grant. `key` is the installation's."""
    fields = [grant.test_id, grant.owner, list(grant.origins), grant.expires]
    text = PREFIX + _encoded(json.dumps(fields, separators=(",", ":")).encode())
    return f"{text}.{_mac(key, text)}"


def grant_of(key: bytes, token: str) -> Grant | None:
    """What a token grants, also one whose time is over; None when it was not signed here."""
    found = _TOKEN.fullmatch(token)
    if found is None or not hmac.compare_digest(_mac(key, found[1]), found[2]):
        return None
    body = found[1].removeprefix(PREFIX)
    # Signed by us, so it has our shape.
    test_id, owner, origins, expires = json.loads(base64.urlsafe_b64decode(f"{body}=="))
    return Grant(test_id, owner, tuple(origins), expires)


def _mac(key: bytes, text: str) -> str:
    own = hmac.digest(key, b"seatrial embed 1", hashlib.sha256)
    return _encoded(hmac.digest(own, text.encode(), hashlib.sha256))


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
