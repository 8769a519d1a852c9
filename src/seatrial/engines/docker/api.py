"""One narrow, typed face over aiodocker: every call maps its errors, nothing else.

What comes back is parsed into `answers`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiodocker
import aiohttp
from aiodocker.exceptions import DockerError
from aiodocker.stream import Stream
from aiodocker.volumes import DockerVolume
from yarl import URL

from seatrial.domain.errors import EngineRefused
from seatrial.engines.remote import http_url

from .answers import (
    Built,
    Container,
    Distributed,
    Event,
    Flavour,
    Image,
    Info,
    Listed,
    Manifest,
    Progress,
    Version,
    Volume,
)
from .config import DockerConfig
from .errors import NotThere, translated
from .tls import first_answer

Json = dict[str, Any]

_LISTED = ("Id", "Names", "Labels", "State", "Created")
"""What is read of a listed container."""
_LIST_AGAIN = 5
_DELETE_AGAIN = 5
_DELETE_PAUSE_SECONDS = 0.1


class Api:
    """Calls to one engine. No limit on connections: every running container holds one."""

    def __init__(self, config: DockerConfig) -> None:
        """Connects to nothing yet, but must be made inside a running loop."""
        self._timeout = aiohttp.ClientTimeout(total=config.request_seconds, sock_connect=5.0)
        self._endless = aiohttp.ClientTimeout(total=None, sock_connect=5.0)
        self._progress = aiohttp.ClientTimeout(
            total=None, sock_connect=5.0, sock_read=config.quiet_seconds
        )
        self._tls = config.tls
        url, self._connector = _connector(config.host, config.tls)
        # Any: most of aiodocker is untyped; `answers` says what comes back.
        self._docker: Any = aiodocker.Docker(
            url=url, connector=self._connector, timeout=self._timeout
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._docker.close()
        await self._connector.close()

    async def greet(self) -> Flavour:
        """Agree upon the version of the API and hear who answers; before any other call.

        `GET /_ping`: its headers tell both at once, where Podman's `/version` starts several
        programs and takes a second.
        """
        with translated(), first_answer(self._tls):
            url = URL(f"{self._docker.docker_host}/_ping")
            async with self._docker.session.get(
                url, timeout=self._timeout, raise_for_status=True
            ) as response:
                self._docker.api_version = f"v{response.headers['Api-Version']}"
                return "podman" if "Libpod-Api-Version" in response.headers else "docker"

    async def version(self) -> Version:
        """`GET /version`."""
        with translated():
            return Version.model_validate(await self._docker.version())

    async def info(self) -> Info:
        """`GET /info`."""
        with translated():
            return Info.model_validate(await self._docker.system.info())

    async def create(self, name: str, body: Json) -> str:
        """Create a container; its id. AlreadyThere for a name in use, NotThere for no image."""
        with translated():
            return str((await self._docker.containers.create(body, name=name)).id)

    async def start(self, container: str) -> None:
        """Start it; nothing happens when it runs already."""
        with translated():
            await self._docker.containers.container(container).start()

    async def attach(self, container: str, *, stdin: bool = False) -> Stream:
        """Its output from now on, and its input if that is asked for."""
        with translated():
            attached = self._docker.containers.container(container).attach(
                stdin=stdin, stdout=True, stderr=True
            )
            # aiodocker takes off every limit, because the stream has none; its beginning has.
            async with asyncio.timeout(self._timeout.total):
                return await attached.__aenter__()

    async def inspect(self, container: str) -> Container | None:
        """All about a container; None when there is none."""
        try:
            with translated():
                return Container.model_validate(
                    await self._docker.containers.container(container).show()
                )
        except NotThere:
            return None

    async def kill(self, container: str) -> None:
        """SIGKILL. NotThere, AlreadyThere."""
        with translated():
            await self._docker.containers.container(container).kill(signal="SIGKILL")

    async def delete(self, container: str) -> None:
        """Remove with force and anonymous volumes. NotThere, AlreadyThere.

        Podman may answer 500 ("container state improper") for one that stops in this moment:
        then it is told again.
        """
        for _ in range(_DELETE_AGAIN):
            try:
                return await self._delete(container)
            except EngineRefused as error:
                if "state improper" not in error.message:
                    raise
            await asyncio.sleep(_DELETE_PAUSE_SECONDS)
        return await self._delete(container)

    async def _delete(self, container: str) -> None:
        with translated():
            await self._docker.containers.container(container).delete(force=True, v=True)

    async def has_file(self, container: str, path: str) -> bool:
        """Whether there is something at that path of a container, which need not run."""
        url = URL(f"{self._docker.docker_host}/{self._docker.api_version}/containers/{container}")
        with translated():
            async with self._docker.session.head(
                url / "archive", params={"path": path}, timeout=self._timeout
            ) as response:
                if response.status not in {200, 404}:
                    raise DockerError(response.status, f"no look at {path}")
                return response.status == 200

    async def containers(self, *labels: str) -> list[Listed]:
        """Every container that carries all the labels (`name` or `name=value`).

        Podman's list fails when one of them is removed meanwhile: then it is asked again.
        """
        for _ in range(_LIST_AGAIN):
            with contextlib.suppress(NotThere):
                return await self._list(labels)
        return await self._list(labels)

    async def _list(self, labels: Sequence[str]) -> list[Listed]:
        filters = json.dumps({"label": list(labels)})
        with translated():
            found = await self._docker.containers.list(all=True, filters=filters)
            return [Listed(**{name: container[name] for name in _LISTED}) for container in found]

    async def make_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Make it; one that exists is taken as it is."""
        with translated():
            await self._docker.volumes.create({"Name": name, "Labels": dict(labels)})

    async def delete_volume(self, name: str) -> None:
        """Remove it. NotThere; AlreadyThere while it is mounted."""
        with translated():
            await DockerVolume(self._docker, name).delete()

    async def volumes(self, label: str) -> list[Volume]:
        """Every volume that carries the label (`name=value`).

        One only: of several, Podman takes any where Docker wants all.
        """
        with translated():
            found = await self._docker.volumes.list(filters={"label": [label]})
            return [Volume.model_validate(volume) for volume in found["Volumes"] or ()]

    async def events(self) -> AsyncGenerator[Event | None]:
        """Yields None once connected, then the events of all containers, without end.

        No limit of time: `Endings`, which looks at the list besides, notices a stopped engine.
        Not only of ours: Podman's filter knows labels with a value only.
        """
        filters = json.dumps({"type": ["container"]})
        url = URL(f"{self._docker.docker_host}/{self._docker.api_version}/events")
        with translated():
            async with self._docker.session.get(
                url, params={"filters": filters}, timeout=self._endless, raise_for_status=True
            ) as response:
                yield None
                async for line in response.content:
                    yield Event.model_validate_json(line)

    async def image(self, reference: str) -> Image | None:
        """An image that the engine has; None when it has not."""
        try:
            with translated():
                return Image.model_validate(await self._docker.images.inspect(reference))
        except NotThere:
            return None

    async def manifest_kind(self, flavour: Flavour, reference: str) -> str:
        """The media type of what the registry has under that name. The engine asks it."""
        libpod = flavour == "podman"
        path = f"libpod/manifests/{reference}" if libpod else f"distribution/{reference}"
        url = f"{self._docker.docker_host}/{self._docker.api_version}/{path}/json"
        with translated():
            async with self._docker.session.get(url, timeout=self._timeout) as response:
                text = await response.text()
                if response.status >= 400:
                    raise DockerError(response.status, text)
                if libpod:
                    return Manifest.model_validate_json(text).kind
                return Distributed.model_validate_json(text).descriptor.kind

    async def pull(self, reference: str) -> AsyncGenerator[Progress]:
        """Pull an image and report how it goes."""
        with translated():
            async for line in self._docker.images.pull(
                reference, stream=True, timeout=self._progress
            ):
                yield Progress.model_validate(line)

    async def build(self, query: Mapping[str, str], context: Path) -> AsyncGenerator[Built]:
        """Build an image from a tar archive and report how it goes."""
        url = URL(f"{self._docker.docker_host}/{self._docker.api_version}/build")
        headers = {"Content-Type": "application/x-tar"}
        with translated(), context.open("rb") as file:
            async with self._docker.session.post(
                url, params=query, data=file, headers=headers, timeout=self._progress
            ) as response:
                if response.status >= 400:
                    raise DockerError(response.status, await response.text())
                async for line in response.content:
                    if line.strip():
                        yield Built.model_validate_json(line)

    async def delete_image(self, reference: str) -> None:
        """Remove an image's name, and the image with its last one. NotThere, AlreadyThere."""
        with translated():
            await self._docker.images.delete(reference)

    async def load(self, archive: Path) -> None:
        """Hand over an image in the form of `docker save`."""
        with translated(), archive.open("rb") as file:
            await self._docker.images.import_image(file)


def _connector(host: str, tls: ssl.SSLContext | None) -> tuple[str, aiohttp.BaseConnector]:
    """A connector without a limit, and the address that aiodocker wants beside one.

    Every call goes through it, attached streams and events too: with `tls`, none without TLS.
    """
    if host.startswith("unix://"):
        return "unix://localhost", aiohttp.UnixConnector(host.removeprefix("unix://"), limit=0)
    return http_url(host, tls=tls is not None), aiohttp.TCPConnector(limit=0, ssl=tls or True)
