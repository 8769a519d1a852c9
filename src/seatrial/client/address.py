"""From what a caller names to one server: its URL or socket, and the token for it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from seatrial.domain.data_folder import own_socket

SOCKET_URL = "http://seatrial"
"""The URL of a server behind a socket, where it is only a name."""


@dataclass(frozen=True)
class Address:
    """One server. `socket_path` is None for one that listens on a port."""

    url: str
    token: str | None = field(default=None, repr=False)
    socket_path: Path | None = None


def resolved(url: str | None, token: str | None, socket_path: Path | None) -> Address:
    """The server at `url` or behind `socket_path`.

    With neither, the one that SEATRIAL_URL names, else the socket in the data folder. A token
    comes from `token`, from the URL's fragment (the address that `seatrial serve` prints), or from
    SEATRIAL_TOKEN, which belongs to SEATRIAL_URL where that is set.
    """
    if socket_path is not None:
        return Address(SOCKET_URL, token, socket_path)
    url = url or os.environ.get("SEATRIAL_URL") or None
    if url is None:
        return Address(SOCKET_URL, token, own_socket())
    plain, _, fragment = url.partition("#")
    in_fragment = parse_qs(fragment).get("token", [""])[0]
    return Address(plain, token or in_fragment or _own_token(plain))


def _own_token(url: str) -> str | None:
    """SEATRIAL_TOKEN, unless it is for another server than this one."""
    named = os.environ.get("SEATRIAL_URL")
    if named and urlsplit(named)[:2] != urlsplit(url)[:2]:
        return None
    return os.environ.get("SEATRIAL_TOKEN") or None
