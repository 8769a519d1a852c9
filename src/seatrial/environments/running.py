"""Runs one build stage in a slot, from an empty container to a removed one."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Awaitable
from dataclasses import dataclass

from seatrial.domain.errors import PlatformError
from seatrial.domain.events import ModelCallEvent, NoticeEvent
from seatrial.domain.ports import ContainerLimits, EngineInfo
from seatrial.harness.protocol import Assign, Exit, FileFrame, Log
from seatrial.slots import FrameBatch, Slot, SlotEnd, Slots, SlotSpec

from .diagnose import StageResult
from .flights import Telling
from .folders import stages_uid
from .output import StageOutput
from .stages import ANNOTATED_FILE, StageSpec

log = logging.getLogger(__name__)

BUILD = "build"
"""Stands in place of a test's id on the label of build containers."""

_LOG_BYTES = 1024 * 1024
_FILES_BYTES = 200 * 1024 * 1024
_ANNOTATED_BYTES = 200_000
_PROCESSES = 512
_OPEN_FILES = 4096
_FILE_MB = 16 * 1024
"""Single wheels of some gigabytes exist; the fetched ones go to disk, not to memory."""


@dataclass(frozen=True)
class BuildLimits:
    """What one stage may use, and until when (by the loop's clock)."""

    memory_mb: int
    cpus: float
    deadline: float
    seconds: int
    most_mb: int


@dataclass(frozen=True)
class StageEnd:
    """How a stage ended and the files that were collected, by their path inside."""

    result: StageResult
    files: dict[str, bytes]


class StageRunner:
    """Opens one slot per stage. Whatever happens, nothing of the slot is left afterwards."""

    def __init__(self, slots: Slots, info: EngineInfo) -> None:
        self._slots = slots
        # A rootless engine maps its own root, and no other user, to the one that it runs as.
        self._own_uid = 0 if info.rootless else stages_uid()

    async def discard(self, name: str) -> None:
        """End and remove what a worker that died has left of a stage."""
        await self._slots.discard(name)

    async def run(
        self, name: str, image: str, spec: StageSpec, limits: BuildLimits, say: Telling
    ) -> StageEnd:
        """Run the stage to its end; platform errors. The caller excludes others of that name."""
        watch = _Watch(spec, say)
        slot = await self._open(self._slot_spec(name, image, spec, limits), watch)
        try:
            end = await slot.run(self._assignment(spec, limits, slot.uid), watch.on_frames)
            await watch.flush()
        finally:
            await _to_the_end(self._remove(name, slot))
        return StageEnd(_result(spec, end, watch, limits), watch.whole_files())

    async def _remove(self, name: str, slot: Slot) -> None:
        """Remove it, or leave it to the reaper: the stage's own end is what counts."""
        try:
            await slot.remove()
        except PlatformError as error:
            log.debug("trying again to remove %s: %s", name, error)
            try:
                await self._slots.discard(name)
            except PlatformError as again:
                log.warning("the container %s could not be removed: %s", name, again)

    async def _open(self, spec: SlotSpec, watch: _Watch) -> Slot:
        """A cancellation waits for the container, so that it can be removed."""
        opening = asyncio.ensure_future(self._slots.open(spec, watch.on_report))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            await _to_the_end(self._remove_opened(spec.name, opening))
            raise

    async def _remove_opened(self, name: str, opening: asyncio.Future[Slot]) -> None:
        try:
            slot = await opening
        except PlatformError:
            return
        await self._remove(name, slot)

    def _slot_spec(self, name: str, image: str, spec: StageSpec, limits: BuildLimits) -> SlotSpec:
        return SlotSpec(
            name=name,
            test_id=BUILD,
            attempt=0,
            image=image,
            limits=ContainerLimits(
                memory_mb=limits.memory_mb,
                cpus=limits.cpus,
                processes=_PROCESSES,
                open_files=_OPEN_FILES,
                file_mb=_FILE_MB,
            ),
            disk_mb=spec.disk_mb,
            egress=spec.egress,
            egress_may_be_private=True,
            mounts=spec.mounts,
        )

    def _assignment(self, spec: StageSpec, limits: BuildLimits, uid: int) -> Assign:
        left = limits.deadline - asyncio.get_running_loop().time()
        return Assign(
            mode="command",
            argv=spec.argv,
            files=dict(spec.files),
            entry_point=None,
            query="",
            env=dict(spec.env),
            uid=self._own_uid if spec.trusted else uid,
            python="python3",
            deadline_seconds=max(left, 0.1),
            log_bytes=_LOG_BYTES,
            response_bytes=0,
            collect=list(spec.collect),
            grace_seconds=0.5,
        )


class _Watch:
    """What one stage says while it runs."""

    def __init__(self, spec: StageSpec, say: Telling) -> None:
        self._spec = spec
        self.say = say
        self._files: dict[str, bytearray] = {}
        self._whole: set[str] = set()
        self._room = _FILES_BYTES
        self._output = StageOutput(spec.stage)
        self.refused: list[str] = []

    async def on_frames(self, batch: FrameBatch) -> None:
        for _, frame in batch:
            if isinstance(frame, Log):
                await self._say(self._output.feed(frame.text))
            elif isinstance(frame, FileFrame):
                self._on_file(frame)

    async def on_report(self, event: ModelCallEvent | NoticeEvent) -> None:
        """Keep why the door refused something or could not reach it."""
        if isinstance(event, NoticeEvent) and event.code in {
            "egress_refused",
            "egress_unreachable",
        }:
            self.refused.append(event.message)

    @property
    def output(self) -> str:
        """The end of what it wrote."""
        return self._output.text

    async def flush(self) -> None:
        """Pass on a last line without its end."""
        await self._say(self._output.flush())

    async def _say(self, shown: str) -> None:
        if shown:
            await self.say(shown)

    def whole_files(self) -> dict[str, bytes]:
        return {name: bytes(data) for name, data in self._files.items() if name in self._whole}

    def _on_file(self, frame: FileFrame) -> None:
        data = self._files.setdefault(frame.name, bytearray())
        try:
            piece = base64.b64decode(frame.data_b64, validate=True)
        except binascii.Error as error:
            raise PlatformError(f"A collected file was not readable: {error}") from error
        self._room -= len(piece)
        if frame.offset != len(data) or self._room < 0 or frame.name in self._whole:
            raise PlatformError("A collected file was not sent as it should be.")
        data += piece
        if frame.last:
            self._whole.add(frame.name)


def _result(spec: StageSpec, end: SlotEnd, watch: _Watch, limits: BuildLimits) -> StageResult:
    said = end.exit
    newest = watch.whole_files().get("/tmp/newest.txt", b"").decode("utf-8", "replace").strip()  # noqa: S108 - a path inside the container
    return StageResult(
        stage=spec.stage,
        code=None if said is None else said.code,
        reason=_reason(said, end),
        output=watch.output,
        message=_message(said, end),
        told=watch.say.last,
        oom=_ran_out_of_memory(said, end),
        newest=newest[:200],
        annotated=watch.whole_files()
        .get(ANNOTATED_FILE, b"")[:_ANNOTATED_BYTES]
        .decode("utf-8", "replace"),
        seconds_allowed=limits.seconds,
        memory_mb=limits.memory_mb,
        most_mb=limits.most_mb,
        refused=tuple(watch.refused),
    )


def _reason(said: Exit | None, end: SlotEnd) -> str:
    if said is not None:
        return said.reason
    return end.stopped or "lost"


def _message(said: Exit | None, end: SlotEnd) -> str:
    if said is not None:
        return said.message
    return end.container.evidence[-2000:] if end.container else ""


def _ran_out_of_memory(said: Exit | None, end: SlotEnd) -> bool:
    if said is not None:
        return said.oom_kills > 0 and said.code != 0
    return end.container is not None and end.container.oom_killed


async def _to_the_end(work: Awaitable[object]) -> None:
    """Await it even when cancelled meanwhile; the cancellation goes on afterwards."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
