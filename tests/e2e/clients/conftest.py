"""One server for all clients, with the scripted services behind it, on each engine in turn."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import scripted
from tests.support.serving import Serving


@pytest.fixture(scope="session")
def clients_folder() -> Iterator[Path]:
    """A data folder that outlives a change of engine, and with it the fetched packages."""
    folder = Path(tempfile.mkdtemp(prefix="st-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def services() -> Iterator[scripted.Services]:
    """The model services."""
    with scripted.services() as services:
        yield services


@pytest.fixture(scope="session")
def served(engine_url: str, clients_folder: Path, services: scripted.Services) -> Iterator[Serving]:
    """The server; its real keys are the canaries of `scripted`."""
    process = Serving(
        {"docker_host": engine_url},
        data_dir=clients_folder,
        extra_environment=services.environment,
    )
    yield process.start()
    process.stop()
