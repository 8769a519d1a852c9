"""Building images, where the engine's answers decide how it goes on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast

import pytest

from seatrial.domain.errors import EngineRefused
from seatrial.engines.docker.answers import Built
from seatrial.engines.docker.building import build_image

CACHE = (
    "checking if cached image exists from a previous build: getting top layer info: layer not known"
)


class Engine:
    """One whose builds end with those errors, in that order; an empty one is a success."""

    def __init__(self, *errors: str) -> None:
        self.errors = list(errors)
        self.built: list[str] = []

    async def build(
        self, name: str, context: bytes, arguments: Mapping[str, str], stage: str
    ) -> AsyncGenerator[Built]:
        self.built.append(name)
        yield Built(stream="STEP 1\n")
        yield Built(error=self.errors.pop(0))


async def built(engine: Engine) -> list[str]:
    await build_image(cast("Any", engine), "it", b"", {}, ["stage"])
    return engine.built


async def test_an_image_that_somebody_removed_meanwhile_costs_another_try() -> None:
    assert await built(Engine("", CACHE, CACHE, "")) == ["it-stage", "it", "it", "it"]


async def test_what_goes_wrong_each_time_is_told_with_the_end_of_the_output() -> None:
    engine = Engine(*[CACHE] * 9)
    with pytest.raises(EngineRefused, match=r"layer not known\nSTEP 1"):
        await built(engine)
    assert len(engine.built) == 4


async def test_a_build_that_fails_by_itself_is_not_tried_again() -> None:
    engine = Engine("THESE PACKAGES DO NOT MATCH THE HASHES")
    with pytest.raises(EngineRefused, match="DO NOT MATCH"):
        await built(engine)
    assert engine.built == ["it-stage"]
