"""Slots on real engines: lost containers, lost workers, and what an agent can reach."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest
import pytest_asyncio

from seatrial.harness.protocol import Frame, Log
from seatrial.slots import FrameBatch, Slot, SlotEnd, Slots

from .slot_worker import PYTHON, Place, ignore, slots_at, spec_of, work_of

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

SECONDS = 60.0
TICKS = 60
Door = Literal["socket", "relay"]
PARTS = {
    *("container", "tmpfs", "image_layer"),
    *("door_socket", "channel_socket", "credentials", "folder"),
}
"""What every slot's receipt names."""
COUNTING = f"""
import time
def run(query):
    for tick in range({TICKS}):
        print("tick", tick, flush=True)
        time.sleep(0.05)
    return "done"
"""
ENDLESS = """
import time
def run(query):
    tick = 0
    while True:
        print("tick", tick, flush=True)
        tick += 1
        time.sleep(0.05)
"""


@pytest.fixture(params=["docker", "podman"])
def url(request: pytest.FixtureRequest) -> str:
    """Both engines, one after the other."""
    return request.getfixturevalue(f"{request.param}_socket")


@pytest.fixture(params=["socket", "relay"])
def door(request: pytest.FixtureRequest) -> Door:
    """Both ways into the container: everything holds for both."""
    return request.param


@pytest_asyncio.fixture
async def place(
    url: str, door: Door, short_folder: Path, engine_images: Path
) -> AsyncIterator[Place]:
    """A place of this test's own; whatever is left there is removed."""
    name = f"st{secrets.token_hex(4)}"
    made = Place(url, str(short_folder), str(engine_images), name, COUNTING, door=door)
    yield made
    async with slots_at(made) as slots:
        await slots.discard(made.name)


@pytest_asyncio.fixture
async def slots(place: Place) -> AsyncIterator[Slots]:
    async with slots_at(place) as made:
        yield made


# --------------------------------------------------------------------------- one worker


class Driven:
    """A slot that this process drives."""

    def __init__(self, slot: Slot, place: Place) -> None:
        self.slot = slot
        self.frames: list[tuple[int, Frame]] = []
        self._changed = asyncio.Condition()
        self.ended = asyncio.create_task(slot.run(work_of(place), self._store))

    async def _store(self, batch: FrameBatch) -> None:
        async with self._changed:
            self.frames += batch
            self._changed.notify_all()

    @property
    def log(self) -> str:
        return "".join(frame.text for _, frame in self.frames if isinstance(frame, Log))

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(SECONDS), self._changed:
            await self._changed.wait_for(lambda: bool(condition()))

    async def end(self) -> SlotEnd:
        return await asyncio.wait_for(self.ended, SECONDS)


async def drive(slots: Slots, place: Place) -> Driven:
    spec = spec_of(place, await slots.engine.image(PYTHON))
    return Driven(await slots.open(spec, ignore), place)


async def host_pid(place: Place, container: str) -> int:
    """Process 1 of a container, as the engine tells it."""
    connector = aiohttp.UnixConnector(place.url.removeprefix("unix://"))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"http://engine/v1.40/containers/{container}/json") as answer,
    ):
        return int((await answer.json())["State"]["Pid"])


async def nothing_is_left(slots: Slots, place: Place) -> None:
    assert await slots.engine.containers(place.installation) == []
    assert await slots.engine.volumes(place.installation) == []
    assert not slots.folders(place.name).root.exists()


@pytest.mark.spec("edge-3", "FR-009")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_lost_process_1_ends_the_run_without_an_exit_and_leaves_nothing(
    slots: Slots, place: Place, number: signal.Signals
) -> None:
    place = replace(place, source=ENDLESS, grace=3.0)
    async with slots_at(place) as impatient:
        driven = await drive(impatient, place)
        await driven.until(lambda: "tick 3" in driven.log)
        os.kill(await host_pid(place, driven.slot.container_id), number)
        end = await driven.end()
        removal = await driven.slot.remove()

    assert end.exit is None
    assert end.stopped == (None if number == signal.SIGKILL else "silent")
    assert end.container is not None
    assert end.container.code == 137
    relay = {"relay", "volume"} if place.door == "relay" else set[str]()
    assert set(removal.gone) == {*PARTS, *relay}
    assert removal.left == ()
    await nothing_is_left(slots, place)


@pytest.mark.spec("FR-007")
async def test_a_cancellation_that_process_1_cannot_hear_is_done_by_the_engine(
    slots: Slots, place: Place
) -> None:
    place = replace(place, source=ENDLESS)
    driven = await drive(slots, place)
    await driven.until(lambda: "tick 1" in driven.log)
    os.kill(await host_pid(place, driven.slot.container_id), signal.SIGSTOP)
    driven.slot.cancel(0.1)
    end = await asyncio.wait_for(driven.ended, SECONDS)
    await driven.slot.remove()

    assert (end.exit, end.stopped) == (None, "cancelled")
    await nothing_is_left(slots, place)


async def test_a_slot_that_cannot_start_leaves_nothing(slots: Slots, place: Place) -> None:
    opening = asyncio.create_task(slots.open(spec_of(place, "sha256:" + "0" * 64), ignore))
    assert (await asyncio.gather(opening, return_exceptions=True))[0] is not None
    assert opening.exception() is not None
    await nothing_is_left(slots, place)


@pytest.mark.spec("FR-009")
@pytest.mark.parametrize("turns", [1, 5, 20, 60])
async def test_opening_that_is_cancelled_leaves_nothing(
    slots: Slots, place: Place, turns: int
) -> None:
    spec = spec_of(place, await slots.engine.image(PYTHON))
    opening = asyncio.create_task(slots.open(spec, ignore))
    for _ in range(turns):
        await asyncio.sleep(0)
        if turns > 20:
            await asyncio.wait([opening], timeout=0.002)
    opening.cancel()
    [made] = await asyncio.gather(opening, return_exceptions=True)
    if isinstance(made, Slot):
        await made.remove()
    await nothing_is_left(slots, place)


# --------------------------------------------------------------------------- two workers


class Worker:
    """A worker in a process of its own, and what it stored."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []

    @classmethod
    async def start(cls, place: Place) -> Worker:
        script = Path(__file__).with_name("slot_worker.py")
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                str(script),
                json.dumps(asdict(place)),
                stdout=asyncio.subprocess.PIPE,
            )
        )

    async def read(self, condition: Callable[[], object] = lambda: False) -> None:
        """Read what it says until the condition holds, or to its end."""
        assert self.process.stdout is not None
        async with asyncio.timeout(SECONDS):
            while not condition() and (line := await self.process.stdout.readline()):
                if line.endswith(b"\n"):
                    self.said.append(json.loads(line))

    async def lose(self) -> None:
        """Kill -9, and whatever it had still said."""
        if self.process.returncode is None:
            self.process.kill()
        await self.read()
        await self.process.wait()

    @property
    def container(self) -> str:
        return next(said["container"] for said in self.said if "container" in said)

    @property
    def frames(self) -> list[dict[str, Any]]:
        return [said for said in self.said if "n" in said]

    @property
    def last(self) -> int:
        return self.frames[-1]["n"] if self.frames else 0


@pytest.mark.spec("SC-006", "edge-3")
@pytest.mark.parametrize(
    ("door", "point", "stopped_first"),
    [("socket", point, stopped) for point in (1, 2, 4, 9, 30) for stopped in (False, True)]
    + [("relay", 9, True), ("relay", 30, False)],
)
async def test_the_next_worker_goes_on_in_the_same_container_without_a_gap(
    slots: Slots, place: Place, point: int, *, stopped_first: bool
) -> None:
    # A grace in which the second worker starts, however busy the machine is.
    place = replace(place, grace=60.0)
    first = await Worker.start(place)
    await first.read(lambda: first.last >= point)
    if stopped_first:
        first.process.send_signal(signal.SIGSTOP)
        await asyncio.wait([asyncio.create_task(first.process.wait())], timeout=1.0)
    await first.lose()

    second = await Worker.start(replace(place, acked=first.last))
    await second.read(lambda: second.said)
    containers = await slots.engine.containers(place.installation)
    [container] = [found for found in containers if found.name == place.name]
    assert len(containers) == (1 if place.door == "socket" else 2)
    assert container.id == first.container == second.container
    await second.read()

    assert second.said[-1] == {"exit": 0, "stopped": None}
    frames = [*first.frames, *second.frames]
    assert [frame["n"] for frame in frames] == list(range(1, len(frames) + 1))
    assert "".join(f["text"] for f in frames) == "".join(f"tick {n}\n" for n in range(TICKS))
    await nothing_is_left(slots, place)


@pytest.mark.spec("FR-009", "SC-009", "edge-3")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_container_that_nobody_adopts_ends_by_itself_within_its_grace(
    slots: Slots, place: Place, number: signal.Signals
) -> None:
    grace = 2.0
    worker = await Worker.start(replace(place, source=ENDLESS, grace=grace))
    await worker.read(lambda: worker.last >= 5)
    ending = asyncio.create_task(slots.engine.wait(worker.container))
    worker.process.send_signal(number)
    try:
        exited = await asyncio.wait_for(ending, grace + 30)
    finally:
        await worker.lose()
    assert exited.code == 0


async def test_what_a_worker_left_before_its_first_frame_is_discarded(
    slots: Slots, place: Place
) -> None:
    worker = await Worker.start(place)
    await worker.read(lambda: worker.said)
    await worker.lose()
    await slots.discard(place.name)
    await nothing_is_left(slots, place)


async def test_where_no_container_runs_there_is_nothing_to_adopt(
    slots: Slots, place: Place
) -> None:
    spec = spec_of(place, await slots.engine.image(PYTHON))
    assert await slots.adopt(spec, ignore, acked=3) is None
    slots.folders(place.name).create()
    slots.folders(place.name).write_session("left over")
    assert await slots.adopt(spec, ignore, acked=3) is None
    await slots.discard(place.name)
    await nothing_is_left(slots, place)


# --------------------------------------------------------------------------- what an agent reaches

FORGE = """
import json, os, socket, struct

DOOR = "/seatrial/door/"

def frame(kind, n=None, **data):
    said = {"kind": kind, "data": data} if n is None else {"kind": kind, "n": n, "data": data}
    body = json.dumps(said).encode()
    return struct.pack(">I", len(body)) + body

def attempt(claim, session):
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(20)
        try:
            door.connect(DOOR + "channel.sock")
            hello = frame("hello", version=1, claim=claim, session=session, assigned=True)
            door.sendall(hello + frame("log", 1, stream="stdout", text="forged")
                         + frame("log", 99, stream="stdout", text="forged"))
            answer = b""
            while piece := door.recv(65536):
                answer += piece
            return json.loads(answer[4:])["kind"]
        except OSError as error:
            return type(error).__name__

def run(query):
    try:
        claim = open(DOOR + "claim").read()
    except OSError as error:
        claim = type(error).__name__
    try:
        listed = os.listdir(DOOR)
    except OSError as error:
        listed = type(error).__name__
    tries = [attempt(claim, None), attempt(None, "x"), attempt("", ""), attempt(None, None)]
    print(json.dumps({"claim": claim, "listed": listed, "tries": sorted(set(tries))}))
    return "done"
"""


@pytest.mark.spec("FR-008")
@pytest.mark.parametrize(
    ("door", "mode", "met"),
    [
        ("socket", None, ["PermissionError"]),
        ("socket", 0o666, ["refused"]),
        ("relay", None, ["PermissionError"]),  # the relay's own is root's, whoever its worker is
    ],
    ids=["root's worker", "another user's worker", "relay"],
)
@pytest.mark.skipif(os.geteuid() != 0, reason="as another user the socket is always open to all")
async def test_an_agent_never_gets_a_frame_into_its_channel(
    slots: Slots, place: Place, mode: int | None, met: list[str]
) -> None:
    place = replace(place, source=FORGE)
    spec = spec_of(place, await slots.engine.image(PYTHON))
    slot = await slots.open(spec, ignore)
    if mode is not None:
        slots.folders(place.name).channel_socket.chmod(mode)
    driven = Driven(slot, place)
    end = await driven.end()
    await driven.slot.remove()

    assert end.exit is not None
    assert end.exit.code == 0, driven.log
    assert json.loads(driven.log) == {
        "claim": "FileNotFoundError",
        "listed": "PermissionError",
        "tries": met,
    }
    numbers = [number for number, _ in driven.frames]
    assert numbers == list(range(1, len(numbers) + 1))


REACH = """
import json, socket, urllib.error, urllib.request

def web(url):
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        return type(error.reason).__name__ if hasattr(error, "reason") else type(error).__name__

def reached(host, port):
    try:
        socket.create_connection((host, port), timeout=3).close()
        return True
    except OSError:
        return False

def listening(table):
    rows = [line.split() for line in open("/proc/net/" + table).readlines()[1:]]
    return [int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A"]

def run(query):
    interfaces = [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line]
    hosts = ["1.1.1.1", "172.17.0.1", "10.88.0.1", "10.0.2.2", "169.254.169.254"]
    print(json.dumps({
        "door": [web("http://127.0.0.1:8377/"), web("http://127.0.0.1:11434/")],
        "interfaces": interfaces,
        "hosts": [host for host in hosts for port in (53, 80, 443) if reached(host, port)],
        "ports": sorted(set(listening("tcp") + listening("tcp6"))),
        "unix": [line.split()[7] for line in open("/proc/net/unix") if "@" in line],
    }))
    return "done"
"""


@pytest.mark.spec("FR-008", "FR-011")
async def test_an_agent_reaches_its_door_at_two_addresses_and_nothing_else(
    slots: Slots, place: Place
) -> None:
    place = replace(place, source=REACH)
    driven = await drive(slots, place)
    await driven.end()
    await driven.slot.remove()

    found = json.loads(driven.log)
    assert all(isinstance(status, int) for status in found["door"]), found
    assert found["interfaces"] == ["lo"]
    assert found["hosts"] == []
    assert found["ports"] == [8377, 11434]
    assert found["unix"] == []
