"""Image builds are shut off and limited, whatever the engine makes of what it is asked."""

from __future__ import annotations

import asyncio
import io
import secrets
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from seatrial.domain.errors import EngineRefused
from seatrial.domain.ports import ImageLimits
from seatrial.engines.docker.config import DockerConfig
from seatrial.engines.docker.engine import DockerEngine
from seatrial.worker.rehearsal_image import timed

pytestmark = pytest.mark.engine

LIMITS = ImageLimits(memory_mb=64, cpus=0.5, seconds=60.0, context_mb=4)
CLOSED = r"""
RUN ! grep -v -e '^ *lo:' -e '|' /proc/net/dev
RUN test "$(cat /proc/sys/kernel/hostname)" && test "$(ls -d /proc/[0-9]* | wc -l)" -lt 8
RUN cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null \
 | grep -qx 67108864
RUN cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max 2>/dev/null | grep -q '^50000'
"""


@pytest_asyncio.fixture
async def engine(url: str, engine_images: Path, tmp_path: Path) -> AsyncIterator[DockerEngine]:
    engine = DockerEngine(DockerConfig(url, tmp_path / "state", engine_images, "127.0.0.1:1"))
    yield engine
    await engine.aclose()


async def build(
    engine: DockerEngine, folder: Path, text: str, limits: ImageLimits = LIMITS
) -> None:
    """Build an image of those instructions on the base image, and remove it."""
    text = f"FROM {await engine.image('3.11')}\nLABEL once={secrets.token_hex(4)}\n{text}"
    dockerfile = timed(text, limits.seconds)
    context = folder / "context.tar"
    with tarfile.open(context, "w") as archive:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(dockerfile.encode())
        archive.addfile(member, io.BytesIO(dockerfile.encode()))
    name = f"seatrial-build:{secrets.token_hex(6)}"
    try:
        await engine.build_image(name, context, {}, limits)
    finally:
        await engine.remove_image(name)


async def test_a_build_has_no_network_and_no_more_than_its_limits(
    engine: DockerEngine, tmp_path: Path
) -> None:
    await build(engine, tmp_path, CLOSED)


async def test_a_build_beyond_its_time_is_ended_with_its_processes(
    engine: DockerEngine, tmp_path: Path
) -> None:
    seconds = f"60{secrets.randbelow(10**6):06d}"
    short = ImageLimits(memory_mb=64, cpus=0.5, seconds=8.0, context_mb=4)
    with pytest.raises(EngineRefused, match="took longer than 8 s"):
        await build(engine, tmp_path, f"RUN exec sleep {seconds}", short)
    async with asyncio.timeout(60):
        while _runs(f"sleep\0{seconds}\0".encode()):
            await asyncio.sleep(0.2)


def _runs(command: bytes) -> bool:
    """Whether a process of this machine has that command line: containers' are among them."""
    return any(_command_line(path) == command for path in Path("/proc").glob("[0-9]*/cmdline"))


def _command_line(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
