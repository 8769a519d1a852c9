"""Base images from a real registry on a loopback address, and without one."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import aiodocker
import aiohttp
import pytest

from seatrial.domain.errors import ImageUnavailable
from seatrial.engines.docker import debian
from seatrial.engines.docker.engine import DockerEngine
from seatrial.engines.private import PrivateEngine

from .conftest import spec

pytestmark = pytest.mark.engine
Connect = Callable[..., DockerEngine]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Address of an empty registry of Debian's package docker-registry."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = tmp_path / "registry.yml"
    config.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path}/registry}}}}\n"
        f"http: {{addr: '{address}'}}\n"
    )
    with (tmp_path / "registry.log").open("wb") as log:
        try:
            process = subprocess.Popen(["docker-registry", "serve", config], stdout=log, stderr=log)
        except FileNotFoundError:
            pytest.fail("These tests need a registry: apt-get install docker-registry")
    yield address
    process.terminate()
    process.wait()


async def until_it_answers(address: str) -> None:
    """Wait for the registry's first answer."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(20):
        while True:
            try:
                async with session.get(f"http://{address}/v2/"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)


async def push(url: str, image: str, name: str, tag: str) -> None:
    """Put an image that the engine has into the registry, and take the name away again."""
    connector = aiohttp.UnixConnector(url.removeprefix("unix://"))
    async with connector, aiodocker.Docker("unix://localhost", connector=connector) as docker:
        await docker.images.tag(image, repo=name, tag=tag)
        await docker.images.push(name, tag=tag, auth={"username": "a", "password": "b"})
        await docker.images.delete(f"{name}:{tag}")


async def test_an_image_is_pulled_from_the_registry_of_the_settings(
    own_engine: PrivateEngine, connect: Connect, registry: str
) -> None:
    await until_it_answers(registry)
    built = await connect(own_engine.url).image("3.11")
    await push(own_engine.url, built, f"{registry}/library/python", "3.12-slim")
    engine = connect(own_engine.url, registry=f"{registry}/library")
    lines: list[str] = []
    pulled = await engine.image("3.12", progress=lines.append)
    assert any("Pulling" in line for line in lines)
    ended = await engine.wait(await engine.launch(spec("pull", pulled, 1, "python3", "-V")))
    assert ended.evidence.startswith("Python 3.")

    lines.clear()
    assert await engine.image("3.12", progress=lines.append) == pulled
    assert lines == []


async def test_a_registry_that_answers_is_believed(
    own_engine: PrivateEngine, connect: Connect, registry: str
) -> None:
    await until_it_answers(registry)
    with pytest.raises(ImageUnavailable, match=r"python:3\.11-slim"):
        await connect(own_engine.url, registry=f"{registry}/library").image("3.11")


async def test_without_a_registry_one_build_serves_everybody(
    own_engine: PrivateEngine, connect: Connect
) -> None:
    lines: list[str] = []
    engines = [connect(own_engine.url), connect(own_engine.url)]
    ids = await asyncio.gather(
        *[engine.image("3.11", progress=lines.append) for engine in engines for _ in range(2)]
    )
    assert len(set(ids)) == 1
    assert sum("No registry answers" in line for line in lines) == 1
    assert sum("Loading" in line for line in lines) == 1


async def test_a_python_that_debian_does_not_package_says_what_to_do(
    own_engine: PrivateEngine, connect: Connect
) -> None:
    with pytest.raises(ImageUnavailable) as caught:
        await connect(own_engine.url).image("3.12")
    assert "SEATRIAL_REGISTRY" in caught.value.hint
    assert all(python in caught.value.hint for python in debian.SUITES)
