"""Base images: what the engine has, else the registry's, else one built from Debian packages.

A registry that answers is believed: a Python version that it does not have is not built. Only
when none answers, and Debian packages that version, the image is built here.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
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
_ASK_AGAIN_SECONDS = 0.2


class Images:
    """The base images of one engine."""

    def __init__(self, api: Api, config: DockerConfig) -> None:
        """Does nothing yet."""
        self._api = api
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

    def _pulled(self, python: str) -> str:
        return f"{self._config.registry.rstrip('/')}/python:{python}-slim"

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


def _step(line: answers.Progress) -> str:
    """One line for people; byte counts are left out, they come many times a second."""
    if line.progress or not line.status:
        return ""
    return f"{line.id}: {line.status}" if line.id else line.status


@contextlib.asynccontextmanager
async def _only_process(path: Path) -> AsyncGenerator[None]:
    """Hold a lock between processes; it is given back when the process ends, however it ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise EngineUnavailable(f"The folder of images cannot be used: {error}") from error
    with file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
        yield
