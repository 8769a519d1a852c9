"""Podman keeps the promises of the port `Engine`."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.testing.engines import EngineConformance, MakeEngine

from .conftest import MakeEngineFor

pytestmark = pytest.mark.engine


class TestPodman(EngineConformance):
    known_differences = {  # noqa: RUF012 declared as a ClassVar in the base class
        "oom_killed": "Podman 4.3 always says false; the harness reads the container's counters."
    }

    @pytest.fixture
    def make_engine(self, engine_for: MakeEngineFor, podman_socket: str) -> MakeEngine:
        return lambda: engine_for(podman_socket)

    @pytest.fixture
    def make_dead_engine(self, engine_for: MakeEngineFor, tmp_path: Path) -> MakeEngine:
        return lambda: engine_for(f"unix://{tmp_path}/nobody.sock")
