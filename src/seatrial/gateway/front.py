"""The first bytes of a connection decide who serves it: CONNECT the tunnels, all else HTTP.

aiohttp's server does not hand a CONNECT over, and a tunnel wants the raw connection anyway. So
this protocol stands before both, looks at the first word, and from then on passes every
callback of its transport to the one it chose.
"""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamReaderProtocol, StreamWriter
from collections.abc import Callable

from seatrial.domain.ports import Peers

MAX_CONNECTIONS = 256
"""Open connections of one door; further ones are closed at once."""

HEAD_SECONDS = 10.0
"""Time for the head of a connection's first request."""

_CONNECT = b"CONNECT "
_READ_LIMIT = 16 * 1024


class Fronts:
    """The open connections of one door."""

    def __init__(self) -> None:
        self._open: dict[asyncio.BaseTransport | None, Front] = {}

    def add(self, transport: asyncio.Transport, front: Front) -> bool:
        """Whether there is room for one more."""
        if len(self._open) >= MAX_CONNECTIONS:
            return False
        self._open[transport] = front
        return True

    def discard(self, transport: asyncio.Transport | None) -> None:
        """The connection has ended."""
        self._open.pop(transport, None)

    def began(self, transport: asyncio.BaseTransport | None) -> None:
        """A request with a whole head has arrived on the connection."""
        front = self._open.get(transport)
        if front is not None:
            front.has_head()

    def abort(self) -> None:
        """Cut all of them now."""
        for front in tuple(self._open.values()):
            front.abort()


class Front(asyncio.Protocol):
    """One connection of a door."""

    def __init__(
        self,
        http: Callable[[], asyncio.Protocol],
        tunnel: Callable[[StreamReader, StreamWriter], None],
        fronts: Fronts,
        peers: Peers | None = None,
    ) -> None:
        """`fronts` holds the door's open connections; this one adds and removes itself.

        What `peers` does not admit is cut before a byte of it is read.
        """
        self._peers = peers
        self._http = http
        self._tunnel = tunnel
        self._fronts = fronts
        self._first = b""
        self._inner: asyncio.Protocol | None = None
        self._transport: asyncio.Transport | None = None
        self._late: asyncio.TimerHandle | None = None

    def abort(self) -> None:
        """Cut the connection now."""
        if self._transport is not None:
            self._transport.abort()

    def has_head(self) -> None:
        """The first head is here; further ones have as long as an idle connection."""
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not self._is_admitted(transport) or not self._fronts.add(transport, self):
            transport.abort()
            return
        self._late = asyncio.get_running_loop().call_later(HEAD_SECONDS, self.abort)

    def _is_admitted(self, transport: asyncio.Transport) -> bool:
        return self._peers is None or self._peers.admits(transport.get_extra_info("socket"))

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
        self._fronts.discard(self._transport)
        self.has_head()
        if self._inner is not None:
            self._inner.connection_lost(exc)

    def _choose(self, first: bytes) -> asyncio.Protocol:
        assert self._transport is not None
        if not first.startswith(_CONNECT):
            inner = self._http()
            inner.connection_made(self._transport)
            return inner
        self.has_head()  # the tunnels have a time limit of their own
        loop = asyncio.get_running_loop()
        reader = StreamReader(limit=_READ_LIMIT, loop=loop)
        streams = StreamReaderProtocol(reader, loop=loop)
        streams.connection_made(self._transport)
        self._tunnel(reader, StreamWriter(self._transport, streams, reader, loop))
        return streams
