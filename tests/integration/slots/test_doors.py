"""Which door is found, what it keeps apart, and what happens when a relay is lost."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from seatrial.domain.errors import DoorLost, EngineRefused, NoCapacity, SetupFailed
from seatrial.domain.ports import ContainerSpec, Mount, Pipe
from seatrial.engines.docker.config import DockerConfig
from seatrial.engines.docker.engine import DockerEngine
from seatrial.slots import DoorChoice, Slots
from seatrial.slots.door_choice import DoorSetting

from .slot_worker import PYTHON, Place, ignore, slots_at, spec_of
from .test_slot_on_engines import ENDLESS, REACH, drive

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.fixture(params=["docker", "podman"])
def url(request: pytest.FixtureRequest) -> str:
    """Both engines, one after the other."""
    return request.getfixturevalue(f"{request.param}_socket")


@pytest_asyncio.fixture
async def place(url: str, short_folder: Path, engine_images: Path) -> AsyncIterator[Place]:
    """A place with a relay; whatever is left there is removed."""
    name = f"st{secrets.token_hex(4)}"
    made = Place(url, str(short_folder), str(engine_images), name, ENDLESS, door="relay")
    yield made
    async with slots_at(made) as slots:
        for container in await slots.engine.containers(made.installation):
            await slots.engine.remove(container.id)
        for volume in await slots.engine.volumes(made.installation):
            await slots.engine.remove_volume(volume.name)


@pytest_asyncio.fixture
async def slots(place: Place) -> AsyncIterator[Slots]:
    async with slots_at(place) as made:
        yield made


class DesktopEngine(DockerEngine):
    """A real engine that sees this machine's folders as a virtual machine's does.

    Files are there, and the names of sockets: but nobody listens at them.
    """

    async def launch(self, spec: ContainerSpec) -> str:
        return await super().launch(replace(spec, mounts=tuple(map(self._seen, spec.mounts))))

    def _seen(self, mount: Mount) -> Mount:
        source = Path(mount.source)
        if not source.is_dir() or not any(path.is_socket() for path in source.iterdir()):
            return mount
        shared = Path(f"{source}-shared")
        shared.mkdir(mode=0o755)
        for path in source.iterdir():
            if path.is_socket():
                with socket.socket(socket.AF_UNIX) as nobody:
                    nobody.bind(str(shared / path.name))
            else:
                shutil.copy(path, shared)
        return replace(mount, source=str(shared))


class RemoteEngine(DockerEngine):
    """A real engine on which this machine's folders are not to be found."""

    async def launch(self, spec: ContainerSpec) -> str:
        raise EngineRefused(f"bind source path does not exist: {spec.mounts[0].source}")


class BlindEngine(DockerEngine):
    """A real engine that shows an empty folder in place of this machine's."""

    async def launch(self, spec: ContainerSpec) -> str:
        empty = Path(f"{spec.mounts[0].source}-empty")
        empty.mkdir()
        return await super().launch(
            replace(spec, mounts=(Mount(str(empty), spec.mounts[0].target),))
        )


@asynccontextmanager
async def choice_of(
    kind: type[DockerEngine], place: Place, setting: DoorSetting = "auto"
) -> AsyncGenerator[tuple[DoorChoice, str]]:
    """A choice on an engine of that kind, and an image for its probe."""
    state = Path(place.state)
    engine = kind(DockerConfig(place.url, state / "engine", Path(place.images), "127.0.0.1:1"))
    choice = DoorChoice(engine, setting, state=state, installation=place.installation)
    yield choice, await engine.image(PYTHON)
    assert await engine.containers(place.installation) == []
    await engine.aclose()


async def test_where_a_socket_answers_through_a_mount_it_is_taken(place: Place) -> None:
    async with choice_of(DockerEngine, place) as (choice, image):
        found = await choice.found(image)
        assert found.kind == "socket"
        assert await choice.found("not asked again") is found


async def test_where_only_files_come_through_a_mount_there_is_a_relay(place: Place) -> None:
    async with choice_of(DesktopEngine, place) as (choice, image):
        found = await choice.found(image)
    assert found.kind == "relay"
    assert "ConnectionRefusedError" in found.why


@pytest.mark.parametrize("kind", [RemoteEngine, BlindEngine])
async def test_an_engine_that_does_not_see_this_machines_folders_is_refused(
    place: Place, kind: type[DockerEngine]
) -> None:
    async with choice_of(kind, place) as (choice, image):
        with pytest.raises(SetupFailed, match="folders") as caught:
            await choice.found(image)
    assert "SEATRIAL_DATA_DIR" in caught.value.hint


async def test_what_is_set_is_not_tried_out(place: Place) -> None:
    for setting in ("socket", "relay"):
        async with choice_of(RemoteEngine, place, setting) as (choice, image):
            assert (await choice.found(image)).kind == setting


LOOK = """
import json, os, socket, sys
def attempt(path):
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(path)
            return "connected"
        except OSError as error:
            return type(error).__name__
def write(path):
    try:
        open(path, "w").close()
        return "made"
    except OSError as error:
        return type(error).__name__
def run(query):
    mounts = [line.split() for line in open("/proc/self/mountinfo")]
    print(json.dumps({
        "doors": [fields[4] for fields in mounts if "/door" in fields[4]],
        "read_only": all("ro" in fields[5].split(",") for fields in mounts if "/door" in fields[4]),
        "mine": attempt("/seatrial/door/gateway.sock"),
        "above": [attempt("/seatrial/door/../gateway.sock"), attempt("/seatrial/gateway.sock")],
        "made": [write("/seatrial/door/x"), write("/seatrial/door/gateway.sock")],
        "environ": sorted(os.environ),
    }), flush=True)
    return "done"
"""


@pytest.mark.spec("FR-008")
async def test_a_test_sees_its_own_two_sockets_and_can_change_nothing(
    slots: Slots, place: Place
) -> None:
    driven = await drive(slots, replace(place, source=LOOK))
    spec = spec_of(place, await slots.engine.image(PYTHON))
    other = await slots.open(replace(spec, name=f"{place.name}2"), ignore)
    await driven.end()
    await driven.slot.remove()
    left = {container.name for container in await slots.engine.containers(place.installation)}
    await other.remove()

    found = json.loads(driven.log)
    assert found["doors"] == ["/seatrial/door"]
    assert found["read_only"]
    assert found["mine"] == "connected"
    assert found["above"] == ["FileNotFoundError", "FileNotFoundError"]
    assert set(found["made"]) <= {"PermissionError", "OSError"}
    assert left == {f"{place.name}2", f"{place.name}2-relay"}
    assert not [name for name in found["environ"] if "KEY" in name or "TOKEN" in name]


async def inspected(place: Place, container: str) -> dict[str, Any]:
    """All that the engine says about a container."""
    connector = aiohttp.UnixConnector(place.url.removeprefix("unix://"))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"http://engine/v1.40/containers/{container}/json") as answer,
    ):
        return await answer.json()


@pytest.mark.spec("FR-008", "FR-011")
async def test_a_relay_has_no_network_no_port_and_no_secret(slots: Slots, place: Place) -> None:
    driven = await drive(slots, place)
    relay = await inspected(place, f"{place.name}-relay")
    test = await inspected(place, place.name)
    await driven.slot.remove()
    for found in (relay, test):
        assert found["HostConfig"]["NetworkMode"] == "none"
        assert found["HostConfig"]["CapDrop"]
        assert found["HostConfig"]["ReadonlyRootfs"] is True
        assert not found["NetworkSettings"]["Ports"]
    assert not [text for text in relay["Config"]["Env"] if "KEY" in text or "TOKEN" in text]
    mounted = {mount["Destination"]: mount["RW"] for mount in relay["Mounts"]}
    assert {path for path, writable in mounted.items() if writable} == {"/seatrial/door"}


@pytest.mark.spec("edge-3", "FR-009")
async def test_an_adoption_that_gets_no_relay_leaves_nothing(
    slots: Slots, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    driven = await drive(slots, place)
    await driven.until(lambda: "tick 2" in driven.log)
    driven.ended.cancel()
    await driven.slot.detach()

    async def refuse(_: ContainerSpec) -> tuple[str, Pipe]:
        raise NoCapacity("The container engine is full.")

    monkeypatch.setattr(slots.engine, "launch_piped", refuse)
    with pytest.raises(NoCapacity):
        await slots.adopt(spec_of(place, ""), ignore, acked=driven.frames[-1][0])
    assert await slots.engine.containers(place.installation) == []
    assert await slots.engine.volumes(place.installation) == []
    assert not slots.folders(place.name).root.exists()


@pytest.mark.spec("edge-3")
async def test_a_lost_relay_is_a_platform_fault_and_the_next_attempt_has_another(
    slots: Slots, place: Place
) -> None:
    driven = await drive(slots, place)
    await driven.until(lambda: "tick 2" in driven.log)
    await slots.engine.kill(f"{place.name}-relay")
    with pytest.raises(DoorLost):
        await driven.end()
    await driven.slot.remove()
    assert await slots.engine.containers(place.installation) == []
    assert await slots.engine.volumes(place.installation) == []

    again = await drive(slots, replace(place, source=REACH))
    assert (await again.end()).exit is not None
    await again.slot.remove()
    assert all(isinstance(status, int) for status in json.loads(again.log)["door"])
