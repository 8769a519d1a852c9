"""Installs a package's requirements for its verification, as its Dockerfile does, in sandboxes.

Wheels are foreign archives, and an image build has an engine's own rights. So nothing of them is
installed in a build: one container downloads them by hash and reaches the package index alone, a
second one without any network runs the Dockerfile's commands on them. Both are hardened as a
test's, under a user without rights. What comes out is copied into the image.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from seatrial.domain.errors import FailureError
from seatrial.domain.failures import failure
from seatrial.domain.ports import Engine, EngineInfo
from seatrial.settings import Settings
from seatrial.slots import Slots

from . import keys
from .diagnose import StageResult
from .flights import Telling
from .folders import EnvironmentFolders, PackageFolders
from .running import BuildLimits, StageRunner
from .stages import StageInputs, StageSpec, assemble_stage, wheels_stage
from .stages import inputs as stage_inputs
from .trees import remove_folder

_FORGOTTEN_SECONDS = 3600.0
"""Folders of verifications that are older were left by a worker that died."""
_SHOWN = 2000


@dataclass(frozen=True)
class PackageInstall:
    """What is installed: the lock, by the Dockerfile's own commands, on that image.

    `name` is the verification's own, and the same for the same package. `commands` are a shell's.
    """

    name: str
    image: str
    lock: str
    commands: str


class PackageInstaller:
    """Installs the requirements of packages, each in two containers of its own."""

    def __init__(self, slots: Slots, engine: Engine, settings: Settings, *, state: Path) -> None:
        """Works below `state`, as `BuiltEnvironments` does. Makes nothing yet."""
        self._slots, self._engine, self._settings = slots, engine, settings
        self._folders = EnvironmentFolders(state / "environments")

    def scratch(self) -> tempfile.TemporaryDirectory[str]:
        """A folder for an image's context; one that a worker left when it died is removed later."""
        self._folders.create()
        return tempfile.TemporaryDirectory(dir=self._folders.packages)

    @asynccontextmanager
    async def installed(self, wanted: PackageInstall) -> AsyncGenerator[Path]:
        """The folder that the Dockerfile's commands made at /opt/venv, until the block ends.

        FailureError with the end of the output when they fail; platform errors.
        """
        folders = self._folders.package(wanted.name)
        await asyncio.to_thread(self._prepare, folders)
        try:
            yield await self._install(wanted, folders)
        finally:
            await asyncio.to_thread(remove_folder, folders.root)

    async def _install(self, wanted: PackageInstall, folders: PackageFolders) -> Path:
        info = await self._engine.describe()
        inputs = await asyncio.to_thread(stage_inputs, self._folders, self._settings)
        limits = self._limits(info)
        runner = StageRunner(self._slots, info)
        for spec in _stages(inputs, folders, wanted, limits.most_mb):
            await self._run(runner, spec, wanted, limits)
        return folders.tree

    async def _run(
        self, runner: StageRunner, spec: StageSpec, wanted: PackageInstall, limits: BuildLimits
    ) -> None:
        state = f"{self._slots.installation} {self._folders.state}"
        name = keys.container_name(spec.stage, wanted.name, state)
        await runner.discard(name)
        end = await runner.run(name, wanted.image, spec, limits, Telling(_nobody))
        if not end.result.succeeded:
            raise _failed(end.result)

    def _limits(self, info: EngineInfo) -> BuildLimits:
        settings = self._settings
        return BuildLimits(
            memory_mb=settings.build_memory_mb,
            cpus=min(settings.max_cpus, float(info.cpus)),
            deadline=asyncio.get_running_loop().time() + settings.build_timeout_seconds,
            seconds=settings.build_timeout_seconds,
            most_mb=settings.build_max_mb,
        )

    def _prepare(self, folders: PackageFolders) -> None:
        """Empty folders, without what a worker that died has left."""
        self._folders.create()
        for old in self._folders.packages.glob("*"):
            if time.time() - old.stat().st_mtime > _FORGOTTEN_SECONDS:
                remove_folder(old)
        remove_folder(folders.root)
        folders.create()


def _stages(
    inputs: StageInputs, folders: PackageFolders, wanted: PackageInstall, most_mb: int
) -> tuple[StageSpec, ...]:
    """Without requirements there is nothing to download."""
    assemble = assemble_stage(folders, lock=wanted.lock, commands=wanted.commands, most_mb=most_mb)
    if not wanted.lock.strip():
        return (assemble,)
    return wheels_stage(inputs, folders, lock=wanted.lock, most_mb=most_mb), assemble


def _failed(result: StageResult) -> FailureError:
    what = "downloaded" if result.stage == "wheels" else "installed"
    message = f"The package's requirements could not be {what} ({_how(result)})."
    evidence = "\n".join((*result.refused, result.message, result.output)).strip()[-_SHOWN:]
    return FailureError(failure("dependencies.build_failed", message, evidence=evidence))


def _how(result: StageResult) -> str:
    if result.oom:
        return f"out of memory at {result.memory_mb} MiB"
    if result.reason == "deadline":
        return f"not done within {result.seconds_allowed} s"
    return f"exit code {result.code}" if result.reason == "exited" else result.reason


async def _nobody(_: str) -> None:
    """The output counts only when a stage fails."""
