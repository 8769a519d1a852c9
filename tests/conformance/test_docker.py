"""Docker keeps the promises of the port `Engine`."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.testing.engines import EngineConformance, MakeEngine

from .conftest import MakeEngineFor

pytestmark = pytest.mark.engine


class TestDocker(EngineConformance):
    @pytest.fixture
    def make_engine(self, engine_for: MakeEngineFor, docker_socket: str) -> MakeEngine:
        return lambda: engine_for(docker_socket)

    @pytest.fixture
    def make_dead_engine(self, engine_for: MakeEngineFor, tmp_path: Path) -> MakeEngine:
        return lambda: engine_for(f"unix://{tmp_path}/nobody.sock")
