"""When tests are kept in the queue for the engine's sake, for how long, and what they are told."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from seatrial.domain.errors import EngineUnavailable
from seatrial.domain.failures import failure
from seatrial.domain.ports import Engine, EngineInfo
from seatrial.worker import engine_watch
from seatrial.worker.engine_watch import EngineWatch


class Asked:
    """An engine that is there, away, or slow; all that is asked of it is an answer."""

    def __init__(self) -> None:
        self.away = False
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked = 0
        self.version = "1.0"
        self.says = "nobody there"

    async def ping(self) -> None:
        self.asked += 1
        await self.answers.wait()
        if self.away:
            raise EngineUnavailable(self.says)

    async def describe(self) -> EngineInfo:
        return EngineInfo("docker", self.version, "1.44", True, "x86_64", 2, 4 * 2**30)


class Watched:
    """A watch with what it does to its worker."""

    def __init__(self, wait_seconds: float | None) -> None:
        self.engine = Asked()
        self.told: list[str] = []
        self.looks = asyncio.Event()
        self.watch = EngineWatch(
            cast("Engine", self.engine),
            wait_seconds=wait_seconds,
            look_again=self.looks.set,
            tell=self._tell,
        )

    async def _tell(self) -> None:
        self.told.append(self.watch.trouble)

    async def look(self) -> bool:
        return await self.watch.may_claim()

    async def next_look(self) -> bool:
        """Look when the watch itself says that it is time."""
        async with asyncio.timeout(30):
            await self.looks.wait()
        self.looks.clear()
        return await self.look()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_watch, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(engine_watch, "SLOW_SECONDS", 0.05)
    monkeypatch.setattr(engine_watch, "_FIRST_PAUSE_SECONDS", 0.01)


@pytest.mark.parametrize("begins", ["", "The container engine does not answer: "])
async def test_an_engine_that_goes_and_comes_back_is_waited_for_and_told_of_once(
    begins: str,
) -> None:
    it = Watched(wait_seconds=None)
    it.engine.says = f"{begins}nobody there"
    assert await it.look()
    it.engine.away = True
    assert not await it.look()
    assert not await it.next_look()
    it.engine.away = False
    assert await it.next_look()
    assert it.told == ["", "the container engine does not answer: nobody there", ""]


async def test_what_the_engine_is_is_told_when_it_is_first_seen_and_when_it_is_another() -> None:
    it = Watched(wait_seconds=None)
    for version in ("1.0", "1.0", "2.0"):
        it.engine.version = version
        assert await it.look()
        assert it.watch.seen == f"docker {version} (rootless), x86_64"
    assert it.told == ["", ""]
    it.engine.away = True
    assert not await it.look()
    assert it.watch.seen == "docker 2.0 (rootless), x86_64"


@pytest.mark.parametrize("seen", [True, False])
async def test_after_its_time_tests_are_tried_without_the_engine(
    monkeypatch: pytest.MonkeyPatch, seen: bool
) -> None:
    monkeypatch.setattr(engine_watch, "_NEW_ENGINE_SECONDS", 0.03)
    it = Watched(wait_seconds=0.03 if seen else 600)
    if seen:
        assert await it.look()
    it.engine.away = True
    assert not await it.look()
    while not await it.next_look():
        pass
    assert [trouble != "" for trouble in it.told] == [False] * seen + [True]


async def test_a_slow_engine_keeps_tests_waiting_and_is_asked_once() -> None:
    it = Watched(wait_seconds=None)
    it.engine.answers.clear()
    assert not await it.look()
    assert not await it.next_look()
    assert "has not answered for" in it.watch.trouble
    assert it.engine.asked == 1
    it.engine.answers.set()
    assert await it.next_look()
    assert it.watch.trouble == ""


async def test_an_engine_that_refuses_is_left_alone_longer_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = Watched(wait_seconds=None)
    assert await it.look()
    full = failure("platform.no_capacity", "no space left")
    clock = asyncio.get_running_loop().time
    pauses: list[float] = []
    for _ in range(2):
        began = clock()
        it.watch.attempt_ended(full)
        assert not await it.look()
        assert it.watch.trouble == "the engine is left alone for now: no space left"
        while not await it.next_look():
            pass
        pauses.append(clock() - began)
    assert pauses[0] >= 0.01
    assert pauses[1] >= 0.04
    it.watch.attempt_ended(None)
    assert await it.look()


async def test_a_fault_that_is_not_the_engines_keeps_nobody_waiting() -> None:
    it = Watched(wait_seconds=None)
    assert await it.look()
    it.watch.attempt_ended(failure("platform.internal", "a defect"))
    assert await it.look()
    assert it.told == [""]
