"""What the README's first screen promises, run as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support import agents
from tests.support.serving import Serving, clean_environment

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/#token=st_[\w-]{43}")


@pytest.fixture
def home(docker_socket: str) -> Iterator[Serving]:
    """A data folder in which nothing runs yet."""
    process = Serving({"docker_host": docker_socket})
    yield process
    process.close()


def test_the_python_of_the_readme_runs_beside_seatrial_serve(home: Serving) -> None:
    [program] = [
        block
        for block in re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
        if "from seatrial import Client" in block
    ]
    home.start()
    ran = subprocess.run(
        [sys.executable, "-c", f"code = {agents.ASK!r}\n{program}"],
        env=home.environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    *events, result = ran.stdout.splitlines()
    assert events[0].startswith("1 ")
    assert "response=" in result


def test_the_demo_runs_and_prints_an_address_that_signs_in(home: Serving) -> None:
    ran = subprocess.run(
        ["sh", str(ROOT / "scripts/demo.sh")],
        env=clean_environment(data_dir=str(home.data_dir), port=str(home.port), **home.settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "succeeded" in ran.stdout
    assert ADDRESS.findall(ran.stdout) == [home.page_url]
    # As the last lines say: serve, then open that address.
    home.start()
    with httpx.Client(base_url=home.url, headers=home.headers) as client:
        [test] = client.get("/api/v1/tests").json()["tests"]
    assert test["outcome"] == "succeeded"
