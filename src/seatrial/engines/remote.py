"""Engines behind a network address: their URL, and whether TLS protects them."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

_PLAIN_PORT = 2375
_TLS_PORT = 2376
"""Port of a `tcp://` address that names none, as for the Docker CLI."""

_NETWORK = {"tcp", "http", "https"}
_HINT = "Set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or use the engine's Unix socket."


@dataclass(frozen=True)
class Exposure:
    """An engine that takes commands from the network without TLS."""

    text: str
    hint: str
    beyond_loopback: bool


def certificates_folder(host: str) -> Path | None:
    """Folder of ca.pem, cert.pem and key.pem for that engine; None for a connection without TLS.

    As for the Docker CLI: DOCKER_TLS_VERIFY with any value asks for TLS, as `https://` does, and
    the folder is DOCKER_CERT_PATH, else DOCKER_CONFIG, else ~/.docker.
    """
    scheme = _split(host).scheme
    if scheme not in _NETWORK:
        return None
    if scheme != "https" and not os.environ.get("DOCKER_TLS_VERIFY"):
        return None
    named = os.environ.get("DOCKER_CERT_PATH") or os.environ.get("DOCKER_CONFIG")
    return Path(named) if named else Path.home() / ".docker"


def http_url(host: str, *, tls: bool) -> str:
    """The engine's address for an HTTP client; `https://` is never made `http://`."""
    address = _split(host)
    if address.scheme not in _NETWORK:
        return host
    scheme = "https" if tls or address.scheme == "https" else "http"
    return f"{scheme}://{_place(address, tls=tls)}{address.path.rstrip('/')}"


def exposure(host: str) -> Exposure | None:
    """What the operator should know of an engine without TLS; None when nothing."""
    address = _split(host)
    if address.scheme not in _NETWORK or certificates_folder(host) is not None:
        return None
    shown = _place(address, tls=False).rpartition("@")[2]
    if _is_loopback(address.hostname or ""):
        text = f"Any user of this machine can control the containers at {shown}: it has no TLS."
        return Exposure(text, _HINT, beyond_loopback=False)
    text = (
        f"Anyone who can reach {shown} controls the containers of this engine, "
        "and with them its machine: the connection has no TLS."
    )
    return Exposure(text, _HINT, beyond_loopback=True)


def _split(host: str) -> SplitResult:
    """The parts of an address; no scheme for one that makes no sense, which fails when used."""
    try:
        return urlsplit(host)
    except ValueError:
        return SplitResult("", "", host, "", "")


def _place(address: SplitResult, *, tls: bool) -> str:
    """Host and port, the port added to a `tcp://` address without one."""
    has_port = ":" in address.netloc.rpartition("@")[2].rpartition("]")[2]
    if has_port or address.scheme != "tcp":
        return address.netloc
    return f"{address.netloc}:{_TLS_PORT if tls else _PLAIN_PORT}"


def _is_loopback(name: str) -> bool:
    """Whether the name surely leads to this machine alone; nothing is resolved."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
