"""Clouds' services for the machine itself stay closed, however their address is written."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest

from seatrial.domain.addresses import forbidden
from seatrial.domain.validation.base_urls import base_url_problem
from seatrial.domain.validation.webhooks import webhook_problems

METADATA = {
    "AWS, Google, Azure, DigitalOcean, Oracle, Hetzner, OpenStack": "169.254.169.254",
    "AWS time": "169.254.169.123",
    "ECS tasks": "169.254.170.2",
    "EKS Pod Identity": "169.254.170.23",
    "Tencent": "169.254.0.23",
    "Scaleway": "169.254.42.42",
    "Azure's wire server": "168.63.129.16",
    "Alibaba": "100.100.100.200",
    "Oracle": "192.0.0.192",
    "Oracle's network": "192.0.0.9",
}
METADATA_V6 = {
    "AWS": "fd00:ec2::254",
    "EKS Pod Identity": "fd00:ec2::23",
    "AWS time": "fd00:ec2::123",
    "AWS names": "fd00:ec2::253",
    "Google": "fd20:ce::254",
    "Scaleway": "fd00:42::42",
    "OpenStack": "fe80::a9fe:a9fe",
}


def _v6(high: int, low: int) -> str:
    return str(IPv6Address(high | low))


IN_V6: dict[str, Callable[[IPv4Address], str]] = {
    "mapped": lambda ip: f"::ffff:{ip}",
    "compatible": lambda ip: f"::{ip}",
    "translated": lambda ip: _v6(0xFFFF << 48, int(ip)),
    "NAT64": lambda ip: f"64:ff9b::{ip}",
    "local NAT64, last bits": lambda ip: f"64:ff9b:1::{ip}",
    "local NAT64, split": lambda ip: _v6(
        int(IPv6Address("64:ff9b:1::")), (int(ip) >> 16) << 64 | (int(ip) & 0xFFFF) << 40
    ),
    "6to4": lambda ip: _v6(0x2002 << 112, int(ip) << 80),
    "Teredo": lambda ip: _v6(0x2001 << 112, int(ip) ^ 0xFFFFFFFF),
    "ISATAP": lambda ip: _v6(int(IPv6Address("fd00::")), 0x5EFE << 32 | int(ip)),
}
"""Ways to write an IPv4 address within an IPv6 one."""

IN_URLS: dict[str, Callable[[IPv4Address], str]] = {
    "dotted": str,
    "decimal": lambda ip: str(int(ip)),
    "hexadecimal": lambda ip: hex(int(ip)),
    "octal": lambda ip: ".".join(f"0{byte:o}" for byte in ip.packed),
    "hexadecimal parts": lambda ip: ".".join(hex(byte) for byte in ip.packed),
    "three parts": lambda ip: f"{ip.packed[0]}.{ip.packed[1]}.{int(ip) & 0xFFFF}",
    "two parts": lambda ip: f"{ip.packed[0]}.{int(ip) & 0xFFFFFF}",
    "with a dot at the end": lambda ip: f"{ip}.",
}
"""Ways to write an IPv4 address in a URL that resolvers understand."""


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("address", [*METADATA.values(), *METADATA_V6.values()])
def test_a_metadata_address_is_closed_always(address: str, private: bool) -> None:
    assert forbidden(address, may_be_private=private)


@pytest.mark.parametrize(("name", "how"), list(itertools.product(METADATA, IN_V6)))
def test_a_metadata_address_within_another_one_is_closed_too(name: str, how: str) -> None:
    written = IN_V6[how](IPv4Address(METADATA[name]))
    assert forbidden(written, may_be_private=True), written
    assert base_url_problem(f"http://[{written}]/v1"), written


@pytest.mark.parametrize(("name", "how"), list(itertools.product(METADATA, IN_URLS)))
def test_a_metadata_address_in_a_url_is_refused_in_every_notation(name: str, how: str) -> None:
    written = IN_URLS[how](IPv4Address(METADATA[name]))
    assert base_url_problem(f"http://{written}/v1"), written
    assert list(webhook_problems(f"https://{written}:8443/")), written


@pytest.mark.parametrize("address", METADATA_V6.values())
def test_a_metadata_address_of_ipv6_in_a_url_is_refused(address: str) -> None:
    assert base_url_problem(f"http://[{address}]/v1")
    assert base_url_problem(f"http://[{IPv6Address(address).exploded.upper()}]/v1")


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.4.4",
        "192.168.1.10",
        "127.0.0.1",
        "::1",
        "fd12:3456::1",
        "::ffff:10.0.0.1",
    ],
)
def test_what_is_private_and_no_clouds_stays_the_operators_choice(address: str) -> None:
    assert forbidden(address, may_be_private=True) is None
    assert forbidden(address, may_be_private=False)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "192.0.1.1", "168.63.129.17"]
)
def test_what_is_public_stays_open(address: str) -> None:
    assert forbidden(address, may_be_private=False) is None
