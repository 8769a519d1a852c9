"""Building images, where the engine's answers decide how it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from seatrial.domain.errors import EngineRefused
from seatrial.domain.ports import ImageLimits
from seatrial.engines.docker.answers import Built
from seatrial.engines.docker.building import build_image, query

CACHE = (
    "checking if cached image exists from a previous build: getting top layer info: layer not known"
)
LIMITS = ImageLimits(memory_mb=512, cpus=1.5, seconds=60.0, context_mb=1)


class Engine:
    """One whose builds end with those errors, in that order; an empty one is a success."""

    def __init__(self, *errors: str) -> None:
        self.errors = list(errors)
        self.built: list[str] = []

    async def build(self, query: Mapping[str, str], context: Path) -> AsyncGenerator[Built]:
        self.built.append(query["t"])
        yield Built(stream="STEP 1\n")
        yield Built(error=self.errors.pop(0))


class Endless(Engine):
    """One whose builds never end."""

    async def build(self, query: Mapping[str, str], context: Path) -> AsyncGenerator[Built]:
        yield Built(stream="STEP 1\n")
        await asyncio.Event().wait()


@pytest.fixture
def context(tmp_path: Path) -> Path:
    path = tmp_path / "context.tar"
    path.write_bytes(b"")
    return path


async def built(engine: Engine, context: Path, limits: ImageLimits = LIMITS) -> list[str]:
    asked = query("it", {}, limits, "docker")
    await build_image(cast("Any", engine), asked, context, limits)
    return engine.built


async def test_an_image_that_somebody_removed_meanwhile_costs_another_try(context: Path) -> None:
    assert await built(Engine(CACHE, CACHE, ""), context) == ["it", "it", "it"]


async def test_what_goes_wrong_each_time_is_told_with_the_end_of_the_output(context: Path) -> None:
    engine = Engine(*[CACHE] * 9)
    with pytest.raises(EngineRefused, match=r"layer not known\nSTEP 1"):
        await built(engine, context)
    assert len(engine.built) == 4


async def test_a_build_that_fails_by_itself_is_not_tried_again(context: Path) -> None:
    engine = Engine("COPY failed: no source files were specified")
    with pytest.raises(EngineRefused, match="COPY failed"):
        await built(engine, context)
    assert engine.built == ["it"]


async def test_a_build_beyond_its_time_or_its_size_is_refused(context: Path) -> None:
    short = ImageLimits(memory_mb=512, cpus=1.0, seconds=0.01, context_mb=1)
    with pytest.raises(EngineRefused, match="took longer than"):
        await built(Endless(), context, short)
    context.write_bytes(bytes(2**20 + 1))
    with pytest.raises(EngineRefused, match="more than is allowed"):
        await built(Engine(""), context)


def test_every_build_has_limits_and_no_network() -> None:
    docker, podman = query("it", {}, LIMITS, "docker"), query("it", {}, LIMITS, "podman")
    assert docker["networkmode"] == "none"
    assert podman["networkmode"] == "NetworkDisabled"
    assert podman["nsoptions"] == '[{"Name": "network"}]'
    for asked in (docker, podman):
        assert asked["memory"] == asked["memswap"] == str(512 << 20)
        assert (asked["cpuquota"], asked["cpuperiod"]) == ("150000", "100000")
