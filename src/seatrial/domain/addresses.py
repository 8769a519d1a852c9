"""Which addresses nobody's request may make us connect to. Pure: nothing is resolved here."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_METADATA = tuple(
    ip_network(text)
    for text in (
        "169.254.0.0/16",  # most clouds, ECS tasks (170.2), EKS pods (170.23), Tencent, Scaleway
        "fe80::/10",  # OpenStack
        "fd00:ec2::/32",  # AWS: instances (254), pods (23), time, names
        "fd20:ce::/32",  # Google
        "fd00:42::/32",  # Scaleway
        "168.63.129.16/32",  # Azure's wire server
        "100.100.100.200/32",  # Alibaba
        "192.0.0.0/24",  # Oracle (192), and what else a provider's own network holds
    )
)
"""Services of clouds for the machine itself: its role's keys, its start-up scripts. Closed
always, also where private addresses are allowed."""

_BROADCAST = IPv4Address("255.255.255.255")
_NAT64 = ip_network("64:ff9b::/96")
_LOCAL_NAT64 = ip_network("64:ff9b:1::/48")
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})


def forbidden(address: str, *, may_be_private: bool) -> str | None:
    """Why an address may not be reached; None when it may. ValueError when it is none."""
    if "%" in address:
        return "a link-local address"
    written = ip_address(address)
    if any(_is_metadata(one) for one in (written, *_hidden_in(written))):
        return "a link-local or metadata address"
    parsed = _unwrapped(written)
    if parsed.is_multicast:
        return "a multicast address"
    if parsed == _BROADCAST:
        return "the broadcast address"
    if parsed.is_unspecified:
        return "the unspecified address"
    if may_be_private and (parsed.is_loopback or parsed.is_private):
        return None
    if parsed.is_loopback:
        return "a loopback address"
    if parsed.is_reserved or not parsed.is_global or _is_site_local(parsed):
        return "a private or reserved address"
    return None


def _is_metadata(address: IPv4Address | IPv6Address) -> bool:
    return any(address.version == net.version and address in net for net in _METADATA)


def _hidden_in(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that an IPv6 one leads to through some gateway or tunnel."""
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    mapped_or_compatible = not number >> 48
    translated = address in _NAT64 or address in _LOCAL_NAT64
    if mapped_or_compatible or translated or (number >> 32) & 0xFFFFFFFF in _ISATAP:
        yield IPv4Address(number & 0xFFFFFFFF)
    if address in _LOCAL_NAT64:  # RFC 6052 writes it around a byte of zeros
        yield IPv4Address(((number >> 64) & 0xFFFF) << 16 | (number >> 40) & 0xFFFF)
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo


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
