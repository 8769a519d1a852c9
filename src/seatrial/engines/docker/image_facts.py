"""What an image would bring into a container, and where its programs are.

Nothing of an image is started to find it out: a container is created, looked into, and removed.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seatrial.domain.errors import EngineRefused

from .answers import Flavour, ImageConfig
from .api import Api
from .errors import NotThere
from .finishing import finished, to_the_end

FOLDERS = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where programs are looked for, in this order; an image's own PATH does not count."""


@dataclass(frozen=True)
class ImageFacts:
    """What one image says for every container of it. `id` names its content."""

    id: str
    variables: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()


class ImageCatalog:
    """The facts of one engine's images. What is known of a content id is asked for once."""

    def __init__(self, api: Api, flavour: Flavour) -> None:
        self._api = api
        self._flavour: Flavour = flavour
        self._facts: dict[str, ImageFacts] = {}
        self._programs: dict[tuple[str, str], str] = {}
        self._turn = asyncio.Lock()

    async def facts(self, image: str) -> ImageFacts:
        """What the image of that name or id brings along. NotThere."""
        if image not in self._facts:
            found = await self._api.image(image)
            if found is None:
                raise NotThere(f"No such image: {image}")
            facts = _facts(found.id, found.config)
            if image != found.id:
                return facts  # a name may be another image's later
            self._facts[image] = facts
        return self._facts[image]

    async def program(self, facts: ImageFacts, name: str, labels: Mapping[str, str]) -> str:
        """The absolute path of a program of the image. EngineRefused when it has none.

        `labels` mark the container that is looked into, so that one left behind is found.
        """
        if "/" in name:
            return name
        async with self._turn:
            key = (facts.id, name)
            if key not in self._programs:
                self._programs[key] = await self._find(facts, name, labels)
            return self._programs[key]

    async def _find(self, facts: ImageFacts, name: str, labels: Mapping[str, str]) -> str:
        container = await to_the_end(
            self._api.create(f"seatrial-look-{secrets.token_hex(6)}", _body(facts, labels)),
            undo=self._api.delete,
        )
        try:
            for folder in FOLDERS:
                if await self._api.has_file(container, f"{folder}/{name}"):
                    return f"{folder}/{name}"
        finally:
            await finished(self._api.delete(container))
        raise EngineRefused(
            f"The image has no program {name}.",
            hint=f"Programs of an image are looked for in {_listed(FOLDERS)}.",
        )


def _facts(image: str, config: ImageConfig) -> ImageFacts:
    names = [entry.partition("=")[0] for entry in config.environment]
    return ImageFacts(image, tuple(dict.fromkeys(filter(None, names))), tuple(config.volumes))


def _body(facts: ImageFacts, labels: Mapping[str, str]) -> dict[str, object]:
    """A container that is never started."""
    return {
        "Image": facts.id,
        "Entrypoint": ["/never-started"],
        "Cmd": [],
        "Labels": dict(labels),
        "HostConfig": {"NetworkMode": "none", "LogConfig": {"Type": "none"}},
    }


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
