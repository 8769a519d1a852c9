"""What the Docker engine needs to know."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from seatrial.domain.errors import SetupFailed
from seatrial.engines.private import find_socket, install_plan
from seatrial.engines.remote import certificates_folder
from seatrial.settings import Settings

from .tls import client_context


@dataclass(frozen=True)
class DockerConfig:
    """Where the engine is and what it may keep on disk.

    `host` is `unix:///path`, or `tcp`, `http` or `https` with `://host:port`. `state` is the folder
    of the files that are mounted into every container, `images` that of base images built here;
    both are made when needed. Both must be paths that the engine sees too.
    """

    host: str
    state: Path
    images: Path
    registry: str = "docker.io/library"
    runtime: str = ""
    """The runtime to ask for; empty for the engine's own."""
    request_seconds: float = 60.0
    """Longest time for one answer of the engine; pulls, builds and events are not bound by it."""
    quiet_seconds: float = 600.0
    """Longest time for which a pull or a build may report nothing."""
    patience_seconds: float = 5.0
    """How long an engine may be silent before those who wait for a container are told."""
    sweep_seconds: float = 5.0
    """How often all containers are looked at, in case an event was missed."""
    tls: ssl.SSLContext | None = None
    """Certificates for every connection to a network address; None for no TLS."""


def from_settings(settings: Settings) -> DockerConfig:
    """The configuration for this installation.

    Raises: SetupFailed when no engine is found, or its certificates cannot be read.
    """
    host = find_socket(settings)
    if host is None:
        raise SetupFailed("No container engine was found.", hint=install_plan().text)
    certificates = certificates_folder(host)
    return DockerConfig(
        host=host,
        state=settings.data_dir / "engine" / "files",
        images=settings.data_dir / "images",
        registry=settings.registry,
        runtime=settings.container_runtime,
        tls=client_context(certificates) if certificates else None,
    )
