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

from seatrial.domain.errors import LimitsNotEnforced, NotIsolated
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
            made.engine,
            made.open_probe,
            short_folder,
            url.removeprefix("unix://"),
            installation=made.installation,
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


def _spoil_containers(monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Body], None]) -> None:
    """Change the order of every container that is made from now on."""
    sound = convert.container_body

    def spoiled(*arguments: Any, **named: Any) -> Body:
        body = sound(*arguments, **named)
        spoil(body)
        return body

    monkeypatch.setattr(convert, "container_body", spoiled)


def _same_engine(slots: Slots, state: Path) -> self_test.SelfTest:
    """A new process's self-test of the same engine."""
    return self_test.SelfTest(slots.engine, slots.open_probe, state, slots.self_test.socket)


@pytest.mark.spec("FR-011", "FR-008")
@pytest.mark.parametrize("leak", LEAKS)
async def test_an_open_direction_is_found_and_nothing_runs(
    slots: Slots, monkeypatch: pytest.MonkeyPatch, leak: str
) -> None:
    spoil, names = LEAKS[leak]
    image = await slots.engine.image(PYTHON)
    _spoil_containers(monkeypatch, lambda body: spoil(body, slots.self_test.socket))
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


def _with(**changed: Any) -> Callable[[Body, Path], None]:
    return lambda body, _: body["HostConfig"].update(changed)


def _vmsplice(body: Body, folder: Path) -> None:
    """One system call more than our filter allows."""
    [given] = [text for text in body["HostConfig"]["SecurityOpt"] if text.startswith("seccomp=")]
    profile = given.removeprefix("seccomp=")
    is_path = profile.startswith("/")
    rules = json.loads(Path(profile).read_text() if is_path else profile)
    rules["syscalls"].append({"names": ["vmsplice"], "action": "SCMP_ACT_ALLOW"})
    wider = json.dumps(rules)
    if is_path:
        file = folder / "wider.json"
        file.write_text(wider)
        wider = str(file)
    body["HostConfig"]["SecurityOpt"] = ["no-new-privileges", f"seccomp={wider}"]


UNLIMITED: dict[str, Callable[[Body, Path], None]] = {
    "memory": _with(Memory=0, MemorySwap=0),
    "processes": _with(PidsLimit=0),
    "system calls": _vmsplice,
}
"""What an engine that does not enforce a limit makes of a container's order."""


@pytest.mark.spec("FR-011")
@pytest.mark.parametrize("name", UNLIMITED)
async def test_nothing_runs_where_a_container_has_no_limit_unless_that_is_allowed(
    slots: Slots, short_folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    image = await slots.engine.image(PYTHON)
    _spoil_containers(monkeypatch, lambda body: UNLIMITED[name](body, short_folder))
    with pytest.raises(LimitsNotEnforced, match=name) as refused:
        await slots.self_test.ensure(image)
    assert "SEATRIAL_ALLOW_UNENFORCED_LIMITS" in refused.value.hint
    assert not (short_folder / "self-test.json").exists()

    allowing = _limits_of(slots, short_folder, allow_unenforced=True)
    await allowing.ensure(image)
    assert allowing.unenforced == (name,)
    kept = short_folder / "self-test.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    # A worker that takes over a container knows it from the file, before any self-test.
    assert _limits_of(slots, short_folder, allow_unenforced=True).unenforced == (name,)
    with pytest.raises(LimitsNotEnforced):
        await _limits_of(slots, short_folder, allow_unenforced=False).ensure(image)


@pytest.mark.spec("FR-011")
async def test_an_engine_without_a_filter_of_system_calls_runs_nothing(
    slots: Slots, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the kernel has odd socket families, they are a way out besides."""
    image = await slots.engine.image(PYTHON)
    _spoil_containers(monkeypatch, _unfiltered)
    with pytest.raises((LimitsNotEnforced, NotIsolated), match="no filter of system calls"):
        await slots.self_test.ensure(image)


def _unfiltered(body: Body) -> None:
    body["HostConfig"]["SecurityOpt"] = ["no-new-privileges", "seccomp=unconfined"]


@pytest.mark.spec("FR-011")
async def test_cpu_that_is_not_limited_is_noted_and_stops_nothing(
    slots: Slots, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_cpu(*_: object) -> tuple[str, ...]:
        return ("CPU",)

    monkeypatch.setattr(self_test.SelfTest, "run_limits", no_cpu)
    test = _limits_of(slots, short_folder, allow_unenforced=False)
    await test.ensure(await slots.engine.image(PYTHON))
    assert test.unenforced == ("CPU",)


def _limits_of(slots: Slots, state: Path, *, allow_unenforced: bool) -> self_test.SelfTest:
    """A new process's self-test of the same engine, with or without the setting."""
    return self_test.SelfTest(
        slots.engine,
        slots.open_probe,
        state,
        slots.self_test.socket,
        installation=slots.installation,
        allow_unenforced=allow_unenforced,
    )
