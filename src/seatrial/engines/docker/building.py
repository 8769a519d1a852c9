"""Builds images on one engine, from a folder that is handed over as a tar archive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from seatrial.domain.errors import EngineRefused
from seatrial.domain.ports import ImageLimits

from .answers import Flavour
from .api import Api
from .errors import AlreadyThere, NotThere

_SHOWN = 2000
_TRIES = 4
_SOMEBODY_ELSES = "checking if cached image exists"
"""Podman's words when an image was removed while it looked through all of them for what need not
be built again: no fault of this build's. Of 30 builds beside removals, 3 failed so (4.3.1)."""
_MB = 1 << 20
_CPU_PERIOD = 100_000
_NO_NETWORK: Mapping[Flavour, Mapping[str, str]] = {
    "docker": {"networkmode": "none"},
    # Podman takes "none" for a network of its own choice.
    "podman": {"networkmode": "NetworkDisabled", "nsoptions": '[{"Name": "network"}]'},
}


def query(
    name: str, arguments: Mapping[str, str], limits: ImageLimits, flavour: Flavour
) -> dict[str, str]:
    """What is asked of the engine: every build without a network and with its limits."""
    memory = str(limits.memory_mb * _MB)
    return {
        "t": name,
        "buildargs": json.dumps(dict(arguments)),
        "rm": "1",
        "forcerm": "1",
        "memory": memory,
        "memswap": memory,
        "cpuperiod": str(_CPU_PERIOD),
        "cpuquota": str(max(1000, round(limits.cpus * _CPU_PERIOD))),
        **_NO_NETWORK[flavour],
    }


async def build_image(
    api: Api, query: Mapping[str, str], context: Path, limits: ImageLimits
) -> None:
    """Build it within its limits. Docker ends a build whose caller goes away."""
    size = context.stat().st_size
    if size > limits.context_mb * _MB:
        raise EngineRefused(f"The image would take {size} bytes, more than is allowed.")
    try:
        async with asyncio.timeout(limits.seconds):
            await _build(api, query, context)
    except TimeoutError as error:
        raise EngineRefused(f"The build took longer than {limits.seconds:.0f} s.") from error


async def _build(api: Api, query: Mapping[str, str], context: Path) -> None:
    for tries_left in reversed(range(_TRIES)):
        error = await _build_once(api, query, context)
        if error is None:
            return
        if _SOMEBODY_ELSES not in error or not tries_left:
            raise EngineRefused(error)


async def _build_once(api: Api, query: Mapping[str, str], context: Path) -> str | None:
    """Why it failed, with the end of its output; None when it did not."""
    output = ""
    async for line in api.build(query, context):
        if line.error:
            return f"{line.error.strip()}\n{output[-_SHOWN:]}".strip()
        output += line.stream
    return None


async def remove_image(api: Api, name: str) -> None:
    """Remove the image. Does nothing when it is gone."""
    try:
        await api.delete_image(name)
    except (NotThere, AlreadyThere):
        return  # what a container uses is somebody else's
