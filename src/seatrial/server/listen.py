"""Binds the server's sockets and serves on them until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Generator, Sequence
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from seatrial.domain.data_folder import make_short_folder
from seatrial.domain.errors import SetupFailed

from .connections import TimedProtocol
from .deps import ServerDeps

_BACKLOG = 2048
_GRACE_SECONDS = 5


def tcp_socket(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. SetupFailed when the address is not to be had."""
    try:
        (family, *_, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise SetupFailed(
            f"The address {host}:{port} cannot be used: {error.strerror or error}",
            hint="Choose another port: SEATRIAL_PORT.",
        ) from error
    return bound


def unix_socket(path: Path) -> socket.socket:
    """A bound socket that only this user may connect to. What is left of an old one is removed.

    The caller owns the folder (no other process serves from it), so nothing alive is replaced.
    """
    try:
        make_short_folder(path.parent)
        path.unlink(missing_ok=True)
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        bound.bind(str(path))
        # Nobody can connect before listen(), so the mode is right in time.
        path.chmod(0o600)
    except OSError as error:
        raise SetupFailed(
            f"The socket {path} cannot be used: {error.strerror or error}",
            hint="Choose a data folder with a shorter path, on a local disk: SEATRIAL_DATA_DIR.",
        ) from error
    return bound


async def serve(
    app: FastAPI,
    deps: ServerDeps,
    sockets: Sequence[socket.socket],
    *,
    started: asyncio.Event | None = None,
) -> None:
    """Serve until `deps.stopping` is set; then end streams, finish answers and return.

    Takes no signal handlers: whoever runs the process sets the event. `started` is set when
    connections are accepted.
    """
    config = uvicorn.Config(
        app,
        http=TimedProtocol,
        backlog=_BACKLOG,
        access_log=False,
        log_config=None,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        limit_concurrency=deps.settings.max_connections,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config, started)
    stop = asyncio.create_task(_stop(server, deps.stopping))
    try:
        await server.serve(sockets=list(sockets))
    finally:
        # Also when it ends by cancellation: open streams must not outlive it.
        deps.stopping.set()
        await stop
        deps.compiler.close()


async def _stop(server: uvicorn.Server, stopping: asyncio.Event) -> None:
    await stopping.wait()
    server.should_exit = True


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers, telling when it has started."""

    def __init__(self, config: uvicorn.Config, tell: asyncio.Event | None) -> None:
        super().__init__(config)
        self._tell = tell

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._tell is not None:
            self._tell.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
