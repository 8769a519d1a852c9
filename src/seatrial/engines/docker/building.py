"""Builds images on one engine, from a folder that is handed over as a tar archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seatrial.domain.errors import EngineRefused

from .api import Api
from .errors import AlreadyThere, NotThere

_SHOWN = 2000
_TRIES = 4
_SOMEBODY_ELSES = "checking if cached image exists"
"""Podman's words when an image was removed while it looked through all of them for what need not
be built again: no fault of this build's. Of 30 builds beside removals, 3 failed so (4.3.1)."""


async def build_image(
    api: Api, name: str, context: bytes, arguments: Mapping[str, str], stages: Sequence[str]
) -> None:
    """Build every named stage, then the whole, each under a name of its own.

    A stage without a name would stay on the disk after the image is removed.
    """
    for stage in (*stages, ""):
        for tries_left in reversed(range(_TRIES)):
            error = await _build(api, _name(name, stage), context, arguments, stage)
            if error is None:
                break
            if _SOMEBODY_ELSES not in error or not tries_left:
                raise EngineRefused(error)


async def _build(
    api: Api, name: str, context: bytes, arguments: Mapping[str, str], stage: str
) -> str | None:
    """Why it failed, with the end of its output; None when it did not."""
    output = ""
    async for line in api.build(name, context, arguments, stage):
        if line.error:
            return f"{line.error.strip()}\n{output[-_SHOWN:]}".strip()
        output += line.stream
    return None


async def remove_image(api: Api, name: str, stages: Sequence[str]) -> None:
    """Remove the image and its stages. Does nothing for those that are gone."""
    for stage in ("", *stages):
        try:
            await api.delete_image(_name(name, stage))
        except (NotThere, AlreadyThere):
            continue  # what a container uses is somebody else's


def _name(name: str, stage: str) -> str:
    return f"{name}-{stage}" if stage else name
