"""Tries from inside a container every direction that must be closed, before anybody's agent runs.

Beside it a second container exceeds each of its limits (`limit_probe`).

An engine, a setting or an upgrade of either can open a way out without a word. So the worker does
not trust: with the first container it opens targets on the host, lets a probe try them all, and
refuses to run anything while one is open. The same probe runs on the host as the control: what it
does not reach there, it would not find in a container either.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import platform
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from seatrial.domain.errors import LimitsNotEnforced, NotIsolated, PlatformError
from seatrial.domain.events import ModelCallEvent, NoticeEvent
from seatrial.domain.ports import ContainerLimits, Engine
from seatrial.harness.protocol import Assign, Log, ResultFrame
from seatrial.settings.children import child_environment

from . import limit_probe
from .channel import FrameBatch
from .folders import harness_digest, write_private
from .slot import Slot
from .targets import Targets, targets

log = logging.getLogger(__name__)

KEPT_SECONDS = 24 * 3600.0
"""How long a good result counts for the same engine, kernel and harness."""

_DEADLINE_SECONDS = 60.0
_CONTROL = frozenset(
    {"host ports", "host ports over UDP", "abstract sockets", "other tests' doors"}
)
"""Directions that the probe must find open on the host."""

OpenSlot = Callable[[str, ContainerLimits, str], Awaitable[Slot]]
"""Opens a slot of that name with that image, without asking for a self-test."""


class Claimed(BaseModel):
    """What the probe says."""

    model_config = ConfigDict(extra="forbid")

    open: dict[str, list[Any]]
    door: bool


class Kept(BaseModel):
    """A good result as `self-test.json` holds it."""

    key: str
    at: float
    unenforced: tuple[str, ...]


@dataclass(frozen=True)
class SelfTestResult:
    """What was found. `open` names directions with what was reached; `blind` those not testable."""

    open: Mapping[str, Sequence[str]]
    blind: frozenset[str]
    door: bool
    at: float

    @property
    def passed(self) -> bool:
        """Whether every direction is closed, and the probe and the door prove that it looked."""
        return not self.open and not self.blind and self.door

    @property
    def text(self) -> str:
        """One sentence about it."""
        if self.open:
            ways = "; ".join(f"{name} ({', '.join(what[:3])})" for name, what in self.open.items())
            return f"A container reaches what it must not: {ways}."
        if self.blind:
            return f"The probe is blind: on the host it does not find {', '.join(self.blind)}."
        if not self.door:
            return "A container does not reach its own door."
        return "Every direction that must be closed is closed, and the door answers."


class SelfTest:
    """Runs the test once per process and engine, and keeps a good result for a day."""

    def __init__(
        self,
        engine: Engine,
        open_slot: OpenSlot,
        state: Path,
        socket: str = "",
        *,
        installation: str = "",
        allow_unenforced: bool = False,
    ) -> None:
        """`socket` is the engine's own, which no container may see.

        `installation` marks the container that exceeds its limits. With `allow_unenforced` what
        the engine does not enforce is noted only.
        """
        self._engine, self._open_slot = engine, open_slot
        self._file = state / "self-test.json"
        self.socket = socket
        self._installation = installation
        self._allow_unenforced = allow_unenforced
        self._turn = asyncio.Lock()
        self._passed = False
        self._unenforced: tuple[str, ...] | None = None

    @property
    def unenforced(self) -> tuple[str, ...]:
        """The limits that the engine did not enforce in the last good test, also a former one's."""
        if self._unenforced is None:
            kept = self._kept()
            self._unenforced = kept.unenforced if kept else ()
        return self._unenforced

    async def ensure(self, image: str, *, door: str = "socket") -> None:
        """Return when containers of this engine are known to be closed and limited.

        NotIsolated, LimitsNotEnforced.

        `door` is the way that its sockets go into a container: each is a test of its own.
        """
        async with self._turn:
            if self._passed:
                return
            key = await self._key(image, door)
            if not self._is_kept(key):
                result, unenforced = await self._both(image)
                await self._judge(result, unenforced)
                self._keep(key, result, unenforced)
            self._passed, self._unenforced = True, None

    async def _both(self, image: str) -> tuple[SelfTestResult, tuple[str, ...]]:
        """The two probes concurrently; a failure of one ends the other."""
        limits = asyncio.create_task(self.run_limits(image))
        try:
            return await self.run(image), await limits
        finally:
            limits.cancel()
            await asyncio.gather(limits, return_exceptions=True)

    async def run_limits(self, image: str) -> tuple[str, ...]:
        """What the engine does not enforce, tried now. PlatformError when that cannot be tried."""
        return await limit_probe.unenforced_limits(self._engine, image, self._installation)

    async def refused(self, unenforced: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the unenforced limits for which no test runs here."""
        if self._allow_unenforced:
            return ()
        info = await self._engine.describe()
        return limit_probe.refused_limits(unenforced, own_kernel=info.has_own_kernel)

    async def _judge(self, result: SelfTestResult, unenforced: tuple[str, ...]) -> None:
        """Refuse a way out, whatever is allowed, and then what is not enforced."""
        refused = await self.refused(unenforced)
        missing = limit_probe.not_enforced(refused) if refused else ""
        if not result.passed:
            log.error("self-test: %s %s", result.text, missing)
            raise NotIsolated(f"{result.text} {missing}".strip())
        if refused:
            log.error("self-test: %s", missing)
            raise LimitsNotEnforced(f"{missing} {limit_probe.HINT}", hint=limit_probe.HINT)
        if unenforced:
            log.warning("self-test: %s", limit_probe.not_enforced(unenforced))

    async def run(self, image: str) -> SelfTestResult:
        """Do it now. Platform errors when no container can be had."""
        async with targets(self.socket) as aims:
            control = (await on_the_host(aims)).open.keys() | aims.contacts
            aims.contacts.clear()
            claimed = await self._in_a_container(image, aims)
            found = {name: [str(one) for one in what] for name, what in claimed.open.items()}
            found |= {name: ["it arrived"] for name in aims.contacts if name not in found}
        blind = _CONTROL - control
        return SelfTestResult(found, frozenset(blind), claimed.door, time.time())

    async def _in_a_container(self, image: str, aims: Targets) -> Claimed:
        limits = ContainerLimits(memory_mb=128, cpus=1.0, processes=64)
        slot = await self._open_slot(f"seatrial-self-test-{secrets.token_hex(4)}", limits, image)
        answers, output = list[str](), list[str]()

        async def on_frames(batch: FrameBatch) -> None:
            answers.extend(frame.response for _, frame in batch if isinstance(frame, ResultFrame))
            output.extend(frame.text for _, frame in batch if isinstance(frame, Log))

        try:
            await slot.run(_assignment(aims, slot.uid), on_frames)
        finally:
            await slot.remove()
        return _claimed("".join(answers), "".join(output))

    async def _key(self, image: str, door: str) -> str:
        """Everything that a way out could come with."""
        info = await self._engine.describe()
        boot = Path("/proc/sys/kernel/random/boot_id")
        parts = (
            *(info.name, info.version, info.api_version, str(info.rootless), image, door),
            *(platform.release(), boot.read_text() if boot.exists() else "", str(os.getuid())),
            *(harness_digest(), *info.warnings, _source(), self.socket, info.runtime),
            *(limit_probe.PROBE, *info.unenforced, str(self._allow_unenforced)),
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _is_kept(self, key: str) -> bool:
        kept = self._kept()
        return kept is not None and kept.key == key and 0 <= time.time() - kept.at < KEPT_SECONDS

    def _kept(self) -> Kept | None:
        """The last good result; None where there is none that can be read."""
        try:
            return Kept.model_validate_json(self._file.read_bytes())
        except (OSError, ValidationError):
            return None

    def _keep(self, key: str, result: SelfTestResult, unenforced: tuple[str, ...]) -> None:
        kept = Kept(key=key, at=result.at, unenforced=unenforced)
        write_private(self._file, kept.model_dump_json())


async def on_the_host(aims: Targets) -> Claimed:
    """What the probe finds here: the control."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", _source(), json.dumps(aims.query(inside=False))),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=child_environment(),
    )
    out, err = await asyncio.wait_for(process.communicate(), _DEADLINE_SECONDS)
    return _claimed(out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


def _claimed(answer: str, output: str) -> Claimed:
    try:
        return Claimed.model_validate_json(answer)
    except ValidationError as error:
        said = output.strip()[-500:] or answer[:500]
        raise PlatformError(f"The self-test's probe gave no result: {said}") from error


def _assignment(aims: Targets, uid: int) -> Assign:
    return Assign(
        mode="agent",
        argv=[],
        files={"agent.py": _source()},
        entry_point="agent.py:run",
        query=json.dumps(aims.query(inside=True)),
        env={},
        uid=uid,
        python="python3",
        deadline_seconds=_DEADLINE_SECONDS,
        log_bytes=64 * 1024,
        response_bytes=64 * 1024,
        grace_seconds=0.5,
    )


def _source() -> str:
    return (resources.files("seatrial.slots.inside") / "reach.py").read_text("utf-8")


async def ignore(_: ModelCallEvent | NoticeEvent) -> None:
    """What the probe asks of its door is of no interest."""
