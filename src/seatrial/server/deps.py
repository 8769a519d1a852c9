"""What the server is made of: ports and values, put together by whoever starts it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, cast

from fastapi import Depends, Request

from seatrial.compiler import KeptCompiler
from seatrial.domain.compiler_ports import Compiler
from seatrial.domain.credential_ports import KeyRotation
from seatrial.domain.ports import Environments, Providers, Store
from seatrial.domain.pulls import ModelPulls
from seatrial.domain.validation import OFFERED_PROVIDERS
from seatrial.domain.webhooks import KEY_BYTES
from seatrial.settings import Settings

from .occupancy import OpenStreams

BUILT_PAGE = Path(__file__).with_name("page")
"""Where the build puts the web page."""


class Activity:
    """Who is being answered now, and since when nobody is: for a server that ends when idle."""

    def __init__(self) -> None:
        """Nobody yet, as of now."""
        self.active = 0
        self._last = time.monotonic()

    @contextmanager
    def request(self) -> Generator[None]:
        """Count one request (an open event stream is one) while the block runs."""
        self.active += 1
        try:
            yield
        finally:
            self.active -= 1
            self._last = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last request ended; 0 while there is one."""
        return 0.0 if self.active else time.monotonic() - self._last


@dataclass(frozen=True)
class ServerDeps:
    """Everything that the routes use.

    `providers`, `pulls`, `environments` and `key_rotation` are None in a server whose workers are
    elsewhere.
    `local_owner` is the user that requests without a token act as; None asks everybody for one.
    `socket_owner` is the same for requests over a Unix socket alone, whose file's mode decides
    who may connect; by default they count as all others do. `local_token` identifies that user on
    the port too. `webhook_key` is what users' webhook
    secrets follow from, by default one that nobody else has. `page_dir` holds the built web page,
    if it was built. Setting `stopping` ends the event
    streams, and with `listen.serve` the server.
    """

    store: Store
    settings: Settings
    providers: Providers | None = None
    pulls: ModelPulls | None = None
    environments: Environments | None = None
    key_rotation: KeyRotation | None = None
    compiler: Compiler = field(default_factory=KeptCompiler)
    local_owner: str | None = None
    socket_owner: str | None = None
    local_token: str | None = field(default=None, repr=False)
    webhook_key: bytes = field(default_factory=lambda: os.urandom(KEY_BYTES), repr=False)
    offered_providers: frozenset[str] = OFFERED_PROVIDERS
    keep_alive_seconds: float = 15.0
    page_dir: Path = BUILT_PAGE
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    activity: Activity = field(default_factory=Activity)

    @cached_property
    def streams(self) -> OpenStreams:
        """The event streams that are open on this server."""
        most = self.settings
        return OpenStreams(total=most.max_streams, share=most.max_streams_per_user)


def _deps(request: Request) -> ServerDeps:
    return cast("ServerDeps", request.app.state.deps)


Deps = Annotated[ServerDeps, Depends(_deps)]
"""The dependencies, as a parameter of a route."""
