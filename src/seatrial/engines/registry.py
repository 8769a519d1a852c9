"""Names of engines and what makes them.

A factory takes the settings and gives an `Engine`. It is named, not imported: an engine's
library is loaded only when that engine is chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from seatrial.domain.errors import SetupFailed
from seatrial.domain.ports import Engine
from seatrial.settings import Settings

FACTORIES = {
    "docker": "seatrial.engines.docker.engine:create",
    "fake": "seatrial.testing.fake_engine:create",
}
"""Name of the engine to `module:function`."""


def create_engine(settings: Settings) -> Engine:
    """The engine that the settings choose; `auto` is Docker or Podman.

    Nothing is connected yet. SetupFailed when there is no such engine, or no socket to talk to.
    """
    name = "docker" if settings.engine == "auto" else settings.engine
    if name not in FACTORIES:
        known = ", ".join(["auto", *FACTORIES])
        raise SetupFailed(f"There is no engine {name!r}.", hint=f"Set SEATRIAL_ENGINE to {known}.")
    module, _, function = FACTORIES[name].partition(":")
    factory = cast("Callable[[Settings], Engine]", getattr(import_module(module), function))
    return factory(settings)
