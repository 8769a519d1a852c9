"""Everything works below a path that leaves no room for a socket."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.client import Client
from seatrial.domain.data_folder import server_socket
from tests.support.serving import Serving

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.fixture
def deep() -> Iterator[Path]:
    """A data folder whose path has more than 150 characters."""
    top = Path(tempfile.mkdtemp(prefix="st-"))
    top.chmod(0o711)
    folder = top / ("h" * 80) / ("i" * 80)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(top, ignore_errors=True)
    shutil.rmtree(server_socket(folder).parent, ignore_errors=True)


def test_a_test_runs_with_a_data_folder_of_a_long_path(engine_url: str, deep: Path) -> None:
    served = Serving({"docker_host": engine_url}, data_dir=deep).start()
    try:
        with Client(socket_path=server_socket(deep)) as client:
            test = client.submit(
                files={"agent.py": "def run(query): return query\n"}, query="hello", model="none"
            )
            done = client.wait(test.id)
        assert done.failure is None
        assert done.attempt == 1
        assert server_socket(deep).is_socket()
        assert os.stat(server_socket(deep).parent).st_mode & 0o777 == 0o700
    finally:
        served.close()
