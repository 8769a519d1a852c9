"""The port `Environments`: built in containers, kept by content."""

from __future__ import annotations

import asyncio
import errno
import logging
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from seatrial.domain.errors import InvalidRequest, NoCapacity, PlatformError
from seatrial.domain.ports import (
    Engine,
    EngineInfo,
    Environment,
    EnvironmentInfo,
    EnvironmentRequest,
)
from seatrial.domain.validation.requirements import requirements_problems
from seatrial.settings import Settings
from seatrial.slots import Slots

from . import keys
from .builder import Builder, Job, kept_resolution
from .flights import Flights, LogCall
from .folders import EnvironmentFolders
from .room import BuildRoom
from .running import BuildLimits, StageRunner
from .stages import StageInputs, tree_path
from .stages import inputs as stage_inputs
from .trees import Marker, Resolution, Trees

log = logging.getLogger(__name__)

ENVIRONMENT_LABEL = "seatrial.environment"
"""A container with this label uses the environment of that key: it is not removed meanwhile."""

_GB = 1_000_000_000
_LONGEST_WAIT_IN_BUILDS = 3
"""A build that waits for room this many times its own time fails."""

_KEPT_SHARE = 0.8
"""What is left when room is made: making it for every single build would be wasted work."""


class BuiltEnvironments:
    """Builds environments on one engine and keeps them below one folder.

    Several processes may share the folder. Callers mark the containers that use an environment
    with `ENVIRONMENT_LABEL`.
    """

    def __init__(self, slots: Slots, engine: Engine, settings: Settings, *, state: Path) -> None:
        """Everything is kept in `environments` below `state`. Nothing is made yet.

        That folder must be one file system (for hard links) which the engine sees too.
        """
        self._slots = slots
        self._engine = engine
        self._settings = settings
        self._trees = Trees(EnvironmentFolders(state / "environments"))
        self._flights: Flights[Environment] = Flights()
        self._ready: tuple[EngineInfo, StageInputs] | None = None
        self._machine = ""
        self._tidying: asyncio.Task[None] | None = None
        self._room = BuildRoom(
            each=settings.build_max_mb * 2**20,
            share=settings.max_builds_per_user,
            free=lambda: shutil.disk_usage(self._trees.folders.state).free,
        )

    async def prepare(self, request: EnvironmentRequest, log: LogCall) -> Environment:
        """See Environments. InvalidRequest for requirements that validation would refuse."""
        problems = tuple(requirements_problems(request.requirements))
        if problems:
            raise InvalidRequest(problems)
        image = await self._image(request.python, log)
        prepared = await self._prepare(request, image, log)
        return replace(prepared, published=await self._engine.published(image))

    async def _prepare(self, request: EnvironmentRequest, image: str, log: LogCall) -> Environment:
        if not keys.plain(request.requirements):
            architecture = await self._architecture()
            return Environment(
                key="", image=image, python="python3", lock="", architecture=architecture
            )
        async with _mapped_errors():
            job = await self._job(request, image)
            if kept := self._kept(job):
                # The same words whoever's test had it built: users learn nothing of each other.
                count = kept[1].packages
                await log(f"{count} package{'s' * (count != 1)}, ready to use.\n")
                environment = kept[0]
            else:
                environment = await self._flights.join(
                    f"{job.owners_key}", lambda say: self._build(job, say), log
                )
            self._trees.note_use(environment.key, job.owner)
            return environment

    async def _image(self, python: str, log: LogCall) -> str:
        """The base image; pulling or building it, which takes minutes, is told line by line."""
        lines: asyncio.Queue[str | None] = asyncio.Queue()
        telling = asyncio.create_task(_tell(lines, log))
        try:
            return await self._engine.image(
                python, progress=lambda line: lines.put_nowait(f"{line}\n")
            )
        finally:
            lines.put_nowait(None)
            await telling

    async def entries(self, owner: str | None = None) -> Sequence[EnvironmentInfo]:
        """See Environments."""
        if owner is None:
            return await asyncio.to_thread(self._trees.entries)
        return await asyncio.to_thread(self._trees.entries_of, keys.owner_key(owner))

    async def prune(self, *, keep_bytes: int = 0) -> int:
        """See Environments. What is in use, or was handed out within a minute, stays."""
        async with _mapped_errors():
            self._trees.folders.create()
            used = await self._in_use()
            return await asyncio.to_thread(self._trees.make_room, keep_bytes, used)

    async def aclose(self) -> None:
        """Wait for the tidying up after the last build."""
        if self._tidying is not None:
            await asyncio.wait({self._tidying})

    # ---------------------------------------------------------------- a build

    async def _job(self, request: EnvironmentRequest, image: str) -> Job:
        info, inputs = await self._inputs()
        settings = self._settings
        return Job(
            owner=keys.owner_key(request.owner),
            requirements=keys.plain(request.requirements),
            python=request.python,
            architecture=info.architecture,
            image=image,
            limits=BuildLimits(
                memory_mb=settings.build_memory_mb,
                cpus=min(settings.max_cpus, float(info.cpus)),
                deadline=asyncio.get_running_loop().time() + settings.build_timeout_seconds,
                seconds=settings.build_timeout_seconds,
                most_mb=settings.build_max_mb,
            ),
            inputs=inputs,
            installation=f"{self._slots.installation} {self._trees.folders.state}",
        )

    async def _architecture(self) -> str:
        if not self._machine:
            self._machine = (await self._engine.describe()).architecture
        return self._machine

    async def _inputs(self) -> tuple[EngineInfo, StageInputs]:
        """What all builds share; found out once, so that a warm call asks nobody."""
        if self._ready is None:
            folders = self._trees.folders
            info = await self._engine.describe()
            self._ready = info, await asyncio.to_thread(stage_inputs, folders, self._settings)
        return self._ready

    def _kept(self, job: Job) -> tuple[Environment, Marker] | None:
        resolution = kept_resolution(self._trees, job)
        if resolution is None:
            return None
        key = job.tree_key(resolution.lock)
        marker = self._trees.use(key)
        if marker is None:
            return None
        return self._environment(job, key, resolution, cached=True), marker

    async def _build(self, job: Job, say: LogCall) -> Environment:
        """Build when there is room: only then does the build's own time begin."""
        seconds = self._settings.build_timeout_seconds

        async def on_wait() -> None:
            await say("Waiting until other builds have ended…\n")

        async with self._room.one(job.owner, on_wait, seconds=seconds * _LONGEST_WAIT_IN_BUILDS):
            deadline = asyncio.get_running_loop().time() + seconds
            limits = replace(job.limits, deadline=deadline)
            return await self._build_now(replace(job, limits=limits), say)

    async def _build_now(self, job: Job, say: LogCall) -> Environment:
        info, _ = await self._inputs()
        builder = Builder(self._trees, StageRunner(self._slots, info), job, say)
        key, resolution, marker, cached = await builder.build()
        environment = self._environment(job, key, resolution, cached=cached)
        if cached:
            return environment
        self._tidy_later()
        return replace(
            environment,
            resolved_seconds=resolution.seconds,
            built_seconds=marker.built_seconds,
        )

    def _environment(
        self, job: Job, key: str, resolution: Resolution, *, cached: bool
    ) -> Environment:
        path = tree_path(key)
        return Environment(
            key=key,
            image=job.image,
            python=f"{path}/bin/python",
            lock=resolution.lock,
            path=str(self._trees.folders.trees / key),
            mount_path=path,
            cached=cached,
            from_source=resolution.owner is not None,
            architecture=job.architecture,
        )

    # ---------------------------------------------------------------- room

    def _tidy_later(self) -> None:
        if self._tidying is None or self._tidying.done():
            self._tidying = asyncio.create_task(self._tidy())

    async def _tidy(self) -> None:
        """Keep to the operator's limit. Trouble here must not fail the build before it."""
        limit = int(self._settings.environments_max_gb * _GB)
        try:
            if await asyncio.to_thread(self._trees.measure) > limit:
                freed = await self.prune(keep_bytes=int(limit * _KEPT_SHARE))
                log.info("removed %d bytes of environments that were not used lately", freed)
        except (PlatformError, OSError) as error:
            log.warning("old environments could not be removed: %s", error)

    async def _in_use(self) -> frozenset[str]:
        containers = await self._engine.containers(self._slots.installation)
        return frozenset(
            key for container in containers if (key := container.labels.get(ENVIRONMENT_LABEL))
        )


@asynccontextmanager
async def _mapped_errors() -> AsyncGenerator[None]:
    """Troubles with the machine's own disk."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoCapacity(
                f"The machine's disk is full: {error}",
                hint="Free some: seatrial environments prune.",
            ) from error
        raise PlatformError(f"The folder of environments is not usable: {error}") from error


async def _tell(lines: asyncio.Queue[str | None], log: LogCall) -> None:
    while (line := await lines.get()) is not None:
        await log(line)
