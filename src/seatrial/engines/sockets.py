"""Finds the socket of a container engine."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

from seatrial.domain.data_folder import short_folder
from seatrial.settings import Settings


def find_socket(settings: Settings) -> str | None:
    """The engine to use as `unix:///…` or `tcp://…`; None when there is none.

    What somebody has configured is taken as it is: the setting, then DOCKER_HOST. After that
    the first of the usual places where something accepts a connection, and at last the private
    engine of this data folder.
    """
    configured = settings.docker_host or os.environ.get("DOCKER_HOST")
    if configured:
        return configured
    for path in _usual_places(settings.data_dir):
        if answers(path):
            return f"unix://{path}"
    return None


def _usual_places(data_dir: Path) -> Iterator[Path]:
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    home = Path.home()
    yield Path("/run/docker.sock")
    yield Path("/var/run/docker.sock")
    yield runtime / "docker.sock"
    yield home / ".docker" / "run" / "docker.sock"
    yield home / ".docker" / "desktop" / "docker.sock"
    yield Path("/run/podman/podman.sock")
    yield runtime / "podman" / "podman.sock"
    for kind in ("docker", "podman"):
        yield socket_of(data_dir / "engine" / kind)


def socket_of(folder: Path) -> Path:
    """The socket of the private engine in that folder."""
    return short_folder(folder, len("engine.sock")) / "engine.sock"


def answers(path: Path) -> bool:
    """Whether something accepts a connection there."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True
