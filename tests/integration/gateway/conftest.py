"""A gateway, the scripted services, and a container before each."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from gateway_doors import KEY, Container, container

from seatrial.domain.ports import Upstream
from seatrial.gateway.gateway import SocketGateway
from seatrial.testing.providers import ScriptedOllama, ScriptedOpenAI

MODELS = frozenset({"scripted", "scripted:latest"})


@pytest.fixture
async def gateway() -> AsyncGenerator[SocketGateway]:
    gateway = SocketGateway()
    yield gateway
    await gateway.aclose()


@pytest.fixture
async def ollama_service() -> AsyncGenerator[ScriptedOllama]:
    async with ScriptedOllama(("scripted:latest", "other:latest")) as service:
        yield service


@pytest.fixture
async def openai_service() -> AsyncGenerator[ScriptedOpenAI]:
    async with ScriptedOpenAI(("scripted", "other")) as service:
        yield service


@pytest.fixture(params=[False, True], ids=["socket", "relay"])
async def inside(
    request: pytest.FixtureRequest,
    gateway: SocketGateway,
    ollama_service: ScriptedOllama,
    openai_service: ScriptedOpenAI,
    tmp_path: Path,
) -> AsyncGenerator[Container]:
    """A container that may use the model `scripted` of both services, through either door."""
    upstreams = (
        Upstream("ollama", ollama_service.url, MODELS),
        Upstream("openai", f"{openai_service.url}/v1", MODELS, KEY),
    )
    async with container(gateway, tmp_path, *upstreams, by_relay=request.param) as inside:
        yield inside
        await inside.door.close()
        assert KEY.encode() not in inside.got
        assert KEY not in repr(inside.reports.all)
