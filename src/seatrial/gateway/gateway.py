"""Opens doors; see seatrial.domain.ports.Gateway."""

from __future__ import annotations

import aiohttp

from seatrial.domain.ports import DoorSpec, GatewayReport

from .door import SocketDoor
from .pauses import Pauses

CONNECT_SECONDS = 10.0
"""Time for reaching a provider. Its answer may take as long as the test does."""

_KEEPALIVE_SECONDS = 4.0
"""Shorter than common servers' own (5 s), so that a call seldom meets a connection that its
server is just closing: a model call is never sent twice.
"""

_MAX_FIELD = 64 * 1024


class SocketGateway:
    """Doors on Unix sockets, over one pool of connections to the providers."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._doors: list[SocketDoor] = []
        self._pauses = Pauses()

    async def open(self, spec: DoorSpec, report: GatewayReport) -> SocketDoor:
        """See Gateway. A stale socket at the path is replaced. SetupFailed."""
        if self._session is None:
            self._session = _session()
        self._doors = [door for door in self._doors if not door.is_closed]
        door = SocketDoor(spec, report, self._session, self._pauses)
        try:
            await door.listen()
        except BaseException:
            await door.close()
            raise
        self._doors.append(door)
        return door

    async def aclose(self) -> None:
        """See Gateway. Idempotent."""
        doors, self._doors = self._doors, []
        try:
            for door in doors:
                await door.close()
        finally:
            if self._session is not None:
                await self._session.close()
                self._session = None


def _session() -> aiohttp.ClientSession:
    """No cookies, no proxies or credentials of the host's environment, no unpacking."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0, keepalive_timeout=_KEEPALIVE_SECONDS, ttl_dns_cache=10
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        auto_decompress=False,
        trust_env=False,
        max_line_size=_MAX_FIELD,
        max_field_size=_MAX_FIELD,
    )
