"""Every call of `Api` that ends, with arguments that it takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from seatrial.engines.docker.api import Api

CALLS: dict[str, Callable[[Api, Path], Any]] = {
    "greet": lambda api, _: api.greet(),
    "version": lambda api, _: api.version(),
    "info": lambda api, _: api.info(),
    "create": lambda api, _: api.create("name", {}),
    "start": lambda api, _: api.start("c"),
    "attach": lambda api, _: api.attach("c"),
    "inspect": lambda api, _: api.inspect("c"),
    "kill": lambda api, _: api.kill("c"),
    "delete": lambda api, _: api.delete("c"),
    "has_file": lambda api, _: api.has_file("c", "/usr/bin/python3"),
    "containers": lambda api, _: api.containers("label"),
    "make_volume": lambda api, _: api.make_volume("v", {}),
    "delete_volume": lambda api, _: api.delete_volume("v"),
    "volumes": lambda api, _: api.volumes("label"),
    "image": lambda api, _: api.image("i"),
    "manifest_kind": lambda api, _: api.manifest_kind("docker", "i"),
    "pull": lambda api, _: api.pull("i"),
    "build": lambda api, path: api.build({"t": "i"}, path),
    "delete_image": lambda api, _: api.delete_image("i"),
    "load": lambda api, path: api.load(path),
}
CALLS_AND_EVENTS: dict[str, Callable[[Api, Path], Any]] = {
    **CALLS,
    "events": lambda api, _: api.events(),
}


async def finished(call: Any) -> None:
    """Wait for a call, or read to the end what it yields."""
    if not hasattr(call, "__aiter__"):
        await call
        return
    async for _ in call:
        pass
