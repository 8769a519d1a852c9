"""Real container engines for tests: private ones, started once per session and kept filled.

Their folder stays between sessions, so that images are built once: SEATRIAL_TEST_DATA, else one
per user below /var/tmp (a short path that other users may pass through, which a home is not).
Sessions that run at one time share the engines; the last one stops them.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from seatrial.engines.private import Kind, PrivateEngine, install


def kept_folder() -> Path:
    """The folder that tests keep between sessions; ours alone."""
    named = os.environ.get("SEATRIAL_TEST_DATA")
    folder = Path(named) if named else Path(f"/var/tmp/seatrial-tests-{os.getuid()}")
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        pytest.fail(f"{folder} belongs to somebody else: set SEATRIAL_TEST_DATA")
    return folder


def engine_folder(kind: Kind) -> Path:
    """Where that engine lives."""
    return kept_folder() / "engine" / kind


async def start_engine(kind: Kind, folder: Path | None = None) -> str:
    """Install the engine if need be, start it unless it runs; its socket's url. SetupFailed."""
    await install(kind, print)
    return await PrivateEngine(kind, folder or engine_folder(kind)).start()


@contextlib.contextmanager
def _shared_engine(kind: Kind, folder: Path | None = None) -> Generator[str]:
    """The engine, held against other sessions' stop for as long as it is used."""
    folder = folder or engine_folder(kind)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users.lock").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield asyncio.run(start_engine(kind, folder))
        finally:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                asyncio.run(PrivateEngine(kind, folder).stop())


@pytest.fixture(scope="session")
def docker_socket() -> Iterator[str]:
    """Url of a running Docker. A test that needs it fails where none can be had."""
    with _shared_engine("docker") as url:
        yield url


@pytest.fixture(scope="session")
def podman_socket() -> Iterator[str]:
    """Url of a running Podman. A test that needs it fails where none can be had."""
    with _shared_engine("podman") as url:
        yield url


@pytest.fixture(scope="session")
def gvisor_socket() -> Iterator[str]:
    """Url of a Docker that offers gVisor: one of its own, since it must be there at its start."""
    if shutil.which("runsc") is None:
        pytest.fail("These tests need gVisor: apt-get install runsc")
    with _shared_engine("docker", kept_folder() / "engine" / "gvisor") as url:
        yield url


@pytest.fixture(scope="session")
def engine_images() -> Path:
    """Folder of the base images that were built here, shared by all engines."""
    return kept_folder() / "images"
