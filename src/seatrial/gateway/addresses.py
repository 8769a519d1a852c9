"""Resolves a host that a test may reach, and refuses addresses that no test may reach.

The connection goes to the address that was checked: a name that answers differently a moment
later gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

RESOLVE_SECONDS = 5.0

_METADATA = frozenset(
    ip_address(text) for text in ("168.63.129.16", "fd00:ec2::254", "fd20:ce::254")
)
"""Clouds' services for the machine itself at addresses that are not link-local."""

_NAT64 = ip_network("64:ff9b::/96")


class AddressRefused(Exception):
    """The host has no address that may be reached; the text says why."""


async def resolve(host: str, port: int, *, may_be_private: bool) -> list[str]:
    """The host's addresses, each of which may be connected to, in the resolver's order.

    AddressRefused when one of them is forbidden: a name that mixes public and private
    addresses is refused whole. OSError when the name cannot be resolved, TimeoutError after 5 s.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(RESOLVE_SECONDS):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        reason = forbidden(address, may_be_private=may_be_private)
        if reason:
            raise AddressRefused(f"{host} resolves to {address}, which is {reason}")
    if not addresses:
        raise AddressRefused(f"{host} has no address")
    return addresses


def forbidden(address: str, *, may_be_private: bool) -> str | None:
    """Why an address may not be reached; None when it may."""
    if "%" in address:
        return "a link-local address"
    parsed = _unwrapped(ip_address(address))
    if parsed.is_multicast:
        return "a multicast address"
    if parsed.is_unspecified:
        return "the unspecified address"
    if parsed.is_link_local or parsed in _METADATA:
        return "a link-local or metadata address"
    if may_be_private and (parsed.is_loopback or parsed.is_private):
        return None
    if parsed.is_loopback:
        return "a loopback address"
    if parsed.is_reserved or not parsed.is_global or _is_site_local(parsed):
        return "a private or reserved address"
    return None


def _is_site_local(address: IPv4Address | IPv6Address) -> bool:
    return isinstance(address, IPv6Address) and address.is_site_local


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, when it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address
