"""Builds images on one engine, from a folder that is handed over as a tar archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seatrial.domain.errors import EngineRefused

from .api import Api
from .errors import AlreadyThere, NotThere

_SHOWN = 2000


async def build_image(
    api: Api, name: str, context: bytes, arguments: Mapping[str, str], stages: Sequence[str]
) -> None:
    """Build every named stage, then the whole, each under a name of its own.

    A stage without a name would stay on the disk after the image is removed.
    """
    for stage in (*stages, ""):
        output = ""
        async for line in api.build(_name(name, stage), context, arguments, stage):
            if line.error:
                raise EngineRefused(f"{line.error.strip()}\n{output[-_SHOWN:]}".strip())
            output += line.stream


async def remove_image(api: Api, name: str, stages: Sequence[str]) -> None:
    """Remove the image and its stages. Does nothing for those that are gone."""
    for stage in ("", *stages):
        try:
            await api.delete_image(_name(name, stage))
        except (NotThere, AlreadyThere):
            continue  # what a container uses is somebody else's


def _name(name: str, stage: str) -> str:
    return f"{name}-{stage}" if stage else name
