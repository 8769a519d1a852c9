"""An engine without containers: `--engine fake`, for exercising the product and its failures.

A container is a process in namespaces of its own that sees the mounts of its spec (`fake_box`).
It needs Linux and root. It is no isolation: no limits, no filter of system calls, the host's
files readable, and its containers are known to this object only, so nobody adopts them.

Failures are asked for by variables, read at every launch:

    SEATRIAL_FAKE_LAUNCH_ERROR        no_capacity, engine_unavailable, engine_refused or
                                      image_unavailable; with `:2` only the next two launches
    SEATRIAL_FAKE_DELAY_SECONDS       every launch takes this much longer
    SEATRIAL_FAKE_DIE_AFTER_SECONDS   every container is killed after this time
    SEATRIAL_FAKE_EXIT_CODE           every container ends with this code
    SEATRIAL_FAKE_AWAY                while it is set nobody answers; containers run on
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from seatrial.domain.errors import (
    EngineRefused,
    EngineUnavailable,
    ImageUnavailable,
    NoCapacity,
    PlatformError,
)
from seatrial.domain.ports import (
    ContainerExit,
    ContainerInfo,
    ContainerSpec,
    EngineInfo,
    Mount,
    Pipe,
    Removed,
    VolumeInfo,
)
from seatrial.settings import Settings
from seatrial.settings.children import UMASK

from . import fake_box
from .relays import ProcessPipe

_ERRORS: dict[str, type[PlatformError]] = {
    "no_capacity": NoCapacity,
    "engine_unavailable": EngineUnavailable,
    "engine_refused": EngineRefused,
    "image_unavailable": ImageUnavailable,
}
_KEPT_BYTES = 64 * 1024
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class _Running:
    """One process that plays a container."""

    spec: ContainerSpec
    process: asyncio.subprocess.Process
    created_at: datetime
    ended: asyncio.Task[ContainerExit]


class FakeEngine:
    """Fulfils the port with local processes."""

    def __init__(self) -> None:
        """Starts nothing."""
        self._containers: dict[str, _Running] = {}
        self._volumes: dict[str, tuple[Mapping[str, str], str]] = {}
        self._failed: int = 0

    async def ping(self) -> None:
        """Answer, unless told to be away."""
        _answer()

    async def describe(self) -> EngineInfo:
        """An engine that says what it is."""
        _answer()
        return EngineInfo(
            name="Fake",
            version="1",
            api_version="1",
            rootless=False,
            architecture=platform.machine(),
            cpus=os.cpu_count() or 1,
            memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            unenforced=("memory", "processes", "CPU"),
            warnings=("The fake engine isolates nothing: run only code that you trust.",),
        )

    async def image(self, python: str, *, progress: Callable[[str], None] | None = None) -> str:
        """The host itself, whose Python has to be of that version. ImageUnavailable."""
        _answer()
        found = shutil.which(f"python{python}", path=_PATH)
        if found is None:
            raise ImageUnavailable(f"This machine has no Python {python} in {_PATH}.")
        return f"fake:{python}"

    async def published(self, image: str) -> str | None:
        """Nobody else has this host."""
        _answer()
        return None

    async def launch(self, spec: ContainerSpec) -> str:
        """Start the process, or fail as the variables say. The id is the name."""
        _answer()
        if spec.name not in self._containers:
            await self._launch(spec, piped=False)
        return spec.name

    async def launch_piped(self, spec: ContainerSpec) -> tuple[str, Pipe]:
        """The same, with the process's own pipes."""
        _answer()
        if spec.name in self._containers:
            raise EngineRefused(f"There is a container {spec.name} already.")
        return spec.name, ProcessPipe(await self._launch(spec, piped=True))

    async def _launch(self, spec: ContainerSpec, *, piped: bool) -> asyncio.subprocess.Process:
        await asyncio.sleep(_seconds("SEATRIAL_FAKE_DELAY_SECONDS") or 0)
        self._fail_if_asked()
        if os.geteuid() != 0:
            raise EngineRefused("The fake engine needs root, for its mounts.")
        if shutil.which(spec.argv[0], path=_PATH) is None:
            raise EngineRefused(f"There is no program {spec.argv[0]}.")
        mounts = [*spec.mounts, *self._mounted(spec)]
        root = tempfile.mkdtemp(prefix="seatrial-fake-")
        process = await _start(spec, root, mounts, piped=piped)
        ended = asyncio.create_task(_watch(process, root, piped=piped))
        self._containers[spec.name] = _Running(spec, process, datetime.now(UTC), ended)
        return process

    def _mounted(self, spec: ContainerSpec) -> list[Mount]:
        """The spec's volumes as the folders that they are here."""
        missing = [volume.volume for volume in spec.volumes if volume.volume not in self._volumes]
        if missing:
            raise EngineRefused(f"There is no volume {missing[0]}.")
        return [
            Mount(self._volumes[volume.volume][1], volume.target, volume.read_only)
            for volume in spec.volumes
        ]

    async def wait(self, container_id: str) -> ContainerExit:
        """Its end. One that is gone: code 137."""
        _answer()
        running = self._containers.get(container_id)
        return ContainerExit(137) if running is None else await asyncio.shield(running.ended)

    async def process(self, container_id: str) -> int | None:
        """None: what plays process 1 is a child of what was started."""
        return None

    async def kill(self, container_id: str) -> None:
        """SIGKILL to all of its processes."""
        _answer()
        running = self._containers.get(container_id)
        if running is not None and running.process.returncode is None:
            running.process.kill()

    async def remove(self, container_id: str) -> Removed:
        """Kill and forget. Its memory file systems are all that it could write to."""
        _answer()
        started = time.monotonic()
        await self.kill(container_id)
        running = self._containers.pop(container_id, None)
        if running is not None:
            await running.ended
        ended = time.monotonic() - started
        return Removed(tmpfs=ended, image_layer=ended)

    async def containers(self, installation: str) -> Sequence[ContainerInfo]:
        """Those of this object."""
        _answer()
        return [
            ContainerInfo(
                name, name, running.spec.labels, not running.ended.done(), running.created_at
            )
            for name, running in self._containers.items()
            if running.spec.labels.get("seatrial.installation") == installation
        ]

    async def make_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """A temporary folder."""
        _answer()
        if name not in self._volumes:
            self._volumes[name] = labels, tempfile.mkdtemp(prefix="seatrial-fake-")

    async def remove_volume(self, name: str) -> None:
        """Remove the folder, unless a container has it."""
        _answer()
        specs = [running.spec for running in self._containers.values()]
        if any(name == volume.volume for spec in specs for volume in spec.volumes):
            raise EngineRefused(f"The volume {name} is in use.")
        if name in self._volumes:
            shutil.rmtree(self._volumes.pop(name)[1], ignore_errors=True)

    async def volumes(self, installation: str) -> Sequence[VolumeInfo]:
        """Those of this object."""
        _answer()
        return [
            VolumeInfo(name, labels)
            for name, (labels, _) in self._volumes.items()
            if labels.get("seatrial.installation") == installation
        ]

    async def aclose(self) -> None:
        """Kill what still runs and remove every volume: nobody else could find them."""
        for container in list(self._containers):
            await self.remove(container)
        for volume in list(self._volumes):
            await self.remove_volume(volume)

    def _fail_if_asked(self) -> None:
        name, _, times = os.environ.get("SEATRIAL_FAKE_LAUNCH_ERROR", "").partition(":")
        if name and (not times or self._failed < int(times)):
            self._failed += 1
            raise _ERRORS[name](f"The fake engine was told to fail: {name}.")


def _answer() -> None:
    if os.environ.get("SEATRIAL_FAKE_AWAY"):
        raise EngineUnavailable("The fake engine was told to be away.")


def create(_: Settings) -> FakeEngine:
    """The engine `fake` of the registry."""
    return FakeEngine()


async def _start(
    spec: ContainerSpec, root: str, mounts: Sequence[Mount], *, piped: bool
) -> asyncio.subprocess.Process:
    """A process in its own namespaces; killing it kills everything inside."""
    environment = {"PATH": _PATH, "HOME": "/root", "HOSTNAME": "agent", **spec.environment}
    inside = {
        "mounts": [asdict(mount) for mount in mounts],
        "tmpfs": [asdict(tmpfs) for tmpfs in spec.tmpfs],
        "argv": spec.argv,
        "environment": environment,
        "working_directory": spec.working_directory,
    }
    unshare = ("unshare", "--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child")
    try:
        return await asyncio.create_subprocess_exec(
            *(*unshare, sys.executable, "-I", fake_box.__file__, root, json.dumps(inside)),
            stdin=asyncio.subprocess.PIPE if piped else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE if piped else asyncio.subprocess.STDOUT,
            umask=UMASK,
        )
    except OSError as error:
        raise EngineRefused(f"The fake engine cannot start a process: {error}") from error


async def _watch(process: asyncio.subprocess.Process, root: str, *, piped: bool) -> ContainerExit:
    """Keep the end of the output; end the process early when the variables say so."""
    kept: deque[bytes] = deque()
    output = process.stderr if piped else process.stdout
    assert output is not None
    lifetime = _seconds("SEATRIAL_FAKE_DIE_AFTER_SECONDS")
    try:
        async with asyncio.timeout(lifetime):
            while data := await output.read(4096):
                kept.append(data)
                while sum(map(len, kept)) - len(kept[0]) >= _KEPT_BYTES:
                    kept.popleft()
    except TimeoutError:
        process.kill()
    code = await process.wait()
    os.rmdir(root)
    asked = _seconds("SEATRIAL_FAKE_EXIT_CODE")
    evidence = b"".join(kept)[-_KEPT_BYTES:].decode("utf-8", "replace")
    return ContainerExit(int(asked) if asked is not None else _exit_code(code), evidence=evidence)


def _exit_code(code: int) -> int:
    return 128 - code if code < 0 else code


def _seconds(name: str) -> float | None:
    value = os.environ.get(name)
    return float(value) if value else None
