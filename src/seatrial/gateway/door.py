"""One container's door: a Unix socket that leads to the models and hosts of one test."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from seatrial.domain.errors import SetupFailed
from seatrial.domain.events import ModelCallEvent
from seatrial.domain.ports import DoorSpec, GatewayReport

from . import keys
from .bodies import Turns
from .calls import Calls
from .egress import Egress, Traffic
from .front import Front, Fronts
from .journal import DoorJournal
from .pauses import Pauses
from .scrub import KnownSecrets
from .sessions import Sessions
from .watch import Watch

IDLE_SECONDS = 90.0
"""Time between two requests of a connection, the head of the second included."""

_LINGERING_SECONDS = 2.0
"""Time for the rest of a body that was refused, so that the agent reads the answer."""

_MAX_LINE = 32 * 1024


def _is_ours(record: logging.LogRecord) -> bool:
    """Not what an agent sends that is no HTTP: it could fill the host's log with that."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_log = logging.getLogger(__name__)
_log.addFilter(_is_ours)


class SocketDoor:
    """An open door; see seatrial.domain.ports.Door. Made by `open_door`."""

    def __init__(
        self,
        spec: DoorSpec,
        report: GatewayReport,
        sessions: Sessions,
        pauses: Pauses,
        turns: Turns,
    ) -> None:
        self.spec = spec
        self._journal = DoorJournal(report)
        watch = Watch(spec.limits, pauses, self._journal)
        self._calls = Calls(spec, sessions, self._journal, watch, _known(spec), turns)
        self._egress = Egress(spec, self._journal, watch.budget)
        self._http = web.Server(
            self._handle,
            handler_cancellation=True,
            access_log=None,
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=_LINGERING_SECONDS,
            logger=_log,
            auto_decompress=False,
            max_line_size=_MAX_LINE,
            max_field_size=_MAX_LINE,
        )
        self._fronts = Fronts()
        self._server: asyncio.Server | None = None
        self._closed: asyncio.Task[None] | None = None

    @property
    def calls(self) -> Sequence[ModelCallEvent]:
        """See Door."""
        return self._journal.calls

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed is not None

    @property
    def traffic(self) -> Mapping[tuple[str, int], Traffic]:
        """Bytes that went through the tunnels, by host and port."""
        return self._egress.traffic

    async def listen(self) -> None:
        """Make the socket and take connections. SetupFailed when that is impossible."""
        listening = _bind(self.spec.socket_path)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(
            lambda: Front(self._http, self._egress.start, self._fronts, self.spec.peers),
            sock=listening,
        )

    async def close(self) -> None:
        """See Door. Everything that happened is reported when it returns."""
        if self._closed is None:
            self._closed = asyncio.create_task(self._close())
        await asyncio.shield(self._closed)

    def forget(self) -> None:
        """See Door. What was looked for in answers stays known to the test's redactor."""
        self.spec = replace(self.spec, upstreams=(), known=None, recorder=None, replay=None)
        self._calls.forget()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._fronts.began(request.transport)
        return await self._calls.handle(request)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        with suppress(FileNotFoundError):
            os.unlink(self.spec.socket_path)
        await self._calls.close()
        await self._egress.close()
        self._fronts.abort()
        await self._journal.close()


def _known(spec: DoorSpec) -> KnownSecrets:
    """The secrets of the door's test, with those of its models: from now on, not from a call."""
    known = spec.known if isinstance(spec.known, KnownSecrets) else KnownSecrets()
    for upstream in spec.upstreams:
        known.learn(keys.secrets(upstream))
    return known


def _bind(path: str) -> socket.socket:
    """A bound socket that every uid may connect to; its folder decides who can see it."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with suppress(FileNotFoundError):
            os.unlink(path)
        listening.bind(path)
        os.chmod(path, 0o666)  # noqa: S103 - the agent's uid is another, its folder is the wall
    except OSError as error:
        listening.close()
        raise SetupFailed(
            f"The door's socket {path} could not be made: {error}.",
            hint="Choose a data folder with a shorter path that this user may write to.",
        ) from error
    return listening
