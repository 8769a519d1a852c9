"""The part of the conformance suite about volumes and pipes; see `engines`."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from typing import TYPE_CHECKING

import pytest

from seatrial.domain.errors import EngineRefused, PlatformError
from seatrial.domain.ports import Mount, Pipe, VolumeMount

from . import engine_probes as probes

if TYPE_CHECKING:
    from .engines import Box, MakeEngine

_SECONDS = 30.0
_MUCH = 8 << 20
_LITTLE_UNDER_WAY = 16 << 20
"""What engine, kernel and client may hold between them while nobody reads."""


async def read_all(pipe: Pipe, size: int | None = None) -> bytes:
    """Everything up to the end of the pipe, or so many bytes of it."""
    got = bytearray()
    async with asyncio.timeout(_SECONDS):
        while (size is None or len(got) < size) and (data := await pipe.read()):
            got += data
    return bytes(got)


class SharingConformance:
    """What containers share with each other and with whoever launched them."""

    # ------------------------------------------------------------------ volumes

    async def test_a_volume_is_made_once_listed_and_removed(self, box: Box) -> None:
        """By its installation; making and removing may be repeated."""
        name = f"{box.installation}-v"
        labels = {"seatrial": "conformance", "seatrial.installation": box.installation}
        await box.engine.make_volume(name, labels)
        await box.engine.make_volume(name, labels)
        (found,) = await box.engine.volumes(box.installation)
        assert found.name == name
        assert found.labels.items() >= labels.items()
        assert await box.engine.volumes("another") == []
        await asyncio.gather(*[box.engine.remove_volume(name) for _ in range(2)])
        await box.engine.remove_volume(name)
        assert await box.engine.volumes(box.installation) == []

    async def test_a_socket_in_a_volume_leads_from_one_container_to_another(self, box: Box) -> None:
        """Who mounts it read-only can make nothing there, whoever it is."""
        volume = await box.volume()
        server, pipe = await box.engine.launch_piped(
            box.spec(
                "python3",
                "-c",
                probes.SOCKET_SERVER,
                volumes=(VolumeMount(volume, "/door", read_only=False),),
            )
        )
        assert await read_all(pipe, 6) == b"ready\n"
        for user in ("", probes.AS_AGENT):
            result = await box.probe(user + probes.DOOR, volumes=(VolumeMount(volume, "/door"),))
            assert result == {"answer": "ping pong", "made": False}
        await pipe.close()
        assert (await box.engine.wait(server)).code == 0

    async def test_volumes_are_apart_and_stay_while_they_are_used(self, box: Box) -> None:
        """EngineRefused for one that a container has, also one that ended."""
        mine, other = await box.volume(), await box.volume()
        touch = "touch /door/file && ls /door"
        ended = await box.run(
            "sh", "-c", touch, volumes=(VolumeMount(mine, "/door", read_only=False),)
        )
        assert ended.evidence == "file\n"
        seen = await box.run("ls", "/door", volumes=(VolumeMount(other, "/door"),))
        assert (seen.code, seen.evidence) == (0, "")
        with pytest.raises(EngineRefused):
            await box.engine.remove_volume(mine)

    # ------------------------------------------------------------------ pipes

    async def test_a_pipe_carries_every_byte_both_ways(self, box: Box) -> None:
        """Whole and in order, and ends when it is closed."""
        container, pipe = await box.engine.launch_piped(box.spec("cat"))
        sent = os.urandom(_MUCH)

        async def send() -> None:
            for start in range(0, len(sent), 100_000):
                await pipe.write(sent[start : start + 100_000])

        sending = asyncio.create_task(send())
        got = await read_all(pipe, len(sent))
        await sending
        assert hashlib.sha256(got).digest() == hashlib.sha256(sent).digest()
        await pipe.close()
        assert (await asyncio.wait_for(box.engine.wait(container), _SECONDS)).code == 0

    async def test_who_does_not_read_a_pipe_makes_the_writer_wait(self, box: Box) -> None:
        """So that nothing grows in between, and nothing is lost either."""
        stalled: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            stalled.set_result(int(await reader.read()))
            writer.close()

        with tempfile.TemporaryDirectory(prefix="st-", dir="/tmp") as folder:
            server = await asyncio.start_unix_server(hear, f"{folder}/socket")
            spec = box.spec("python3", "-c", probes.WRITE_MUCH, mounts=(Mount(folder, "/door"),))
            _, pipe = await box.engine.launch_piped(spec)
            written = await asyncio.wait_for(stalled, _SECONDS)
            server.close()
        assert written < _LITTLE_UNDER_WAY
        assert len(await read_all(pipe)) == written

    async def test_a_pipes_evidence_is_what_process_1_said_besides(self, box: Box) -> None:
        """Its standard error."""
        container, pipe = await box.engine.launch_piped(
            box.spec("sh", "-c", "echo out; echo why >&2; exit 3")
        )
        assert await read_all(pipe) == b"out\n"
        ended = await box.engine.wait(container)
        assert (ended.code, ended.evidence) == (3, "why\n")

    async def test_a_pipe_ends_with_whoever_launched_it(
        self, box: Box, make_engine: MakeEngine
    ) -> None:
        """Process 1 reads the end of its standard input."""
        first = make_engine()
        await first.describe()
        container, pipe = await first.launch_piped(box.spec("sh", "-c", "cat; exit 7"))
        try:
            await pipe.write(b"x")
            assert await pipe.read() == b"x"
            waiting = asyncio.create_task(box.engine.wait(container))
        finally:
            await first.aclose()
        assert (await asyncio.wait_for(waiting, _SECONDS)).code == 7

    async def test_a_pipe_is_not_shared_and_fails_after_its_end(self, box: Box) -> None:
        """EngineRefused for a name in use; a platform error for a write into nothing."""
        spec = box.spec("cat")
        container, pipe = await box.engine.launch_piped(spec)
        with pytest.raises(EngineRefused):
            await box.engine.launch_piped(spec)
        await box.engine.kill(container)
        assert await read_all(pipe) == b""
        await pipe.close()
        await pipe.close()
        with pytest.raises(PlatformError):
            await pipe.write(b"x")

    async def test_a_cancelled_making_leaves_nothing(self, box: Box) -> None:
        """Neither a volume nor a piped container, at whatever moment it comes."""
        for delay in (0.0, 0.002, 0.01):
            task = asyncio.create_task(box.volume())
            await asyncio.wait([task], timeout=delay)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if not task.cancelled():
                await box.engine.remove_volume(task.result())
        assert await box.engine.volumes(box.installation) == []
        for delay in (0.0, 0.01, 0.05):
            task = asyncio.create_task(box.engine.launch_piped(box.spec("cat")))
            await asyncio.wait([task], timeout=delay)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if not task.cancelled():
                await box.engine.remove(task.result()[0])
        assert await box.engine.containers(box.installation) == []
