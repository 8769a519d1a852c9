"""The first bytes of a connection decide who serves it: CONNECT the tunnels, all else HTTP.

aiohttp's server does not hand a CONNECT over, and a tunnel wants the raw connection anyway. So
this protocol stands before both, looks at the first word, and from then on passes every
callback of its transport to the one it chose.
"""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamReaderProtocol, StreamWriter
from collections.abc import Callable

MAX_CONNECTIONS = 256
"""Open connections of one door; further ones are closed at once."""

_CONNECT = b"CONNECT "
_READ_LIMIT = 16 * 1024


class Front(asyncio.Protocol):
    """One connection of a door."""

    def __init__(
        self,
        http: Callable[[], asyncio.Protocol],
        tunnel: Callable[[StreamReader, StreamWriter], None],
        fronts: set[Front],
    ) -> None:
        """`fronts` holds the door's open connections; this one adds and removes itself."""
        self._http = http
        self._tunnel = tunnel
        self._fronts = fronts
        self._first = b""
        self._inner: asyncio.Protocol | None = None
        self._transport: asyncio.Transport | None = None

    def abort(self) -> None:
        """Cut the connection now."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._fronts.add(self)
        if len(self._fronts) > MAX_CONNECTIONS:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._inner is None:
            self._first += data
            if len(self._first) < len(_CONNECT) and _CONNECT.startswith(self._first):
                return
            data, self._first = self._first, b""
            self._inner = self._choose(data)
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """See asyncio.Protocol."""
        return self._inner.eof_received() if self._inner is not None else None

    def pause_writing(self) -> None:
        """See asyncio.BaseProtocol."""
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """See asyncio.BaseProtocol."""
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.BaseProtocol."""
        self._fronts.discard(self)
        if self._inner is not None:
            self._inner.connection_lost(exc)

    def _choose(self, first: bytes) -> asyncio.Protocol:
        assert self._transport is not None
        if not first.startswith(_CONNECT):
            inner = self._http()
            inner.connection_made(self._transport)
            return inner
        loop = asyncio.get_running_loop()
        reader = StreamReader(limit=_READ_LIMIT, loop=loop)
        streams = StreamReaderProtocol(reader, loop=loop)
        streams.connection_made(self._transport)
        self._tunnel(reader, StreamWriter(self._transport, streams, reader, loop))
        return streams
