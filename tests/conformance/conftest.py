"""What the conformance tests of Docker and Podman share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seatrial.engines.docker.config import DockerConfig
from seatrial.engines.docker.engine import DockerEngine

MakeEngineFor = Callable[[str], DockerEngine]


@pytest.fixture
def engine_for(engine_images: Path, tmp_path: Path) -> MakeEngineFor:
    """Makes a new engine object for the socket of that url."""

    def make(url: str) -> DockerEngine:
        # No registry listens on port 1: the image is the one built from Debian packages.
        return DockerEngine(
            DockerConfig(
                url, state=tmp_path / "state", images=engine_images, registry="127.0.0.1:1"
            )
        )

    return make
