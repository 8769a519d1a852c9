"""Docker keeps the promises of the port `Engine` over TLS too: those about its connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from seatrial.domain.engine_ports import ContainerLimits, ContainerSpec
from seatrial.engines.docker.api import Api
from seatrial.engines.docker.config import DockerConfig, from_settings
from seatrial.engines.docker.engine import DockerEngine
from seatrial.settings import Settings
from tests.support.tls_engine import authority, tls_proxy

pytestmark = pytest.mark.engine

MUCH = 2_000_000
SECONDS = 120
INSTALLATION = "over-tls"
LABELS = {"seatrial": "t", "seatrial.installation": INSTALLATION}


@pytest.fixture
async def config(
    docker_socket: str, engine_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[DockerConfig]:
    """What a user's two variables make of the address of a proxy before the real engine."""
    one = authority()
    server = one.issue(tmp_path / "server", "127.0.0.1", "localhost")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(one.issue(tmp_path / "client")))
    async with tls_proxy(docker_socket, server) as port:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{port}")
        (tmp_path / "images").symlink_to(engine_images)
        yield from_settings(Settings(data_dir=tmp_path, registry="127.0.0.1:1"))


@pytest.fixture
async def engine(config: DockerConfig) -> AsyncIterator[DockerEngine]:
    made = DockerEngine(config)
    yield made
    for container in await made.containers(INSTALLATION):
        await made.remove(container.id)
    await made.aclose()


async def spec(engine: DockerEngine, name: str, *argv: str) -> ContainerSpec:
    limits = ContainerLimits(memory_mb=64, cpus=0.5, processes=32)
    return ContainerSpec(name, await engine.image("3.11"), argv, limits, LABELS)


async def test_a_container_is_run_and_removed(engine: DockerEngine) -> None:
    assert "docker" in (await engine.describe()).name.lower()
    launched = await engine.launch(await spec(engine, "tls-run", "sh", "-c", "echo why; exit 3"))
    ended = await asyncio.wait_for(engine.wait(launched), SECONDS)
    assert (ended.code, ended.evidence) == (3, "why\n")
    assert [found.id for found in await engine.containers(INSTALLATION)] == [launched]
    await engine.remove(launched)
    assert await engine.containers(INSTALLATION) == []


async def test_an_attached_stream_carries_every_byte_and_its_end(engine: DockerEngine) -> None:
    container, pipe = await engine.launch_piped(await spec(engine, "tls-pipe", "cat"))
    sent = bytes(range(256)) * (MUCH // 256)
    sending = asyncio.create_task(pipe.write(sent))
    got = bytearray()
    async with asyncio.timeout(SECONDS):
        while len(got) < len(sent):
            got += await pipe.read()
    await sending
    assert got == sent
    await pipe.close()
    assert (await asyncio.wait_for(engine.wait(container), SECONDS)).code == 0


async def test_a_kill_ends_a_wait(engine: DockerEngine) -> None:
    container = await engine.launch(await spec(engine, "tls-kill", "sleep", "600"))
    waiting = asyncio.create_task(engine.wait(container))
    await engine.kill(container)
    assert (await asyncio.wait_for(waiting, SECONDS)).code == 137


async def test_events_arrive(config: DockerConfig, engine: DockerEngine) -> None:
    """Without them `wait` would look at all containers every second."""
    api = Api(config)
    await api.greet()
    events = api.events()
    async with asyncio.timeout(SECONDS):
        assert await anext(events) is None
        container = await engine.launch(await spec(engine, "tls-events", "true"))
        async for event in events:
            if event is not None and event.is_end and event.actor.id == container:
                break
    await events.aclose()
    await api.close()
