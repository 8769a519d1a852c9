"""Which addresses nobody's request may make us connect to. Pure: nothing is resolved here."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_METADATA = frozenset(
    ip_address(text) for text in ("168.63.129.16", "fd00:ec2::254", "fd20:ce::254")
)
"""Clouds' services for the machine itself at addresses that are not link-local."""

_BROADCAST = IPv4Address("255.255.255.255")
_NAT64 = ip_network("64:ff9b::/96")


def forbidden(address: str, *, may_be_private: bool) -> str | None:
    """Why an address may not be reached; None when it may. ValueError when it is none."""
    if "%" in address:
        return "a link-local address"
    parsed = _unwrapped(ip_address(address))
    if parsed.is_multicast:
        return "a multicast address"
    if parsed == _BROADCAST:
        return "the broadcast address"
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
