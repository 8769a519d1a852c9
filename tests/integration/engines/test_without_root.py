"""A user who may use the engine's socket and nothing else runs containers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import aiodocker
import pytest

import seatrial
from seatrial.engines.private import Kind, PrivateEngine

pytestmark = pytest.mark.engine

SCRIPT = """
import asyncio, os, sys
from pathlib import Path
from seatrial.domain.ports import ContainerLimits, ContainerSpec
from seatrial.engines.docker.config import DockerConfig
from seatrial.engines.docker.engine import DockerEngine

async def main():
    assert os.geteuid() == 12345
    url, folder, images = sys.argv[1:]
    engine = DockerEngine(DockerConfig(url, Path(folder), Path(images), "127.0.0.1:1"))
    labels = {"seatrial": "t", "seatrial.installation": "user"}
    spec = ContainerSpec("user-1", await engine.image("3.11"), ("id", "-u"),
                         ContainerLimits(64, 0.5, 32), labels)
    container = await engine.launch(spec)
    print(await engine.wait(container))
    await engine.remove(container)
    await engine.aclose()

asyncio.run(main())
"""


def run_as_user(python: str, group: int, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run Python as user 12345 with our own packages to import."""
    packages = Path(aiodocker.__file__).parents[1]
    source = Path(seatrial.__file__).parents[1]
    return subprocess.run(
        ["setpriv", "--reuid=12345", f"--regid={group}", "--clear-groups", python, *argv],
        env={"PYTHONPATH": f"{source}:{packages}", "PATH": os.environ["PATH"], "HOME": "/tmp"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def python() -> str:
    """An interpreter of our version that another user may start."""
    for candidate in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        if run_as_user(candidate, 12345, "-c", "import aiodocker").returncode == 0:
            return candidate
    pytest.fail("No Python here can be started by another user.")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
async def test_the_sockets_group_is_enough(
    python: str, kind: Kind, own_engine: PrivateEngine, short_folder: Path, engine_images: Path
) -> None:
    os.chown(own_engine.socket, 0, 4321)
    own_engine.socket.chmod(0o660)
    state = short_folder / "user"
    state.mkdir()
    os.chown(state, 12345, 4321)
    # The image is loaded as root before: its folder belongs to root.
    from seatrial.engines.docker.config import DockerConfig
    from seatrial.engines.docker.engine import DockerEngine

    root = DockerEngine(DockerConfig(own_engine.url, state, engine_images, "127.0.0.1:1"))
    await root.image("3.11")
    await root.aclose()
    ended = run_as_user(python, 4321, "-c", SCRIPT, own_engine.url, str(state), str(engine_images))
    assert "code=0" in ended.stdout, ended.stderr
    assert "evidence='0" in ended.stdout, f"{kind}: process 1 is root of the container"
