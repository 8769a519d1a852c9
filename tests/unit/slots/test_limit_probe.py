"""What is concluded from the probe of a container's limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seatrial.domain.errors import PlatformError
from seatrial.domain.ports import ContainerExit, ContainerSpec, Engine, EngineInfo, Removed
from seatrial.slots.limit_probe import not_enforced, refused_limits, unenforced_limits
from seatrial.testing.fake_engine import FakeEngine

LIMITS = ("read-only image", "disk", "system calls", "CPU", "processes")
ALL = "probe began\n" + "".join(f"held {name}\n" for name in LIMITS)


class Answering(FakeEngine):
    """An engine whose containers end as they are told to."""

    def __init__(self, ended: ContainerExit, unenforced: tuple[str, ...]) -> None:
        super().__init__()
        self._ended, self._unenforced = ended, unenforced
        self.removed: list[str] = []

    async def describe(self) -> EngineInfo:
        return replace(await super().describe(), unenforced=self._unenforced)

    async def launch(self, spec: ContainerSpec) -> str:
        assert spec.labels["seatrial.installation"] == "here"
        return spec.name

    async def wait(self, container_id: str) -> ContainerExit:
        return self._ended

    async def remove(self, container_id: str) -> Removed:
        self.removed.append(container_id)
        return Removed()


async def found(code: int, evidence: str, *, said: tuple[str, ...] = ()) -> tuple[str, ...]:
    engine = Answering(ContainerExit(code, evidence=evidence), said)
    try:
        port: Engine = engine
        return await unenforced_limits(port, "image", "here")
    finally:
        assert len(engine.removed) == 1


async def test_a_container_that_got_no_more_than_it_may_have_proves_its_limits() -> None:
    assert await found(137, ALL) == ()


@pytest.mark.parametrize("name", LIMITS)
async def test_a_limit_that_did_not_hold_is_named(name: str) -> None:
    assert await found(137, ALL.replace(f"held {name}\n", "")) == (name,)


async def test_memory_that_was_there_is_named() -> None:
    assert await found(0, f"{ALL}memory was there\n") == ("memory",)


async def test_a_probe_that_did_not_run_proves_nothing() -> None:
    with pytest.raises(PlatformError, match="did not run"):
        await found(127, "python3: not found\n")


@pytest.mark.parametrize("name", ["memory", "processes", "CPU"])
async def test_a_limit_that_the_engine_disclaims_is_named_although_the_probe_met_it(
    name: str,
) -> None:
    assert await found(137, ALL, said=(name,)) == (name,)


@pytest.mark.parametrize("name", [*LIMITS, "memory"])
def test_only_cpu_may_be_missing_without_the_setting(name: str) -> None:
    assert refused_limits((name,), own_kernel=False) == (() if name == "CPU" else (name,))
    with_own_kernel = refused_limits((name,), own_kernel=True)
    assert with_own_kernel == (() if name in {"CPU", "processes"} else (name,))
    assert name in not_enforced((name,))
