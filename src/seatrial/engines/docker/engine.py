"""The port `Engine` over Docker's API, as Docker and Podman serve it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from seatrial.domain.errors import EngineRefused, ImageUnavailable, PlatformError
from seatrial.domain.ports import (
    ContainerExit,
    ContainerInfo,
    ContainerSpec,
    EngineInfo,
    ImageLimits,
    Pipe,
    Removed,
    VolumeInfo,
)
from seatrial.settings import Settings

from . import building, convert, seccomp
from .answers import Container, Flavour
from .api import Api
from .config import DockerConfig, from_settings
from .errors import AlreadyThere, NotThere, translated
from .events import Endings
from .evidence import Evidence
from .finishing import finished, to_the_end
from .image_facts import ImageCatalog
from .images import Images
from .pipe import AttachedPipe

_HOSTS = "127.0.0.1 localhost agent\n::1 localhost\n"
_REMOVAL_SECONDS = 10.0
_STATE_LAG_SECONDS = 0.05


class _LastWords(Protocol):
    """What is drained of one container's output."""

    async def text(self) -> str: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class _Connection:
    """What one engine object holds while it is in use."""

    api: Api
    flavour: Flavour
    files: convert.PrivateFiles
    endings: Endings
    images: Images
    catalog: ImageCatalog


class DockerEngine:
    """Docker or Podman; which of them is found out with the first call."""

    def __init__(self, config: DockerConfig) -> None:
        """Connects to nothing yet."""
        self._config = config
        self._connection: _Connection | None = None
        self._info: EngineInfo | None = None
        self._connecting = asyncio.Lock()
        self._evidence: dict[str, _LastWords] = {}

    async def ping(self) -> None:
        """Ask for an answer, of which nothing is read. EngineUnavailable."""
        try:
            await (await self._connect()).api.greet()
        except PlatformError:
            self._info = None  # another one may answer the next time
            raise

    async def describe(self) -> EngineInfo:
        """Who answers. EngineUnavailable.

        Asked once, since Podman starts several programs to say it, and again after a failed ping.
        """
        if self._info is None:
            api = (await self._connect()).api
            version, info = await asyncio.gather(api.version(), api.info())
            self._info = convert.engine_info(version, info, self._config.runtime)
        return self._info

    async def image(self, python: str, *, progress: Callable[[str], None] | None = None) -> str:
        """The base image for that Python: its content id. See `images`."""
        connection = await self._connect()
        return await connection.images.get(python, progress or _ignore)

    async def published(self, image: str) -> str | None:
        """Its name in the registry that it is from, by digest. See `images`."""
        return await (await self._connect()).images.published(image)

    async def build_image(
        self, name: str, context: Path, arguments: Mapping[str, str], limits: ImageLimits
    ) -> None:
        """Build the image of that name from a tar archive with a Dockerfile. See `building`."""
        connection = await self._connect()
        query = building.query(name, arguments, limits, connection.flavour)
        await building.build_image(connection.api, query, context, limits)

    async def remove_image(self, name: str) -> None:
        """Remove the image. Does nothing when it is gone."""
        await building.remove_image((await self._connect()).api, name)

    async def launch(self, spec: ContainerSpec) -> str:
        """Create, attach and start; the id. One of that name is returned as it is.

        One that was created by somebody who was lost before starting it is started.
        """
        connection = await self._connect()
        try:
            container = await self._create(connection, spec, piped=False)
        except AlreadyThere:
            return await self._adopt(connection, spec)
        await self._start(connection, container)
        return container

    async def launch_piped(self, spec: ContainerSpec) -> tuple[str, Pipe]:
        """Create, attach with standard input, start. A name in use is EngineRefused."""
        connection = await self._connect()
        try:
            container = await self._create(connection, spec, piped=True)
        except AlreadyThere as error:
            raise EngineRefused(f"There is a container {spec.name} already.") from error
        pipe = await self._start(connection, container, piped=True)
        assert isinstance(pipe, AttachedPipe)
        return container, pipe

    async def wait(self, container_id: str) -> ContainerExit:
        """Return when it has ended; at once if it already has. One that is gone: code 137."""
        connection = await self._connect()
        ending = connection.endings.watch(container_id)
        inspected = await connection.api.inspect(container_id)
        told = None
        if inspected is not None and not inspected.has_ended:
            told = await asyncio.shield(ending)
            inspected = await self._settled(connection.api, container_id)
        else:
            connection.endings.forget(container_id)
        evidence = self._evidence.get(container_id)
        text = await evidence.text() if evidence else ""
        return convert.exit_of(inspected, told=told, evidence=text)

    async def process(self, container_id: str) -> int | None:
        """Process 1 of a running container, by its number on the engine's machine; else None."""
        inspected = await (await self._connect()).api.inspect(container_id)
        return inspected.state.pid or None if inspected is not None else None

    async def kill(self, container_id: str) -> None:
        """SIGKILL now. Does nothing when it is not running or gone."""
        connection = await self._connect()
        try:
            await connection.api.kill(container_id)
        except (NotThere, AlreadyThere):
            return

    async def remove(self, container_id: str) -> Removed:
        """Kill if need be, remove with its anonymous volumes. Does nothing when it is gone.

        Killed first and removed then, so that it is known when each was done.
        """
        connection = await self._connect()
        started = time.monotonic()
        ended = await self._ended(connection.api, container_id)
        try:
            await connection.api.delete(container_id)
        except NotThere:
            pass
        except AlreadyThere:
            await self._gone(connection.api, container_id)
        removed = time.monotonic()
        connection.endings.forget(container_id)
        if evidence := self._evidence.pop(container_id, None):
            await evidence.close()
        return Removed(tmpfs=(ended or removed) - started, image_layer=removed - started)

    async def _ended(self, api: Api, container: str) -> float | None:
        """Kill it; when its last process had ended, None when the engine does not say so."""
        # One that has ended, is gone, or is in a state in which only a removal helps refuses it.
        with contextlib.suppress(EngineRefused):
            await api.kill(container)
        inspected = await self._settled(api, container)
        return time.monotonic() if inspected is None or inspected.has_ended else None

    async def remove_quietly(self, container_id: str) -> None:
        """Remove what a failed launch made; a failure here must not hide the first one."""
        try:
            await self.remove(container_id)
        except PlatformError:
            return

    async def containers(self, installation: str) -> Sequence[ContainerInfo]:
        """Every container with our label and that installation, running or not."""
        api = (await self._connect()).api
        listed = await api.containers("seatrial", f"seatrial.installation={installation}")
        return [convert.container_info(container) for container in listed]

    async def make_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """An empty folder on the engine's disk; one that exists is left as it is."""
        api = (await self._connect()).api

        async def undo(_: None) -> None:
            with contextlib.suppress(PlatformError):
                await self.remove_volume(name)

        await to_the_end(api.make_volume(name, labels), undo=undo)

    async def remove_volume(self, name: str) -> None:
        """Remove it. EngineRefused while it is mounted; does nothing when it is gone."""
        api = (await self._connect()).api
        try:
            await api.delete_volume(name)
        except NotThere:
            return
        except AlreadyThere as error:
            raise EngineRefused(f"The volume {name} is in use: {error.message}") from error

    async def volumes(self, installation: str) -> Sequence[VolumeInfo]:
        """Every volume with our label and that installation."""
        api = (await self._connect()).api
        listed = await api.volumes(f"seatrial.installation={installation}")
        return [convert.volume_info(found) for found in listed if "seatrial" in found.labels]

    async def aclose(self) -> None:
        """Close connections. Containers stay."""
        connection, self._connection, self._info = self._connection, None, None
        for evidence in self._evidence.values():
            await evidence.close()
        self._evidence.clear()
        if connection is not None:
            await connection.endings.close()
            await connection.api.close()

    async def _connect(self) -> _Connection:
        """The connection, made and asked for its kind once. EngineUnavailable.

        Of many callers one asks; the others wait for as long as it may take, not one by one.
        """
        if self._connection is not None:
            return self._connection
        with translated():
            async with asyncio.timeout(self._config.request_seconds), self._connecting:
                if self._connection is None:
                    self._connection = await self._open()
                return self._connection

    async def _open(self) -> _Connection:
        config, api = self._config, Api(self._config)
        try:
            flavour = await api.greet()
        except BaseException:
            await api.close()
            raise
        endings = Endings(
            api, sweep_seconds=config.sweep_seconds, patience_seconds=config.patience_seconds
        )
        files = _private_files(config.state, flavour)
        images, catalog = Images(api, flavour, config), ImageCatalog(api, flavour)
        return _Connection(api, flavour, files, endings, images, catalog)

    async def _create(self, connection: _Connection, spec: ContainerSpec, *, piped: bool) -> str:
        """Create it; its id. AlreadyThere, ImageUnavailable."""
        if connection.flavour == "podman":
            _refuse_missing(spec)
        try:
            body = await self._body(connection, spec, piped=piped)
            return await to_the_end(
                connection.api.create(spec.name, body), undo=self.remove_quietly
            )
        except NotThere as error:
            raise ImageUnavailable(
                f"The engine has no image {spec.image}.", hint=error.message
            ) from error

    async def _body(
        self, connection: _Connection, spec: ContainerSpec, *, piped: bool
    ) -> convert.Json:
        """The request for it. Its program is an absolute path, whatever PATH the image has."""
        facts = await connection.catalog.facts(spec.image)
        program = await connection.catalog.program(facts, spec.argv[0], spec.labels)
        return convert.container_body(
            replace(spec, argv=(program, *spec.argv[1:])),
            connection.flavour,
            connection.files,
            self._config.runtime,
            facts=facts,
            piped=piped,
        )

    async def _adopt(self, connection: _Connection, spec: ContainerSpec) -> str:
        """The container of that name, started if it never was."""
        inspected = await connection.api.inspect(spec.name)
        if inspected is None:  # removed in between: the name is free again
            return await self.launch(spec)
        container = inspected.id
        if inspected.never_started:
            await self._start(connection, container)
        return container

    async def _start(
        self, connection: _Connection, container: str, *, piped: bool = False
    ) -> _LastWords:
        """Attach, then start. Leaves nothing behind when that fails or is cancelled."""
        try:
            stream = await connection.api.attach(container, stdin=piped)
            attached = AttachedPipe(stream) if piped else Evidence(stream)
            self._evidence[container] = attached
            await connection.api.start(container)
        except (NotThere, AlreadyThere) as error:  # Podman's word for a command that is missing
            await self.remove_quietly(container)
            raise EngineRefused(f"The container cannot start: {error.message}") from error
        except BaseException:
            await finished(self.remove_quietly(container))
            raise
        return attached

    async def _settled(self, api: Api, container: str) -> Container | None:
        """Inspect after the event: Podman's state follows a moment later."""
        for _ in range(20):
            inspected = await api.inspect(container)
            if inspected is None or inspected.has_ended:
                return inspected
            await asyncio.sleep(_STATE_LAG_SECONDS)
        return await api.inspect(container)

    async def _gone(self, api: Api, container: str) -> None:
        """Wait for a removal that somebody else has begun."""
        deadline = time.monotonic() + _REMOVAL_SECONDS
        while await api.inspect(container) is not None:
            if time.monotonic() > deadline:
                raise EngineRefused(f"Container {container[:12]} is still being removed.")
            await asyncio.sleep(_STATE_LAG_SECONDS)


def create(settings: Settings) -> DockerEngine:
    """The engine for these settings. SetupFailed when there is no socket to talk to."""
    return DockerEngine(from_settings(settings))


def _refuse_missing(spec: ContainerSpec) -> None:
    """Refuse what Podman would not: it makes a missing folder on the host and mounts that."""
    for mount in spec.mounts:
        if not os.path.lexists(mount.source):
            raise EngineRefused(f"There is nothing to mount at {mount.source}.")


def _private_files(folder: Path, flavour: Flavour) -> convert.PrivateFiles:
    """Write what every container sees in place of the engine's own; the same bytes each time."""
    folder.mkdir(parents=True, exist_ok=True)
    profile = seccomp.profile_json()
    name = f"seccomp-{hashlib.sha256(profile.encode()).hexdigest()[:12]}.json"
    hosts, resolv, filtered = folder / "hosts", folder / "resolv.conf", folder / name
    for path, text in ((hosts, _HOSTS), (resolv, ""), (filtered, profile)):
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            part = path.with_name(f"{path.name}.{os.getpid()}")
            part.write_text(text, encoding="utf-8")
            part.chmod(0o644)
            part.replace(path)  # whole or not at all: another process may be mounting it
    return convert.PrivateFiles(
        hosts=str(hosts.resolve()),
        resolv_conf=str(resolv.resolve()),
        seccomp=str(filtered.resolve()) if flavour == "podman" else profile,
    )


def _ignore(_: str) -> None:
    return None
