"""Takes one environment from its requirements to a whole tree, stage by stage."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from seatrial.domain.errors import FailureError, PlatformError
from seatrial.domain.failures import failure

from . import keys
from .diagnose import StageResult, error_of, needs_source, unsolved
from .flights import LogCall, Telling
from .folders import make_readable
from .lockfile import add_hashes, count_packages, count_requirements, hashes_of
from .locks import holding
from .running import BuildLimits, StageEnd, StageRunner
from .stages import (
    LOCK_FILE,
    SOURCES_LOCK,
    StageInputs,
    StageSpec,
    fetch_stage,
    install_stage,
    sources_stage,
)
from .trees import Marker, Resolution, Trees
from .wheels import BadWheel, Wheelhouse


@dataclass(frozen=True)
class Job:
    """One build: what is wanted, for which interpreter, and by when."""

    owner: str
    requirements: str
    python: str
    architecture: str
    image: str
    limits: BuildLimits
    inputs: StageInputs = field(repr=False)
    installation: str

    @property
    def key(self) -> str:
        """Names the resolution."""
        return keys.inputs_key(
            self.requirements,
            python=self.python,
            architecture=self.architecture,
            index=" ".join(self.inputs.index.public_urls),
            uv=self.inputs.uv.name,
            image=self.image,
        )

    @property
    def owners_key(self) -> str:
        """Names the resolution that needs wheels which were built for this owner."""
        return f"{self.key}-{self.owner}"

    def tree_key(self, lock: str) -> str:
        """Names the tree of a lock."""
        return keys.tree_key(
            lock, python=self.python, architecture=self.architecture, image=self.image
        )


class Builder:
    """Builds for one job. Made anew for every build."""

    def __init__(self, trees: Trees, runner: StageRunner, job: Job, log: LogCall) -> None:
        self._trees = trees
        self._folders = trees.folders
        self._runner = runner
        self._job = job
        self._log = Telling(log)
        self._house = Wheelhouse(self._folders.wheelhouse(job.owner))
        self._uses_house = False

    async def build(self) -> tuple[str, Resolution, Marker, bool]:
        """Key, resolution and marker of the tree, and whether it was there already.

        Only one process builds the same inputs at one time, and the same tree. The others wait
        for as long as a build may take. Raises: PlatformError.
        """
        async with (
            self._holding(self._job.key),
            self._holding("cache", shared=True),
        ):
            return await self._build()

    def _holding(self, name: str, *, shared: bool = False) -> AbstractAsyncContextManager[None]:
        until = self._job.limits.deadline
        path = self._folders.lock(name)
        return holding(path, until=until, shared=shared, waits=self._wait_for_another)

    async def _wait_for_another(self) -> None:
        await self._log("Waiting for another process that works on the same packages…\n")

    async def _build(self) -> tuple[str, Resolution, Marker, bool]:
        job = self._job
        kept = kept_resolution(self._trees, job)
        if kept is not None:
            key = job.tree_key(kept.lock)
            if marker := self._trees.use(key):
                return key, kept, marker, True
            self._uses_house = kept.owner is not None
        resolution = await self._fetch(kept)
        key = job.tree_key(resolution.lock)
        async with self._holding(key):
            if marker := self._trees.use(key):
                await self._log(f"{_packages(marker.packages)}, ready to use.\n")
                return key, resolution, marker, True
            return key, resolution, await self._install(key, resolution), False

    # ---------------------------------------------------------------- fetch

    async def _fetch(self, kept: Resolution | None) -> Resolution:
        """Resolve and download; build from source what cannot be had otherwise.

        Packages without a wheel come to light one after the other: every round knows more of
        them than the one before, until it succeeds, fails otherwise or runs out of time.
        """
        built: frozenset[str] = frozenset()
        while True:
            started = time.monotonic()
            end = await self._fetch_once(kept)
            if end.result.succeeded:
                return kept or self._resolved(end, time.monotonic() - started)
            if kept is not None:
                # The index or the wheels from source have changed since: resolve anew.
                kept = None
                continue
            built |= await self._supply(end.result, built)

    async def _fetch_once(self, kept: Resolution | None) -> StageEnd:
        count = count_requirements(self._job.requirements)
        if kept is None and not self._uses_house:
            await self._log(f"Resolving {count} requirement{'s' * (count != 1)}…\n")
        elif kept is not None:
            await self._log(f"Fetching {_packages(count_packages(kept.lock))}…\n")
        spec = fetch_stage(
            self._job.inputs,
            requirements=None if kept else self._job.requirements,
            lock=kept.lock if kept else "",
            wheels=self._wheels(),
            most_mb=self._job.limits.most_mb,
        )
        return await self._run("fetch", self._job.key, spec)

    async def _supply(self, result: StageResult, built: frozenset[str]) -> frozenset[str]:
        """Make the wheels that a fetch found missing, or say why it failed."""
        missing = needs_source(result.output) - built
        if not missing:
            raise await self._told(result)
        if not self._uses_house and missing <= self._house.names():
            self._uses_house = True
            await self._log(f"Built from source before: {', '.join(sorted(missing))}.\n")
            return frozenset()
        self._refuse_password(missing)
        supplied = await self._build_sources(built | missing)
        self._uses_house = True
        return supplied

    def _resolved(self, end: StageEnd, seconds: float) -> Resolution:
        content = end.files.get(LOCK_FILE)
        if content is None:
            raise PlatformError("The lock was not among what the fetch stage sent.")
        lock = content.decode("utf-8")
        if self._uses_house:
            lock = add_hashes(lock, self._house.hashes())
        owner = self._job.owner if self._uses_house else None
        resolution = Resolution(lock, round(seconds, 3), owner)
        self._trees.keep_resolution(self._job.owners_key if owner else self._job.key, resolution)
        return resolution

    # ---------------------------------------------------------------- sources

    async def _build_sources(self, names: frozenset[str]) -> frozenset[str]:
        """Build these and what turns out to be missing besides; the packages that were built."""
        while True:
            await self._log(f"Building from source: {', '.join(sorted(names))}…\n")
            spec = sources_stage(self._job.inputs, requirements=self._job.requirements, names=names)
            end = await self._run("sources", self._job.owners_key, spec)
            if end.result.succeeded:
                return await asyncio.to_thread(self._keep_wheels, end, names)
            more = needs_source(end.result.output) - names
            if not more:
                raise await self._told(end.result)
            names |= more

    def _keep_wheels(self, end: StageEnd, names: frozenset[str]) -> frozenset[str]:
        claimed = end.files.get(SOURCES_LOCK, b"").decode("utf-8", "replace")
        found: set[str] = set()
        for path, content in end.files.items():
            name = PurePosixPath(path).name
            if path == SOURCES_LOCK:
                continue
            try:
                found.add(self._house.add(name, content, names))
            except BadWheel as error:
                message = f"What was built from source is not usable: {error}."
                raise FailureError(
                    failure("dependencies.build_failed", message, evidence=ascii(name))
                ) from error
        if not found:
            message = f"Building {', '.join(sorted(names))} from source gave no wheel."
            raise FailureError(failure("dependencies.build_failed", message))
        self._house.add_hashes(hashes_of(claimed, names))
        return names

    def _refuse_password(self, names: frozenset[str]) -> None:
        if self._job.inputs.index.has_password:
            message = (
                f"{', '.join(sorted(names))} would have to be built from source. That is off "
                "because the package index needs a password, which no foreign code may see."
            )
            raise FailureError(failure("dependencies.build_failed", message))

    # ---------------------------------------------------------------- install

    async def _install(self, key: str, resolution: Resolution) -> Marker:
        packages = count_packages(resolution.lock)
        await self._log(f"Installing {_packages(packages)}…\n")
        started = time.monotonic()
        spec = install_stage(self._job.inputs, lock=resolution.lock, key=key, wheels=self._wheels())
        end = await self._run(
            "install", key, spec, before=lambda: asyncio.to_thread(self._trees.clear, key)
        )
        if not end.result.succeeded:
            await asyncio.to_thread(self._trees.clear, key)
            raise error_of(end.result)
        seconds = time.monotonic() - started
        marker = await asyncio.to_thread(
            self._trees.complete, key, python=self._job.python, packages=packages, seconds=seconds
        )
        await self._log(f"Installed {_packages(packages)} in {seconds:.1f} s.\n")
        return marker

    # ---------------------------------------------------------------- shared

    async def _run(
        self,
        stage: str,
        key: str,
        spec: StageSpec,
        before: Callable[[], Awaitable[None]] | None = None,
    ) -> StageEnd:
        """Run a stage. `before` is called when no container of a dead worker writes any more."""
        name = keys.container_name(stage, key, self._job.installation)
        await self._runner.discard(name)
        if before is not None:
            await before()
        return await self._runner.run(name, self._job.image, spec, self._job.limits, self._log)

    async def _told(self, result: StageResult) -> FailureError | PlatformError:
        """What to raise, after uv's whole explanation was shown: now it is known to be final."""
        if explanation := unsolved(result.output):
            await self._log(explanation)
        return error_of(result)

    def _wheels(self) -> Path | None:
        if not self._uses_house:
            return None
        # It may have been removed to make room since the lock was kept.
        make_readable(self._house.folder)
        return self._house.folder


def kept_resolution(trees: Trees, job: Job) -> Resolution | None:
    """The resolution of an earlier build with the same inputs."""
    return trees.resolution(job.key) or trees.resolution(job.owners_key)


def _packages(count: int) -> str:
    return f"{count} package{'s' * (count != 1)}"
