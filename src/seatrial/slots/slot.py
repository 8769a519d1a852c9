"""One container with its door and its channel, from its start to its receipt."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from seatrial.domain.errors import DoorLost, EngineUnavailable, PlatformError
from seatrial.domain.events import ModelCallEvent
from seatrial.domain.ports import ContainerExit, Door, Engine
from seatrial.harness.protocol import Assign, Exit

from .channel import Channel, FrameBatch
from .doorways import Doorway
from .folders import SlotFolders
from .removal import Part, Removal, all_of

Stopped = Literal["cancelled", "deadline", "silent"]

_OUTER_MARGIN_SECONDS = 3.0
"""The harness enforces the deadline; this much later the engine does."""
_CANCEL_MARGIN_SECONDS = 0.5
"""A harness that was asked to end gets its grace and this; then the engine ends it."""
_LAST_FRAMES_SECONDS = 2.0
"""How long frames may still arrive after the container's end was seen."""
_AGAIN_SECONDS = 0.5
_START_SECONDS = 60.0
"""How long a harness may take to its first word: a busy machine starts processes slowly, and until
then nothing foreign runs."""
_STORED_SECONDS = 1.0
"""A batch of frames that takes longer to be stored waits for the database."""
_STOOD_STILL_SECONDS = 2.0
"""A look that comes later than this says that this process did not run, for whatever reason."""
_HEARING_SECONDS = 4.0
"""How long it then hears what came in meanwhile (a harness speaks every two) before it judges."""
_PARTS: tuple[Part, ...] = (
    *("door_socket", "credentials", "channel_socket"),
    *("tmpfs", "image_layer", "container", "folder"),
)

OnFrames = Callable[[FrameBatch], Awaitable[None]]
"""Stores a batch; it is acknowledged to the harness when this returns."""


@dataclass(frozen=True)
class SlotEnd:
    """How a slot's work ended.

    `exit` is the harness's last word; None when it could not say one. `container` is the
    engine's account, asked for only then. `stopped` tells that the worker ended it, and why.
    """

    exit: Exit | None
    container: ContainerExit | None
    stopped: Stopped | None


class Slot:
    """A running container that belongs to one test attempt or one build step."""

    def __init__(
        self,
        engine: Engine,
        container_id: str,
        folders: SlotFolders,
        channel: Channel,
        door: Door,
        doorway: Doorway,
        *,
        uid: int,
        on_end: Callable[[], None],
        on_left: Callable[[], None],
        silence_seconds: float,
    ) -> None:
        """Made by `Slots` only. A harness silent for `silence_seconds` is taken for lost.

        `on_end` is called when the container is removed or let go, `on_left` when it could not
        be removed.
        """
        self.container_id = container_id
        self.uid = uid
        """The user that the agent runs as: no other running test of this machine has it."""
        self._on_end = on_end
        self._on_left = on_left
        self._engine = engine
        self._folders = folders
        self._channel = channel
        self._door = door
        self._doorway = doorway
        self._silence_seconds = silence_seconds
        self._exit: Exit | None = None
        self._stopped: Stopped | None = None
        self._grace_over: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """When a harness that was asked to end has had its time."""
        self._storing_since: float | None = None

    @property
    def calls(self) -> tuple[ModelCallEvent, ...]:
        """Model calls of this worker's time that have ended."""
        return tuple(self._door.calls)

    async def run(self, assignment: Assign, on_frames: OnFrames) -> SlotEnd:
        """Give the harness its work and drive it to its end.

        Returns when the harness has reported its exit and that is stored, or when the container
        is gone. Errors of `on_frames` end it and are raised; the container is left running.
        DoorLost when the relay of its sockets is gone.
        """
        self._channel.assign(assignment)
        ended = asyncio.create_task(self._container_ended())
        frames = asyncio.create_task(self._drive(on_frames))
        guard = asyncio.create_task(self._guard(assignment))
        impatient = asyncio.create_task(self._end_cancelled())
        lost = asyncio.create_task(self._doorway.lost())
        try:
            await asyncio.wait({ended, frames, lost}, return_when=asyncio.FIRST_COMPLETED)
            if not frames.done():
                await self._take_last(frames)
            if frames.done():
                await frames
            if self._exit is None and lost.done():
                raise DoorLost(f"The relay of the container's sockets is gone: {await lost}")
            container = await ended if self._exit is None else None
        finally:
            tasks = (ended, frames, guard, impatient, lost)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return SlotEnd(exit=self._exit, container=container, stopped=self._stopped)

    def cancel(self, grace_seconds: float) -> None:
        """Ask for a prompt end; `run` then returns. The engine kills when the harness doesn't."""
        self._stopped = self._stopped or "cancelled"
        if not self._grace_over.done():
            self._grace_over.set_result(time.monotonic() + grace_seconds + _CANCEL_MARGIN_SECONDS)
        self._channel.cancel(grace_seconds)

    async def kill(self, reason: Stopped) -> None:
        """End the container now, by the engine."""
        self._stopped = self._stopped or reason
        await self._engine.kill(self.container_id)

    async def close_door(self) -> None:
        """Cut what the agent still had open; every call is reported when this returns."""
        await self._door.close()

    async def remove(self, removal: Removal | None = None) -> Removal:
        """Remove every part; `removal` notes when each was gone, also when this fails.

        What cannot be removed keeps nothing else: the first error is raised at the end. The
        folder stays with a container that does; both are the reaper's then.
        """
        removal = removal or self.removal()
        try:
            await self._remove(removal)
        except BaseException:
            self._on_left()
            raise
        self._on_end()
        return removal

    async def _remove(self, removal: Removal) -> None:
        try:
            await all_of(
                self._close_door(removal),
                self._close_channel(removal),
                self._doorway.remove_relay(removal),
                removal.of_container(self._engine.remove(self.container_id)),
            )
        finally:
            self._door.forget()
            self._channel.forget()
            removal.note("credentials")
        await self._doorway.remove(removal)
        self._folders.remove()
        removal.note("folder")

    def removal(self) -> Removal:
        """A receipt for `remove` that begins now and has nothing in it yet."""
        return Removal((*_PARTS, *self._doorway.parts))

    async def _close_door(self, removal: Removal) -> None:
        await self._door.close()
        removal.note("door_socket")

    async def _close_channel(self, removal: Removal) -> None:
        await self._channel.close()
        removal.note("channel_socket")

    async def detach(self) -> None:
        """Let go of the container without ending it, so that another worker may adopt it."""
        await self._door.close()
        await self._channel.close()
        await self._doorway.close()
        self._on_end()

    async def _drive(self, on_frames: OnFrames) -> None:
        async for batch in self._channel.batches():
            self._storing_since = time.monotonic()
            await on_frames(batch)
            self._storing_since = None
            self._channel.ack(batch[-1][0])
            self._exit = next((frame for _, frame in batch if isinstance(frame, Exit)), None)
            if self._exit is not None:
                return

    async def _container_ended(self) -> ContainerExit:
        """The engine's word for it. While the engine is away, one that still talks has not."""
        while True:
            try:
                return await self._engine.wait(self.container_id)
            except EngineUnavailable:
                if self._channel.silent_seconds() > self._silence_seconds:
                    raise
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _take_last(self, frames: asyncio.Task[None]) -> None:
        """The container is gone: take what it sent before and what still waits to be stored."""
        try:
            async with asyncio.timeout(_LAST_FRAMES_SECONDS):
                await self._channel.hung_up()
        except TimeoutError:
            return  # it lives after all: the engine was wrong, or is away itself
        taken = asyncio.create_task(self._channel.taken())
        await asyncio.wait({frames, taken}, return_when=asyncio.FIRST_COMPLETED)
        taken.cancel()

    async def _end_cancelled(self) -> None:
        """Kill from outside what was asked to end and did not in time."""
        await asyncio.sleep(await asyncio.shield(self._grace_over) - time.monotonic())
        while True:
            await self._kill_quietly("cancelled")
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _guard(self, assignment: Assign) -> None:
        """Kill from outside what the harness did not end from inside.

        A worker that was stopped and goes on must not take its own absence for the agent's: the
        container may have ended meanwhile because nobody listened. Nor may one whose database is
        away: the agent's end may be among what waits to be stored.
        """
        limit = assignment.deadline_seconds + assignment.grace_seconds + _OUTER_MARGIN_SECONDS
        started = looked = time.monotonic()
        judges_from = 0.0
        while True:
            await asyncio.sleep(_AGAIN_SECONDS)
            now = time.monotonic()
            if now - looked > _STOOD_STILL_SECONDS or self._is_storing(now):
                judges_from = now + _HEARING_SECONDS
            looked = now
            if self._channel.starting:
                started = now  # the test's time begins with the first word
            if now < judges_from:
                continue
            if now - started > limit:
                await self._kill_quietly("deadline")
            elif self._channel.silent_seconds() > self._patience:
                await self._kill_quietly("silent")

    @property
    def _patience(self) -> float:
        """Seconds of silence after which the harness is taken for lost."""
        starts = _START_SECONDS if self._channel.starting else 0.0
        return max(self._silence_seconds, starts)

    def _is_storing(self, now: float) -> bool:
        """Whether what came in waits for the database."""
        since = self._storing_since
        return since is not None and now - since > _STORED_SECONDS

    async def _kill_quietly(self, reason: Stopped) -> None:
        try:
            await self.kill(reason)
        except PlatformError:
            # The engine may be restarting: the next round tries again.
            self._stopped = self._stopped or reason
