"""A rig on each engine, with an index of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from environment_rig import Place, Rig, Rigs
from tests.support.local_index import LocalIndex


@pytest.fixture(params=["docker", "podman"])
def engine_url(request: pytest.FixtureRequest) -> str:
    """The socket of each engine in turn."""
    return str(request.getfixturevalue(f"{request.param}_socket"))


@pytest.fixture
def state() -> Iterator[Path]:
    """A folder with a short path, as sockets need, through which containers' users may pass."""
    folder = Path(tempfile.mkdtemp(prefix="st-", dir="/var/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalIndex]:
    """An empty index whose authority this machine trusts through the usual variable."""
    folder = tmp_path / "index"
    folder.mkdir()
    served = LocalIndex(folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(served.certificates))
    yield served
    served.close()


@pytest.fixture
async def rigs(
    engine_url: str, engine_images: Path, state: Path, index: LocalIndex
) -> AsyncGenerator[Rigs]:
    """For tests that want their own settings, or more than one rig over one folder."""
    settings = {"index_url": index.url, "build_timeout_seconds": 120}
    async with AsyncExitStack() as stack:
        yield Rigs(stack, Place(engine_url, state, engine_images, settings))


@pytest.fixture
async def rig(rigs: Rigs) -> Rig:
    """A rig over the local index."""
    return await rigs.open()
