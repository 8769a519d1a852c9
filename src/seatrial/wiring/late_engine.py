"""An engine that is looked for when it is needed, and again when it was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from seatrial.domain.errors import EngineRefused, EngineUnavailable, SetupFailed
from seatrial.domain.ports import (
    ContainerExit,
    ContainerInfo,
    ContainerSpec,
    Engine,
    EngineInfo,
    ImageBuilder,
    ImageLimits,
    Pipe,
    Removed,
    VolumeInfo,
)
from seatrial.engines.private import ensure_engine, private_engine
from seatrial.engines.registry import create_engine
from seatrial.settings import Settings

_T = TypeVar("_T")


class LateEngine:
    """The engine of the settings; the private one is started when no other is there.

    So a server starts where no engine is yet, its tests say what is missing, and it goes on by
    itself as soon as one is there. Fulfils `Engine`.
    """

    def __init__(
        self, settings: Settings, progress: Callable[[str], None], *, may_install: bool = False
    ) -> None:
        """Looks for nothing yet. Only with `may_install` are packages installed."""
        self._settings = settings
        self._progress = progress
        self._may_install = may_install
        self._engine: Engine | None = None
        self._url = ""
        self._turn = asyncio.Lock()

    async def ping(self) -> None:
        """As the port says; a private engine that died is started again."""
        await self._revived(lambda engine: engine.ping())

    async def describe(self) -> EngineInfo:
        """As the port says; a private engine that died is started again."""
        return await self._revived(lambda engine: engine.describe())

    async def image(self, python: str, *, progress: Callable[[str], None] | None = None) -> str:
        """As the port says."""
        return await (await self._found()).image(python, progress=progress)

    async def published(self, image: str) -> str | None:
        """As the port says."""
        return await (await self._found()).published(image)

    async def build_image(
        self, name: str, context: Path, arguments: Mapping[str, str], limits: ImageLimits
    ) -> None:
        """As the port says; an engine that builds none is EngineRefused."""
        await (await self._builder()).build_image(name, context, arguments, limits)

    async def remove_image(self, name: str) -> None:
        """As the port says."""
        await (await self._builder()).remove_image(name)

    async def launch(self, spec: ContainerSpec) -> str:
        """As the port says."""
        return await (await self._found()).launch(spec)

    async def launch_piped(self, spec: ContainerSpec) -> tuple[str, Pipe]:
        """As the port says."""
        return await (await self._found()).launch_piped(spec)

    async def wait(self, container_id: str) -> ContainerExit:
        """As the port says."""
        return await (await self._found()).wait(container_id)

    async def process(self, container_id: str) -> int | None:
        """As the port says."""
        return await (await self._found()).process(container_id)

    async def kill(self, container_id: str) -> None:
        """As the port says."""
        await (await self._found()).kill(container_id)

    async def remove(self, container_id: str) -> Removed:
        """As the port says."""
        return await (await self._found()).remove(container_id)

    async def containers(self, installation: str) -> Sequence[ContainerInfo]:
        """As the port says."""
        return await (await self._found()).containers(installation)

    async def make_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """As the port says."""
        await (await self._found()).make_volume(name, labels)

    async def remove_volume(self, name: str) -> None:
        """As the port says."""
        await (await self._found()).remove_volume(name)

    async def volumes(self, installation: str) -> Sequence[VolumeInfo]:
        """As the port says."""
        return await (await self._found()).volumes(installation)

    async def disconnect(self) -> None:
        """Close the connections and let a private engine run on."""
        if self._engine is not None:
            await self._engine.aclose()
            self._engine = None

    async def aclose(self) -> None:
        """Close the connections; a private engine is stopped with its containers."""
        await self.disconnect()
        private = private_engine(self._settings)
        if private is not None and self._url == private.url:
            await private.stop()

    async def _revived(self, ask: Callable[[Engine], Awaitable[_T]]) -> _T:
        """What the engine answers; one that does not is looked for once more."""
        try:
            return await ask(await self._found())
        except EngineUnavailable:
            await self._look_again()
            return await ask(await self._found())

    async def _found(self) -> Engine:
        if self._engine is None:
            async with self._turn:
                if self._engine is None:
                    self._engine = await self._create()
        return self._engine

    async def _builder(self) -> ImageBuilder:
        engine = await self._found()
        if not isinstance(engine, ImageBuilder):
            raise EngineRefused("This engine builds no images.")
        return engine

    async def _look_again(self) -> None:
        """See that one runs. Only another one is connected to anew.

        Whoever waits for a container of one that is restarted goes on waiting: it may still run.
        """
        async with self._turn:
            if await self._ensure() != self._url:
                await self.disconnect()

    async def _create(self) -> Engine:
        if self._settings.engine == "fake":
            return create_engine(self._settings)
        self._url = await self._ensure()
        chosen = self._settings.model_copy(update={"docker_host": self._url})
        try:
            return create_engine(chosen)
        except SetupFailed as error:
            raise EngineUnavailable(error.message, hint=error.hint) from error

    async def _ensure(self) -> str:
        """The url of an engine, started if need be. EngineUnavailable."""
        try:
            return await ensure_engine(
                self._settings, self._progress, may_install=self._may_install
            )
        except SetupFailed as error:
            raise EngineUnavailable(error.message, hint=error.hint) from error
