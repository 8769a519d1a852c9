"""The contract of a container engine; part of `ports`, where everybody takes it from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Mount:
    """A host folder or file inside the container. Read-only unless said otherwise."""

    source: str
    target: str
    read_only: bool = True


@dataclass(frozen=True)
class VolumeMount:
    """A volume of the engine's own inside the container; see `Engine.make_volume`."""

    volume: str
    target: str
    read_only: bool = True


@dataclass(frozen=True)
class Tmpfs:
    """A sized memory file system: the only writable space of a test."""

    target: str
    size_mb: int
    mode: int = 0o1777
    executable: bool = False


@dataclass(frozen=True)
class ContainerLimits:
    """What the engine enforces."""

    memory_mb: int
    cpus: float
    processes: int
    open_files: int = 1024
    file_mb: int = 256


@dataclass(frozen=True)
class ContainerSpec:
    """One container, used once.

    `name` makes `launch` idempotent. `labels` always hold `seatrial` (the test's id, or
    `build`) and `seatrial.installation`; the engine adds nothing of its own to them.
    """

    name: str
    image: str
    argv: tuple[str, ...]
    limits: ContainerLimits
    labels: Mapping[str, str]
    mounts: tuple[Mount, ...] = ()
    volumes: tuple[VolumeMount, ...] = ()
    tmpfs: tuple[Tmpfs, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    working_directory: str = "/"


@dataclass(frozen=True)
class ContainerExit:
    """How a container ended. `code` is 128 + signal when one ended it.

    `evidence` is the end of what process 1 itself wrote (up to 64 KB): crashes before the
    channel stands. `oom_killed` may be false although memory ran out (Podman): the harness knows.
    """

    code: int
    oom_killed: bool = False
    evidence: str = ""


@dataclass(frozen=True)
class Removed:
    """What went with a container, in seconds from the call until each was known to be gone.

    `tmpfs` are its memory file systems: the kernel frees them with its last process.
    `image_layer` is what was written over its image.
    """

    tmpfs: float = 0.0
    image_layer: float = 0.0


@dataclass(frozen=True)
class ContainerInfo:
    """A container that carries our label."""

    id: str
    name: str
    labels: Mapping[str, str]
    running: bool
    created_at: datetime


@dataclass(frozen=True)
class VolumeInfo:
    """A volume that carries our label."""

    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class EngineInfo:
    """What the engine is and can do.

    `unenforced` names the limits that the engine says it does not enforce: `memory`, `processes`,
    `CPU`. `runtime` is the one that was asked for instead of the engine's own.
    """

    name: str
    version: str
    api_version: str
    rootless: bool
    architecture: str
    cpus: int
    memory_bytes: int
    unenforced: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    runtime: str = ""

    @property
    def has_own_kernel(self) -> bool:
        """Whether the processes of a container are none of the host's: gVisor's are not."""
        return self.runtime.startswith("runsc")

    @property
    def words(self) -> str:
        """It in a few words for people, for example `Docker 28.5.1 (rootless), x86_64`."""
        more = ", ".join(filter(None, ("rootless" if self.rootless else "", self.runtime)))
        return f"{self.name} {self.version}{f' ({more})' if more else ''}, {self.architecture}"


class Pipe(Protocol):
    """Standard input and output of one container's process 1, for whoever launched it alone.

    Bytes arrive whole and in order both ways. Who does not read makes the other side wait, so
    little is ever under way. It ends with process 1, and when its holder closes it or dies
    (kill -9 too): process 1 then reads the end of its standard input.
    """

    async def read(self) -> bytes:
        """What it wrote since, as soon as there is some; empty at the end. One reader."""
        ...

    async def write(self, data: bytes) -> None:
        """Hand the bytes over; waits while process 1 does not read. A platform error at the end.

        Concurrent writes do not mix.
        """
        ...

    async def close(self) -> None:
        """Let go of it. Idempotent. The container is left as it is."""
        ...


@dataclass(frozen=True)
class ImageLimits:
    """What the build of an image may use. `context_mb` bounds what it is given, in MiB.

    No engine limits the processes of a build: a build runs no program but the base image's.
    """

    memory_mb: int
    cpus: float
    seconds: float
    context_mb: int


@runtime_checkable
class ImageBuilder(Protocol):
    """What an engine may do besides: build images. All calls raise the platform errors only."""

    async def build_image(
        self, name: str, context: Path, arguments: Mapping[str, str], limits: ImageLimits
    ) -> None:
        """Build the image of that name from a tar archive with a Dockerfile of one stage.

        The build has no network. EngineRefused with the end of the output, or with the limit that
        it exceeded. Podman lets the command that runs then go on: give each a time limit too.
        """
        ...

    async def remove_image(self, name: str) -> None:
        """Remove the image. Does nothing when it is gone."""
        ...


class Engine(Protocol):
    """Where containers run. All calls may run concurrently; all raise the platform errors only.

    Order per container: launch, wait (any number of callers), stop (optional), remove. A volume
    is made before the containers that mount it and removed after them.
    """

    async def ping(self) -> None:
        """Return when it answers: the cheapest question that it can be asked. EngineUnavailable."""
        ...

    async def describe(self) -> EngineInfo:
        """Who answers. EngineUnavailable."""
        ...

    async def image(self, python: str, *, progress: Callable[[str], None] | None = None) -> str:
        """The base image for that Python ("3.11"), pulled or built if need be; its content id.

        ImageUnavailable. Concurrent calls for one Python do the work once.
        """
        ...

    async def published(self, image: str) -> str | None:
        """Under which name everybody gets that base image: `registry/python@sha256:...`.

        None for one that was built here, or when the registry that it is from does not answer.
        Where it is known, the name stands for all machine types that the registry has.
        """
        ...

    async def launch(self, spec: ContainerSpec) -> str:
        """Create, attach and start; the container's id.

        A container of that name that exists already is returned as it is (adoption). When
        starting fails, nothing is left. NoCapacity, EngineRefused, EngineUnavailable.
        """
        ...

    async def launch_piped(self, spec: ContainerSpec) -> tuple[str, Pipe]:
        """Launch with standard input and output held by the caller; id and pipe.

        A name in use is EngineRefused: a pipe cannot be shared. Its evidence is standard error.
        """
        ...

    async def wait(self, container_id: str) -> ContainerExit:
        """Return when it has ended; at once if it already has. One that is gone: code 137."""
        ...

    async def process(self, container_id: str) -> int | None:
        """Process 1 of a running container, by its number on the engine's machine; else None."""
        ...

    async def kill(self, container_id: str) -> None:
        """SIGKILL now. Does nothing when it is not running or gone."""
        ...

    async def remove(self, container_id: str) -> Removed:
        """Kill if need be, remove with its anonymous volumes. Does nothing when it is gone."""
        ...

    async def containers(self, installation: str) -> Sequence[ContainerInfo]:
        """Every container with our label and that installation, running or not."""
        ...

    async def make_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """An empty folder on the engine's own disk, root's, that several containers may mount.

        A Unix socket that one of them makes there can be reached from the others. The labels
        are those of a container. One of that name that exists already is left as it is.
        """
        ...

    async def remove_volume(self, name: str) -> None:
        """Remove it with its content. Does nothing when it is gone.

        EngineRefused while a container, running or not, mounts it.
        """
        ...

    async def volumes(self, installation: str) -> Sequence[VolumeInfo]:
        """Every volume with our label and that installation."""
        ...

    async def aclose(self) -> None:
        """Close connections. Containers stay."""
        ...
