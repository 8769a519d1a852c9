"""With every folder open, the sockets of a slot still take its own container's processes alone."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio

from seatrial.domain.ports import ContainerSpec
from seatrial.harness.protocol import VERSION, Hello, ResultFrame, encode
from seatrial.slots import FrameBatch, Slots
from seatrial.slots.peers import ancestors, control_groups, is_process_1

from .slot_worker import PYTHON, Place, ignore, slots_at, spec_of, work_of

pytestmark = [
    pytest.mark.engine,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user"),
]

STRANGER = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c")
SPEAK = """
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.settimeout(60)
client.connect(sys.argv[1])
print("connected", flush=True)
got = b""
try:
    client.sendall(bytes.fromhex(sys.argv[2]))
    while len(got) < 4096 and (data := client.recv(4096)):
        got += data
except OSError:
    pass
print(got.hex(), flush=True)
"""
REQUEST = b"GET /ollama/api/tags HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
CALLS = """
import socket, sys, time, urllib.error, urllib.request

def by_the_forwarder():
    try:
        urllib.request.urlopen("http://127.0.0.1:11434/api/tags")
    except urllib.error.HTTPError as error:
        return str(error.code)

def by_the_socket():
    client = socket.socket(socket.AF_UNIX)
    client.connect("/seatrial/door/gateway.sock")
    client.sendall(b"GET /ollama/api/tags HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
    return client.recv(12).decode()[-3:]

def run(query):
    answers = [by_the_forwarder(), by_the_socket()]
    print("asked", flush=True)
    time.sleep(3)
    return " ".join(answers)
"""


@pytest.fixture(params=["docker", "podman"])
def url(request: pytest.FixtureRequest) -> str:
    """Both engines, one after the other."""
    return request.getfixturevalue(f"{request.param}_socket")


@pytest.fixture(params=["socket", "relay"])
def door(request: pytest.FixtureRequest) -> Literal["socket", "relay"]:
    """Both ways into the container."""
    return request.param


@pytest_asyncio.fixture
async def place(
    url: str, door: Literal["socket", "relay"], short_folder: Path, engine_images: Path
) -> AsyncIterator[Place]:
    name = f"st{secrets.token_hex(4)}"
    made = Place(url, str(short_folder), str(engine_images), name, CALLS, door=door)
    yield made
    async with slots_at(made) as slots:
        await slots.discard(made.name)


async def stranger(path: Path, said: bytes) -> asyncio.subprocess.Process:
    """Another local user who has connected and speaks."""
    process = await asyncio.create_subprocess_exec(
        *(*STRANGER, SPEAK, str(path), said.hex()), stdout=asyncio.subprocess.PIPE, cwd="/"
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"connected\n"
    return process


async def got(process: asyncio.subprocess.Process) -> bytes:
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return bytes.fromhex(out.decode().strip())


def open_to_all(slots: Slots, place: Place) -> Path:
    """As if no folder and no mode closed the door."""
    door = slots.folders(place.name).door
    for folder in (Path(place.state), door.parent.parent, door.parent, door):
        folder.chmod(0o777)
    for socket in door.glob("*.sock"):
        socket.chmod(0o666)
    return door


@pytest.mark.spec("FR-011")
async def test_another_user_gets_nothing_from_open_sockets(place: Place) -> None:
    thieves = list[asyncio.subprocess.Process]()
    ended = list[str]()

    async with slots_at(place) as slots:
        launch = slots.engine.launch

        async def attacked_first(spec: ContainerSpec) -> str:
            door = open_to_all(slots, place)
            claim = (door / "claim").read_text()
            hello = encode(Hello(VERSION, claim, None, False))
            thieves.append(await stranger(door / "channel.sock", hello))
            thieves.append(await stranger(door / "gateway.sock", REQUEST))
            return await launch(spec)

        slots.engine.launch = attacked_first
        slot = await slots.open(spec_of(place, await slots.engine.image(PYTHON)), ignore)

        async def store(batch: FrameBatch) -> None:
            door = slots.folders(place.name).door
            for _, frame in batch:
                if isinstance(frame, ResultFrame):
                    ended.append(frame.response)
                elif getattr(frame, "text", "") == "asked\n":
                    session = slots.folders(place.name).read_session()
                    hello = encode(Hello(VERSION, None, session, True))
                    thieves.append(await stranger(door / "channel.sock", hello))
                    thieves.append(await stranger(door / "gateway.sock", REQUEST))

        await slot.run(work_of(place), store)
        await slot.remove()

    assert [await got(thief) for thief in thieves] == [b"", b"", b"", b""]
    assert ended == ["403 403"]


async def test_a_container_that_is_taken_over_is_known_again(place: Place) -> None:
    place = replace(place, grace=60.0)
    async with slots_at(place) as slots:
        slot = await slots.open(spec_of(place, await slots.engine.image(PYTHON)), ignore)
        ended = list[str]()

        async def store(batch: FrameBatch) -> None:
            ended.extend(frame.response for _, frame in batch if isinstance(frame, ResultFrame))

        async with asyncio.timeout(60):
            while slots.folders(place.name).read_session() is None:
                await asyncio.sleep(0.05)
        await slot.detach()
        async with slots_at(place) as heirs:
            adopted = await heirs.adopt(replace(spec_of(place, ""), image=""), ignore, acked=0)
            assert adopted is not None
            await adopted.run(work_of(place), store)
            await adopted.remove()
    assert ended == ["403 403"]


def test_what_the_kernel_tells_of_processes_is_read_right() -> None:
    assert ancestors(os.getpid())[:2] == [os.getpid(), os.getppid()]
    assert not is_process_1(os.getpid()) or len(sys.argv) == 0
    assert control_groups(os.getpid()) == Path("/proc/self/cgroup").read_text()
    assert (ancestors(2**22 + 1), control_groups(2**22 + 1)) == ([2**22 + 1], "")
    assert json.dumps(ancestors(1)) == "[]"
