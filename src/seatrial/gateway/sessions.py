"""Pools of connections to the providers."""

from __future__ import annotations

import aiohttp

from seatrial.domain.ports import Upstream

from .addresses import guard

CONNECT_SECONDS = 10.0
"""Time for reaching a provider. Its answer may take as long as the test does."""

_KEEPALIVE_SECONDS = 4.0
"""Shorter than common servers' own (5 s), so that a call seldom meets a connection that its
server is just closing: a model call is never sent twice.
"""

_MAX_FIELD = 64 * 1024


class Sessions:
    """One pool for the operator's addresses, others for users', which are checked.

    A connection that was made unchecked is never used for an address that a user named.
    """

    def __init__(self) -> None:
        self._open: dict[bool | None, aiohttp.ClientSession] = {}

    def of(self, upstream: Upstream) -> aiohttp.ClientSession:
        """The pool for calls of that upstream; opened when it is first wanted."""
        may_be_private = upstream.may_be_private
        if may_be_private not in self._open:
            self._open[may_be_private] = _session(may_be_private)
        return self._open[may_be_private]

    async def close(self) -> None:
        """Cut every connection. Idempotent."""
        while self._open:
            _, session = self._open.popitem()
            await session.close()


def _session(may_be_private: bool | None) -> aiohttp.ClientSession:
    """No cookies, no proxies or credentials of the host's environment, no unpacking."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=_KEEPALIVE_SECONDS,
            ttl_dns_cache=10,
            resolver=guard(may_be_private),
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        auto_decompress=False,
        trust_env=False,
        max_line_size=_MAX_FIELD,
        max_field_size=_MAX_FIELD,
    )
