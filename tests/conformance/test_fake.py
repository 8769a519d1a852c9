"""The fake engine does what it says, and fails when it is told to."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from seatrial.domain.errors import EngineRefused, NoCapacity
from seatrial.domain.ports import ContainerLimits, ContainerSpec, Mount, Tmpfs
from seatrial.testing.fake_engine import FakeEngine

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="the fake engine needs Linux and root"
)


@pytest.fixture
async def engine() -> AsyncIterator[FakeEngine]:
    engine = FakeEngine()
    yield engine
    await engine.aclose()


def spec(*argv: str, **changes: Any) -> ContainerSpec:
    labels = {"seatrial": "t", "seatrial.installation": "fake"}
    limits = ContainerLimits(64, 1.0, 32)
    return ContainerSpec(uuid.uuid4().hex, "fake:3.11", argv, limits, labels, **changes)


async def test_mounts_and_space_are_where_the_spec_says(engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("hello")
    container = await engine.launch(
        spec(
            "sh",
            "-c",
            "cat /seatrial/in/file; touch /seatrial/in/x || echo refused; echo $PWD; ls /tmp",
            mounts=(Mount(str(tmp_path), "/seatrial/in"),),
            tmpfs=(Tmpfs("/tmp", 4), Tmpfs("/home/agent", 4, 0o755)),
            working_directory="/home/agent",
        )
    )
    ended = await engine.wait(container)
    assert ended.code == 0, ended
    assert ended.evidence.startswith("hello")
    assert ended.evidence.endswith("refused\n/home/agent\n")


async def test_ends_and_kills_are_told_apart(engine: FakeEngine) -> None:
    assert (await engine.wait(await engine.launch(spec("sh", "-c", "exit 7")))).code == 7
    container = await engine.launch(spec("sleep", "600"))
    waiting = asyncio.create_task(engine.wait(container))
    await engine.kill(container)
    assert (await waiting).code == 137
    await engine.remove(container)
    assert (await engine.wait(container)).code == 137


async def test_launch_fails_as_often_as_it_is_told(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEATRIAL_FAKE_LAUNCH_ERROR", "no_capacity:1")
    with pytest.raises(NoCapacity):
        await engine.launch(spec("true"))
    await engine.launch(spec("true"))


async def test_a_container_dies_early_and_with_any_code_when_told(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEATRIAL_FAKE_DIE_AFTER_SECONDS", "0.3")
    assert (await engine.wait(await engine.launch(spec("sleep", "600")))).code == 137
    monkeypatch.setenv("SEATRIAL_FAKE_EXIT_CODE", "42")
    assert (await engine.wait(await engine.launch(spec("sleep", "600")))).code == 42


async def test_a_missing_program_is_refused(engine: FakeEngine) -> None:
    with pytest.raises(EngineRefused):
        await engine.launch(spec("no-such-program"))
    assert await engine.containers("fake") == []
