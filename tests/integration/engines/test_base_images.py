"""Base images from a real registry on a loopback address, and without one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import aiodocker
import aiohttp
import pytest
from tests.support.package_images import Engine
from tests.support.registry import offer_base, registry

from seatrial.domain.errors import ImageUnavailable
from seatrial.engines.docker import debian
from seatrial.engines.docker.engine import DockerEngine
from seatrial.engines.private import PrivateEngine

from .conftest import spec

pytestmark = pytest.mark.engine
Connect = Callable[..., DockerEngine]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Address of an empty registry."""
    with registry(tmp_path) as found:
        yield found


async def push(url: str, image: str, name: str, tag: str) -> None:
    """Put an image that the engine has into the registry, and take the name away again."""
    connector = aiohttp.UnixConnector(url.removeprefix("unix://"))
    async with connector, aiodocker.Docker("unix://localhost", connector=connector) as docker:
        await docker.images.tag(image, repo=name, tag=tag)
        await docker.images.push(name, tag=tag, auth={"username": "a", "password": "b"})
        await docker.images.delete(f"{name}:{tag}")


async def test_an_image_is_pulled_from_the_registry_of_the_settings(
    own_engine: PrivateEngine, connect: Connect, address: str
) -> None:
    built = await connect(own_engine.url).image("3.11")
    await push(own_engine.url, built, f"{address}/library/python", "3.12-slim")
    engine = connect(own_engine.url, registry=f"{address}/library")
    lines: list[str] = []
    pulled = await engine.image("3.12", progress=lines.append)
    assert any("Pulling" in line for line in lines)
    ended = await engine.wait(await engine.launch(spec("pull", pulled, 1, "python3", "-V")))
    assert ended.evidence.startswith("Python 3.")

    lines.clear()
    assert await engine.image("3.12", progress=lines.append) == pulled
    assert lines == []


async def test_a_pulled_image_is_known_by_the_digest_that_everybody_gets_it_by(
    own_engine: PrivateEngine, connect: Connect, address: str, engine_images: Path
) -> None:
    name = await offer_base(Engine(own_engine.url), engine_images, address, "3.12-slim")
    engine = connect(own_engine.url, registry=f"{address}/library/")
    image = await engine.image("3.12")
    assert await engine.published(image) == name

    elsewhere = connect(own_engine.url)
    assert await elsewhere.published(image) is None  # that registry has no such image
    assert await elsewhere.published("sha256:" + "0" * 64) is None


async def test_an_image_that_was_built_here_has_no_name_for_others(
    own_engine: PrivateEngine, connect: Connect
) -> None:
    engine = connect(own_engine.url)
    assert await engine.published(await engine.image("3.11")) is None


async def test_a_registry_that_answers_is_believed(
    own_engine: PrivateEngine, connect: Connect, address: str
) -> None:
    with pytest.raises(ImageUnavailable, match=r"python:3\.11-slim"):
        await connect(own_engine.url, registry=f"{address}/library").image("3.11")


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
