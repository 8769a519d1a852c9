"""Addresses that a user names: of a model service, or of a webhook."""

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
    return url_problem(url, "base URL")


def url_problem(url: str, what: str, *, may_have_query: bool = False) -> str | None:
    """The same for an address that is called `what`."""
    if len(url) > MAX_CHARACTERS:
        return f"The {what} is too long; the limit is {MAX_CHARACTERS} characters."
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        return f"The {what} holds spaces or characters that no address has."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return f"The {what} is not a valid address."
    if parts.scheme not in {"http", "https"}:
        return f"The {what} begins with http:// or https://."
    if port == 0:
        return f"The {what} has port 0."
    if parts.fragment or (parts.query and not may_have_query):
        return f"The {what} has a query or fragment; it ends with its path."
    return _host_problem(parts, what)


def _host_problem(parts: SplitResult, what: str) -> str | None:
    if "@" in parts.netloc:
        return f"The {what} holds a user or password; they do not belong into an address."
    host = (parts.hostname or "").rstrip(".")
    if not host:
        return f"The {what} names no host."
    if "%" in host:
        return f"The {what}'s host holds a percent sign, which no host has."
    if host in _METADATA_NAMES:
        return f"The {what} points at a cloud's metadata service."
    address = _address(host)
    return address_problem(address, what) if address else None


def address_problem(address: str, what: str = "base URL") -> str | None:
    """Why no such URL may lead to this address, written or resolved; None when one may."""
    reason = forbidden(address, may_be_private=True)
    return f"The {what} points at {reason}." if reason else None


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
