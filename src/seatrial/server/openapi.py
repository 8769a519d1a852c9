"""Writes the description of the API: `python -m seatrial.server.openapi > api/openapi.json`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, cast

from seatrial.settings import Settings

from .app import create_app
from .deps import ServerDeps

if TYPE_CHECKING:
    from seatrial.domain.ports import Store


def document() -> str:
    """The description as JSON text, the same on every machine for the same code."""
    # No route is called, so nothing needs a store.
    deps = ServerDeps(store=cast("Store", None), settings=Settings(max_cpus=1.0))
    return json.dumps(create_app(deps).openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
