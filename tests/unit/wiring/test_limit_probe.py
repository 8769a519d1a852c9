"""What the doctor concludes from its probe of a container's limits."""

from __future__ import annotations

import pytest

from seatrial.domain.errors import SeatrialError
from seatrial.domain.ports import ContainerExit, ContainerSpec, Engine, Removed
from seatrial.testing.fake_engine import FakeEngine
from seatrial.wiring.limit_probe import unenforced_limits

ALL = "probe began\nheld read-only image\nheld disk\nheld CPU\nheld processes\n"


class Answering(FakeEngine):
    """An engine whose containers end as they are told to."""

    def __init__(self, ended: ContainerExit) -> None:
        super().__init__()
        self._ended = ended
        self.removed: list[str] = []

    async def published(self, image: str) -> str | None:
        return None

    async def image(self, python: str, *, progress: object = None) -> str:
        return "image"

    async def launch(self, spec: ContainerSpec) -> str:
        assert spec.labels["seatrial.installation"] == "here"
        return spec.name

    async def wait(self, container_id: str) -> ContainerExit:
        return self._ended

    async def remove(self, container_id: str) -> Removed:
        self.removed.append(container_id)
        return Removed()


async def found(code: int, evidence: str) -> tuple[str, ...]:
    engine = Answering(ContainerExit(code, evidence=evidence))
    try:
        port: Engine = engine
        return await unenforced_limits(port, "3.11", "here")
    finally:
        assert len(engine.removed) == 1


async def test_a_container_that_got_no_more_than_it_may_have_proves_its_limits() -> None:
    assert await found(137, ALL) == ()


@pytest.mark.parametrize("name", ["read-only image", "disk", "CPU", "processes"])
async def test_a_limit_that_did_not_hold_is_named(name: str) -> None:
    assert await found(137, ALL.replace(f"held {name}\n", "")) == (name,)


async def test_memory_that_was_there_is_named() -> None:
    assert await found(0, f"{ALL}memory was there\n") == ("memory",)


async def test_a_probe_that_did_not_run_proves_nothing() -> None:
    with pytest.raises(SeatrialError, match="did not run"):
        await found(127, "python3: not found\n")
