"""Base images: what the engine has, else the registry's, else one built from Debian packages.

A registry that answers is believed: a Python version that it does not have is not built. Only
when none answers, and Debian packages that version, the image is built here.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

from seatrial.domain.errors import (
    EngineRefused,
    EngineUnavailable,
    ImageUnavailable,
    NoCapacity,
    PlatformError,
)

from . import answers, debian
from .api import Api
from .config import DockerConfig

Progress = Callable[[str], None]

_UNREACHABLE = (
    "no such host",
    "connection refused",
    "connection reset",
    "i/o timeout",
    "dial tcp",
    "network is unreachable",
    "no route to host",
    "tls handshake timeout",
    "deadline exceeded",
    "client.timeout exceeded",
    "server misbehaving",
    "temporary failure in name resolution",
    "proxyconnect",
)
"""How engines say that the registry did not answer at all."""
_OTHERS_SECONDS = 1800.0
_ASK_AGAIN_SECONDS = 0.2
_REGISTRY_SECONDS = 10.0
_LISTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
"""What stands for the images of all machine types under one digest."""


class Images:
    """The base images of one engine."""

    def __init__(self, api: Api, flavour: answers.Flavour, config: DockerConfig) -> None:
        """Does nothing yet."""
        self._api = api
        self._flavour: answers.Flavour = flavour
        self._published: dict[str, str | None] = {}
        self._config = config
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, python: str, progress: Progress) -> str:
        """The content id of the image for that Python. ImageUnavailable, platform errors.

        Done once for all concurrent callers, of other processes too. `progress` gets one line
        of text per step, for people.
        """
        async with self._locks[python]:
            if found := await self._local(python):
                return found
            async with _only_process(self._config.images / f"python-{python}.lock"):
                return await self._local(python) or await self._make(python, progress)

    async def published(self, image: str) -> str | None:
        """Its name by digest in the registry of the settings; None when it has none.

        Looked for once: it does not change, and a registry that was silent then does not hold up
        every test.
        """
        if image not in self._published:
            self._published[image] = await self._find_published(image)
        return self._published[image]

    async def _find_published(self, image: str) -> str | None:
        """The digest of the list of all machine types.

        Podman also notes the digest of the one machine's image, and of what was loaded from a
        file; only the registry tells them apart. Docker notes what was asked for.
        """
        found = await self._api.image(image)
        own = f"{self._repository}@"
        names = [
            name for name in map(_in_full, found.digests if found else ()) if name.startswith(own)
        ]
        if self._flavour == "docker" and len(names) == 1:
            return names[0]
        for name in names:
            if await self._is_list(name):
                return name
        return None

    async def _is_list(self, name: str) -> bool:
        try:
            async with asyncio.timeout(_REGISTRY_SECONDS):
                return await self._api.manifest_kind(self._flavour, name) in _LISTS
        except (TimeoutError, EngineRefused):
            return False

    @property
    def _repository(self) -> str:
        return f"{self._config.registry.rstrip('/')}/python"

    def _pulled(self, python: str) -> str:
        return f"{self._repository}:{python}-slim"

    async def _local(self, python: str) -> str | None:
        for reference in (self._pulled(python), debian.reference(python)):
            if image := await self._api.image(reference):
                return image.id
        return None

    async def _make(self, python: str, progress: Progress) -> str:
        reference = self._pulled(python)
        try:
            await self._pull(reference, progress)
        except (EngineRefused, NoCapacity) as error:
            if isinstance(error, NoCapacity):
                raise
            if not _unreachable(error.message):
                raise ImageUnavailable(
                    f"The registry has no usable image {reference}: {error.message}",
                    hint="Ask for another Python version, or set SEATRIAL_REGISTRY.",
                ) from error
            progress(f"No registry answers for {reference}.")
            reference = await self._build(python, progress, error)
        return await self._id_of(reference)

    async def _pull(self, reference: str, progress: Progress) -> None:
        progress(f"Pulling {reference}")
        last = ""
        async for line in self._api.pull(reference):
            text = _step(line)
            if text and text != last:
                progress(text)
                last = text

    async def _build(self, python: str, progress: Progress, error: PlatformError) -> str:
        """Build, or take the archive of an earlier build (of another engine), and load it."""
        archive = await debian.archive(python, self._config.images, progress, because=error.message)
        reference = debian.reference(python)
        progress(f"Loading {reference} into the engine")
        await self._api.load(archive)
        return reference

    async def _id_of(self, reference: str) -> str:
        image = await self._api.image(reference)
        if image is None:
            raise ImageUnavailable(f"The engine took {reference}, but does not have it.")
        return image.id


def _unreachable(message: str) -> bool:
    return any(words in message.lower() for words in _UNREACHABLE)


def _in_full(name: str) -> str:
    """A name as it is meant: Docker leaves out its own registry.

    >>> _in_full("python@sha256:12")
    'docker.io/library/python@sha256:12'
    """
    first, slash, _ = name.partition("/")
    if not slash:
        return f"docker.io/library/{name}"
    return name if {".", ":"} & set(first) or first == "localhost" else f"docker.io/{name}"


def _step(line: answers.Progress) -> str:
    """One line for people; byte counts are left out, they come many times a second."""
    if line.progress or not line.status:
        return ""
    return f"{line.id}: {line.status}" if line.id else line.status


@contextlib.asynccontextmanager
async def _only_process(path: Path) -> AsyncGenerator[None]:
    """Hold a lock between processes; it is given back when the process ends, however it ends.

    Raises: EngineUnavailable when another process holds it for longer than any build takes.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise EngineUnavailable(f"The folder of images cannot be used: {error}") from error
    with file:
        deadline = time.monotonic() + _OTHERS_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise EngineUnavailable(
                        "Another process makes this base image and does not finish.",
                        hint="Look for a Seatrial process on this machine that is stopped, "
                        "and end it.",
                    ) from error
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
        yield
