"""What an image sets for its containers counts for nothing: process 1 is ours, as ours."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from tests.support.package_images import Engine as Cli

from seatrial.domain.errors import EngineRefused
from seatrial.domain.ports import ContainerExit, Tmpfs
from seatrial.engines.docker.config import DockerConfig
from seatrial.engines.docker.engine import DockerEngine

from .conftest import spec

pytestmark = pytest.mark.engine

ODD = """
FROM {base}
RUN mkdir -p /odd/bin /volume \\
 && printf '#!/bin/sh\\necho the image chose process 1\\n' > /odd/bin/python3 \\
 && chmod 755 /odd/bin/python3
ENV PATH=/odd/bin:/usr/local/bin:/usr/bin:/bin LD_PRELOAD=/odd/lib.so PYTHONHOME=/odd FOO=bar
ENV PYTHONINSPECT=1
SHELL ["/odd/bin/python3"]
ENTRYPOINT ["/odd/bin/python3"]
CMD ["of", "the", "image"]
USER 4711
WORKDIR /odd
VOLUME ["/volume"]
STOPSIGNAL SIGCONT
HEALTHCHECK --interval=1s --retries=1 CMD ["/bin/sh", "-c", "touch /space/health"]
"""

LOOK = """
import json, os, sys, time
time.sleep(SECONDS)
def writable(path):
    try:
        open(path, "w").close()
        return True
    except OSError:
        return False
print(json.dumps({
    "pid": os.getpid(),
    "uid": os.getuid(),
    "folder": os.getcwd(),
    "executable": os.readlink("/proc/self/exe"),
    "environment": dict(os.environ),
    "volume": writable("/volume/probe"),
    "checked": os.path.exists("/space/health"),
}))
"""


@pytest_asyncio.fixture
async def engine(url: str, engine_images: Path, tmp_path: Path) -> AsyncIterator[DockerEngine]:
    config = DockerConfig(url, tmp_path / "state", engine_images, "127.0.0.1:1")
    engine = DockerEngine(config)
    yield engine
    await engine.aclose()


@pytest_asyncio.fixture
async def odd(engine: DockerEngine, url: str) -> AsyncIterator[str]:
    """The name of an image that sets everything an image can set."""
    name = f"seatrial-odd:{secrets.token_hex(6)}"
    text = ODD.format(base=await engine.image("3.11"))
    Cli(url).run("build", "--tag", name, "-", given=text)
    yield name
    Cli(url).run("rmi", "--force", name, check=False)


async def ended(
    engine: DockerEngine, name: str, image: str, *, python: str = "python3", seconds: float = 0
) -> ContainerExit:
    source = LOOK.replace("SECONDS", str(seconds))
    made = spec(name, image, 1, python, "-I", "-S", "-c", source)
    made = replace(made, tmpfs=(Tmpfs("/space", 1),))
    container = await engine.launch(made)
    try:
        return await engine.wait(container)
    finally:
        await engine.remove(container)


async def test_an_image_chooses_neither_process_1_nor_its_user_nor_its_variables(
    engine: DockerEngine, odd: str
) -> None:
    found = await ended(engine, "odd-start", odd)
    assert found.code == 0, found
    seen = json.loads(found.evidence.splitlines()[-1])
    assert (seen["pid"], seen["uid"], seen["folder"]) == (1, 0, "/")
    assert seen["executable"].startswith(("/usr/bin/python3", "/usr/local/bin/python3"))
    assert seen["environment"].pop("PATH").split(":")[0] == "/usr/local/sbin"
    assert set(seen["environment"]) <= {"HOME", "HOSTNAME", "LANG"}
    assert not seen["volume"]


async def test_an_images_health_check_never_runs(engine: DockerEngine, odd: str) -> None:
    """The engine would run it beside process 1, as root."""
    made = await ended(engine, "odd-health", odd, python="/usr/bin/python3", seconds=3)
    assert json.loads(made.evidence.splitlines()[-1])["checked"] is False


async def test_a_program_is_never_looked_for_where_the_image_says(
    engine: DockerEngine, odd: str
) -> None:
    with pytest.raises(EngineRefused, match="no program only-here"):
        await engine.launch(spec("odd-program", odd, 1, "only-here"))
    assert await engine.containers("odd-program") == []
