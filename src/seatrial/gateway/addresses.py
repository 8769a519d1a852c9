"""Resolves a host that a test may reach, and refuses addresses that no test may reach.

The connection goes to the address that was checked: a name that answers differently a moment
later gains nothing.
"""

from __future__ import annotations

import asyncio
import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from seatrial.domain.addresses import forbidden

RESOLVE_SECONDS = 5.0

PRIVATE_SETTING = "SEATRIAL_PRIVATE_BASE_URLS=1 allows private addresses"


class AddressRefused(OSError):
    """The host has no address that may be reached; the text says why."""


async def resolve(host: str, port: int, *, may_be_private: bool) -> list[str]:
    """The host's addresses, each of which may be connected to, in the resolver's order.

    AddressRefused when one of them is forbidden: a name that mixes public and private
    addresses is refused whole. OSError when the name cannot be resolved, TimeoutError after 5 s.
    """
    async with asyncio.timeout(RESOLVE_SECONDS):
        addresses = await _lookup(host, port)
    for address in addresses:
        reason = forbidden(address, may_be_private=may_be_private)
        if reason:
            raise AddressRefused(f"{host} resolves to {address}, which is {reason}")
    if not addresses:
        raise AddressRefused(f"{host} has no address")
    return addresses


class GuardedResolver(AbstractResolver):
    """Gives aiohttp only addresses that may be reached, each time that it connects.

    It is not asked for a host that is an address itself: that is checked before.
    """

    def __init__(self, *, may_be_private: bool) -> None:
        """As for `resolve`."""
        self._may_be_private = may_be_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """See AbstractResolver. AddressRefused for what may not be reached, else OSError."""
        try:
            found = await resolve(host, port, may_be_private=self._may_be_private)
        except UnicodeError as error:
            raise AddressRefused(str(error)) from None
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in found
        ]

    async def close(self) -> None:
        """See AbstractResolver. There is nothing to close."""


def guard(may_be_private: bool | None) -> GuardedResolver | None:
    """The resolver for an upstream's or a provider's `may_be_private`; None needs none."""
    return None if may_be_private is None else GuardedResolver(may_be_private=may_be_private)


async def _lookup(host: str, port: int) -> list[str]:
    """What the resolver of this machine says, each address once."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
