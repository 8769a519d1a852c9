"""The address of a model service that a user names."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from seatrial.domain.addresses import forbidden

MAX_CHARACTERS = 500

_METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"}
)


def base_url_problem(url: str) -> str | None:
    """Why this cannot be a base URL; None when it can. Never repeats it: it may hold a secret.

    Names are checked again once they are resolved.
    """
    if len(url) > MAX_CHARACTERS:
        return f"The base URL is too long; the limit is {MAX_CHARACTERS} characters."
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        return "The base URL holds spaces or characters that no address has."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "The base URL is not a valid address."
    if parts.scheme not in {"http", "https"}:
        return "The base URL begins with http:// or https://."
    if port == 0:
        return "The base URL has port 0."
    return _parts_problem(parts)


def _parts_problem(parts: SplitResult) -> str | None:
    if "@" in parts.netloc:
        return "The base URL holds a user or password; give the secret as api_key."
    if parts.query or parts.fragment:
        return "The base URL has a query or fragment; it ends with its path."
    host = (parts.hostname or "").rstrip(".")
    if not host:
        return "The base URL names no host."
    if host in _METADATA_NAMES:
        return "The base URL points at a cloud's metadata service."
    address = _address(host)
    reason = forbidden(address, may_be_private=True) if address else None
    return f"The base URL points at {reason}." if reason else None


def _address(host: str) -> str | None:
    """The address that is written there, in any notation that a resolver reads."""
    if ":" in host:
        try:
            return str(ip_address(host))
        except ValueError:
            return "::"
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None
