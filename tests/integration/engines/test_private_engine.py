"""A container engine of our own: started, found, adopted, lost and ended."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from seatrial.domain.errors import EngineUnavailable, SetupFailed
from seatrial.engines.docker.engine import DockerEngine
from seatrial.engines.private import Kind, PrivateEngine
from seatrial.engines.sockets import answers

from .conftest import spec

pytestmark = pytest.mark.engine
Connect = Callable[..., DockerEngine]


def processes_of(folder: Path) -> list[str]:
    """Command lines that name the folder."""
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if f"{folder}/" in command:
                found.append(command)
    return found


async def test_it_starts_once_and_is_adopted_by_others(own_engine: PrivateEngine) -> None:
    pid = (own_engine.folder / "engine.pid").read_text()
    other = PrivateEngine(own_engine.kind, own_engine.folder)
    await asyncio.gather(other.start(), PrivateEngine(own_engine.kind, own_engine.folder).start())
    assert (own_engine.folder / "engine.pid").read_text() == pid


async def test_stopping_leaves_no_process_no_mount_and_no_socket(
    own_engine: PrivateEngine, connect: Connect
) -> None:
    engine = connect(own_engine.url)
    image = await engine.image("3.11")
    await engine.launch(spec("stop", image, 1, "sleep", "600"))
    await engine.aclose()
    # Not the object that started it: an engine outlives the process that did.
    await PrivateEngine(own_engine.kind, own_engine.folder).stop()
    assert processes_of(own_engine.folder) == []
    assert str(own_engine.folder) not in Path("/proc/self/mounts").read_text()
    assert not answers(own_engine.socket)
    await own_engine.stop()


async def test_a_killed_engine_is_told_to_those_who_wait_and_can_start_again(
    own_engine: PrivateEngine, connect: Connect
) -> None:
    engine = connect(own_engine.url)
    image = await engine.image("3.11")
    container = await engine.launch(spec("lost", image, 1, "sleep", "600"))
    waiting = asyncio.create_task(engine.wait(container))
    await asyncio.wait([waiting], timeout=0.3)
    os.kill(int((own_engine.folder / "engine.pid").read_text()), signal.SIGKILL)
    with pytest.raises(EngineUnavailable):
        await asyncio.wait_for(waiting, 60)
    await own_engine.start()
    assert (await connect(own_engine.url).image("3.11")) == image
    await connect(own_engine.url).remove(container)
    assert (await asyncio.wait_for(engine.wait(container), 60)).code == 137


async def test_fifty_waiters_cost_the_engine_next_to_nothing(
    kind: Kind, own_engine: PrivateEngine, connect: Connect
) -> None:
    engine = connect(own_engine.url)
    image = await engine.image("3.11")
    ids = [await engine.launch(spec("many", image, n, "sleep", "600")) for n in range(10)]
    waiting = [asyncio.create_task(engine.wait(ids[n % 10])) for n in range(50)]
    await asyncio.wait(waiting, timeout=1)
    pid = int((own_engine.folder / "engine.pid").read_text())
    before, started = cpu_seconds(pid), time.monotonic()
    await asyncio.wait(waiting, timeout=6)
    share = (cpu_seconds(pid) - before) / (time.monotonic() - started)
    await asyncio.gather(*[engine.remove(container) for container in ids])
    assert {(await task).code for task in waiting} == {137}
    assert share < 0.15, f"{kind} used {share:.0%} of a core"


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def test_a_podman_runs_in_a_folder_as_deep_as_that_of_a_user_with_a_long_name(
    short_folder: Path, connect: Connect
) -> None:
    folder = short_folder / ("d" * (59 - len(str(short_folder))))
    podman = PrivateEngine("podman", folder)
    elsewhere = podman._runroot  # pyright: ignore[reportPrivateUsage]
    assert folder not in elsewhere.parents
    await podman.start()
    try:
        engine = connect(podman.url)
        container = await engine.launch(spec("deep", await engine.image("3.11"), 1, "true"))
        assert (await engine.wait(container)).code == 0
        assert elsewhere.stat().st_mode & 0o777 == 0o700
    finally:
        await podman.stop()
    assert not elsewhere.exists()
    assert processes_of(folder) == []


async def test_a_folder_that_somebody_else_made_is_not_used(short_folder: Path) -> None:
    folder = short_folder / ("d" * (59 - len(str(short_folder))))
    podman = PrivateEngine("podman", folder)
    placed = podman._runroot  # pyright: ignore[reportPrivateUsage]
    placed.symlink_to(short_folder)
    try:
        with pytest.raises(SetupFailed, match="belongs to another user"):
            await podman.start()
    finally:
        placed.unlink()
