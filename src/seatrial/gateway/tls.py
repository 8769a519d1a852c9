"""Reads the host's name (SNI) from the first bytes of a TLS connection.

Record and handshake layout: RFC 8446 sections 4 and 5.1; server_name: RFC 6066 section 3.
The bytes are hostile: whatever is not exactly well-formed is refused.
"""

from __future__ import annotations

MAX_HELLO = 64 * 1024
"""Bytes of a ClientHello, over all its records. Real ones stay under 4 KB."""

UNRECOGNIZED_NAME = bytes((21, 3, 1, 0, 2, 2, 112))
"""A fatal TLS alert that tells the client which rule it broke."""

_HANDSHAKE = 22
_CLIENT_HELLO = 1
_SERVER_NAME = 0
_HOST_NAME = 0


class NotTls(Exception):
    """The bytes are no TLS ClientHello."""


class _Cursor:
    """Reads length-prefixed fields; NotTls when one reaches beyond the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise NotTls("a field is longer than what holds it")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def field(self, size: int) -> bytes:
        """A field whose length stands before it in `size` bytes."""
        return self.take(self.number(size))


def client_hello(data: bytes) -> bytes | None:
    """The body of the ClientHello at the start of a connection; None while bytes are missing."""
    handshake = bytearray()
    at = 0
    while True:
        if handshake and handshake[0] != _CLIENT_HELLO:
            raise NotTls("the first handshake message is no ClientHello")
        if len(handshake) >= 4:
            length = int.from_bytes(handshake[1:4], "big")
            if length > MAX_HELLO:
                raise NotTls("the ClientHello is too long")
            if len(handshake) >= 4 + length:
                return bytes(handshake[4 : 4 + length])
        header = data[at : at + 5]
        _check_record(header)
        if len(header) < 5:
            return None
        size = int.from_bytes(header[3:5], "big")
        record = data[at + 5 : at + 5 + size]
        if len(record) < size:
            return None
        handshake += record
        at += 5 + size


def _check_record(header: bytes) -> None:
    """Refuse as early as the bytes allow, so that no other protocol keeps us waiting."""
    if header[:1] and header[0] != _HANDSHAKE:
        raise NotTls("the first bytes are no TLS handshake")
    if header[1:2] and header[1] != 3:
        raise NotTls("the record is of no known TLS version")
    if len(header) == 5 and not 0 < int.from_bytes(header[3:5], "big") <= 2**14:
        raise NotTls("the record has an impossible length")


def server_name(hello: bytes) -> str | None:
    """The one host name that a ClientHello asks for; None when it names none."""
    cursor = _Cursor(hello)
    cursor.take(2 + 32)
    cursor.field(1)
    cursor.field(2)
    cursor.field(1)
    if not cursor.left:
        return None
    extensions = _Cursor(cursor.field(2))
    names: list[bytes] = []
    while extensions.left:
        kind, body = extensions.number(2), extensions.field(2)
        if kind == _SERVER_NAME:
            names.append(_host_name(body))
    if len(names) > 1:
        raise NotTls("more than one server name")
    return _as_text(names[0]) if names else None


def _host_name(body: bytes) -> bytes:
    entries = _Cursor(_Cursor(body).field(2))
    if entries.number(1) != _HOST_NAME:
        raise NotTls("a server name of unknown kind")
    name = entries.field(2)
    if entries.left:
        raise NotTls("more than one server name")
    return name


def _as_text(name: bytes) -> str:
    try:
        return name.decode("ascii")
    except UnicodeDecodeError:
        raise NotTls("the server name is not ASCII") from None
