"""Before anything runs, a probe tries every way out of a container of this engine."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from seatrial.domain.errors import NotIsolated
from seatrial.engines.docker import convert
from seatrial.slots import Slots, self_test

from .slot_worker import PYTHON, Place, ignore, slots_at, spec_of

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

Body = dict[str, Any]
Leak = Callable[[Body, str], None]


@pytest.fixture(params=["docker", "podman"])
def url(request: pytest.FixtureRequest) -> str:
    """Both engines, one after the other."""
    return request.getfixturevalue(f"{request.param}_socket")


@pytest_asyncio.fixture
async def slots(url: str, short_folder: Path, engine_images: Path) -> AsyncIterator[Slots]:
    place = Place(url, str(short_folder), str(engine_images), f"st{secrets.token_hex(4)}", "")
    async with slots_at(place) as made:
        made.self_test = self_test.SelfTest(
            made.engine, made.open_probe, short_folder, url.removeprefix("unix://")
        )
        yield made
        assert await made.engine.containers(made.installation) == []


def _host_network(body: Body, _: str) -> None:
    body["HostConfig"]["NetworkMode"] = "host"
    body.pop("Hostname")


def _engine_socket(body: Body, socket: str) -> None:
    mount = {"Type": "bind", "Source": socket, "Target": socket, "ReadOnly": True}
    body["HostConfig"]["Mounts"].append(mount)


def _hosts_tmp(body: Body, _: str) -> None:
    body["HostConfig"]["Tmpfs"].pop("/tmp")
    mount = {"Type": "bind", "Source": "/tmp", "Target": "/tmp", "ReadOnly": True}
    body["HostConfig"]["Mounts"].append(mount)


LEAKS: dict[str, tuple[Leak, set[str]]] = {
    "the host's network": (
        _host_network,
        {
            *("network interfaces", "host ports", "host ports over UDP", "abstract sockets"),
        },
    ),
    "the engine's socket": (_engine_socket, {"engine sockets"}),
    "the host's files": (_hosts_tmp, {"other tests' doors"}),
}


@pytest.mark.spec("FR-011", "FR-008")
async def test_containers_of_a_sound_engine_are_closed_and_that_is_kept(
    slots: Slots, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await slots.engine.image(PYTHON)
    await slots.self_test.ensure(image)
    kept = json.loads((short_folder / "self-test.json").read_text())

    async def not_again(*_: object) -> self_test.SelfTestResult:
        raise AssertionError("a good result of today is believed")

    monkeypatch.setattr(self_test.SelfTest, "run", not_again)
    again = self_test.SelfTest(slots.engine, slots.open_probe, short_folder)
    with pytest.raises(AssertionError):
        await again.ensure(image)  # another engine socket is another engine
    await _same_engine(slots, short_folder).ensure(image)
    (short_folder / "self-test.json").write_text(json.dumps({**kept, "at": kept["at"] - 90_000}))
    with pytest.raises(AssertionError):
        await _same_engine(slots, short_folder).ensure(image)


def _same_engine(slots: Slots, state: Path) -> self_test.SelfTest:
    """A new process's self-test of the same engine."""
    return self_test.SelfTest(slots.engine, slots.open_probe, state, slots.self_test.socket)


@pytest.mark.spec("FR-011", "FR-008")
@pytest.mark.parametrize("leak", LEAKS)
async def test_an_open_direction_is_found_and_nothing_runs(
    slots: Slots, monkeypatch: pytest.MonkeyPatch, leak: str
) -> None:
    spoil, names = LEAKS[leak]
    sound = convert.container_body

    def leaky(*arguments: Any, **named: Any) -> Body:
        body = sound(*arguments, **named)
        spoil(body, slots.self_test.socket)
        return body

    image = await slots.engine.image(PYTHON)
    monkeypatch.setattr(convert, "container_body", leaky)
    result = await slots.self_test.run(image)

    assert names <= result.open.keys()
    assert not result.passed
    assert next(iter(names)) in result.text
    with pytest.raises(NotIsolated, match="reaches what it must not"):
        await slots.self_test.ensure(image)


async def test_a_slot_is_not_opened_where_the_self_test_fails(
    slots: Slots, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found_open(_: object, image: str) -> self_test.SelfTestResult:
        return self_test.SelfTestResult({"host ports": ["10.0.0.1"]}, frozenset(), True, 0.0)

    monkeypatch.setattr(self_test.SelfTest, "run", found_open)
    image = await slots.engine.image(PYTHON)
    place = Place("", str(short_folder), "", "st-never", "")
    slots.self_tested = True
    with pytest.raises(NotIsolated, match=r"host ports \(10.0.0.1\)"):
        await slots.open(spec_of(place, image), ignore)
    assert not (short_folder / "self-test.json").exists()


async def test_a_probe_that_finds_nothing_on_the_host_proves_nothing(
    slots: Slots, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind = self_test.SelfTestResult({}, frozenset({"host ports"}), True, 0.0)
    assert not blind.passed
    assert "blind" in blind.text
    assert not replace(blind, blind=frozenset(), door=False).passed

    source = "import json\ndef run(query): return json.dumps({'open': {}, 'door': True})\n"
    source += "import sys\nif __name__ == '__main__': print(run(''))\n"
    monkeypatch.setattr(self_test, "_source", lambda: source)
    result = await slots.self_test.run(await slots.engine.image(PYTHON))
    assert result.blind == {
        *("host ports", "host ports over UDP", "abstract sockets", "other tests' doors"),
    }
