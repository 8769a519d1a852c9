"""Engine objects for the shared engines, and private engines of a test's own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from seatrial.domain.ports import ContainerLimits, ContainerSpec
from seatrial.engines.docker.config import DockerConfig
from seatrial.engines.docker.engine import DockerEngine
from seatrial.engines.private import Kind, PrivateEngine

LIMITS = ContainerLimits(memory_mb=64, cpus=0.5, processes=32)


def spec(installation: str, image: str, number: int, *argv: str) -> ContainerSpec:
    """A small container."""
    labels = {"seatrial": "t", "seatrial.installation": installation}
    return ContainerSpec(f"{installation}-{number}", image, argv, LIMITS, labels)


@pytest.fixture(params=["docker", "podman"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Both engines, one after the other."""
    return request.param


@pytest.fixture
def url(request: pytest.FixtureRequest, kind: Kind) -> str:
    """The shared engine of that kind."""
    return str(request.getfixturevalue(f"{kind}_socket"))


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a path that is short enough for sockets, passable for other users."""
    folder = Path(tempfile.mkdtemp(prefix="st-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def own_engine(kind: Kind, short_folder: Path) -> AsyncIterator[PrivateEngine]:
    """A private engine that this test may kill."""
    engine = PrivateEngine(kind, short_folder / kind)
    await engine.start()
    yield engine
    await engine.stop()


@pytest.fixture
async def connect(
    engine_images: Path, short_folder: Path
) -> AsyncIterator[Callable[..., DockerEngine]]:
    """A maker of engine objects, given a url and perhaps a registry."""
    made: list[DockerEngine] = []

    def make(url: str, registry: str = "127.0.0.1:1") -> DockerEngine:
        config = DockerConfig(
            url, short_folder / "state", engine_images, registry, patience_seconds=1.0
        )
        made.append(DockerEngine(config))
        return made[-1]

    yield make
    for engine in made:
        await engine.aclose()
