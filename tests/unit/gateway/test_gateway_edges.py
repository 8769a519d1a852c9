"""The parts that decide about addresses, TLS names, headers, keys and blame."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import pytest
from multidict import CIMultiDict

from seatrial.domain.ports import Upstream
from seatrial.gateway import addresses, blame, headers, keys, tls
from seatrial.gateway.relay import without_secrets
from seatrial.gateway.scrub import KnownSecrets, Scrubber


def hello_of(name: str | None) -> bytes:
    """What a real TLS client sends first."""
    context = ssl.create_default_context()
    context.check_hostname = False
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def name_in(data: bytes) -> str | None:
    hello = tls.client_hello(data)
    assert hello is not None
    return tls.server_name(hello)


def test_a_real_clients_name_is_read() -> None:
    assert name_in(hello_of("host.example.com")) == "host.example.com"
    assert name_in(hello_of(None)) is None


def test_every_beginning_of_a_hello_asks_for_more() -> None:
    data = hello_of("host.example.com")
    assert all(tls.client_hello(data[:size]) is None for size in range(len(data)))


def test_a_hello_in_many_records_is_read() -> None:
    body = hello_of("host.example.com")[5:]
    pieces = [body[start : start + 3] for start in range(0, len(body), 3)]
    data = b"".join(b"\x16\x03\x01" + len(p).to_bytes(2, "big") + p for p in pieces)
    assert name_in(data) == "host.example.com"


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x17\x03\x03\x00\x05hello",
        b"\x16\x02\x00",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\xff\xff",
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
        b"\x16\x03\x01\x00\x04\x01\xff\xff\xff",
    ],
)
def test_what_is_no_client_hello_is_refused_as_soon_as_it_shows(data: bytes) -> None:
    with pytest.raises(tls.NotTls):
        tls.client_hello(data)


def test_two_server_names_are_refused() -> None:
    entry = b"\x00\x00\x03a.b"
    double = (len(entry) * 2).to_bytes(2, "big") + entry * 2
    extension = b"\x00\x00" + len(double).to_bytes(2, "big") + double
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00"
    with pytest.raises(tls.NotTls):
        tls.server_name(body + len(extension).to_bytes(2, "big") + extension)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:db8::1",
    ],
)
def test_no_test_reaches_an_address_that_is_not_public(address: str) -> None:
    assert addresses.forbidden(address, may_be_private=False) is not None


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111"])
def test_public_addresses_may_be_reached(address: str) -> None:
    assert addresses.forbidden(address, may_be_private=False) is None


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("127.0.0.1", True),
        ("10.0.0.1", True),
        ("::1", True),
        ("fd00::1", True),
        ("1.1.1.1", True),
        ("169.254.169.254", False),
        ("fd00:ec2::254", False),
        ("100.100.100.200", False),
        ("0.0.0.0", False),
        ("ff02::1", False),
        ("fe80::1", False),
    ],
)
def test_the_operators_hosts_may_be_private_but_no_metadata(address: str, allowed: bool) -> None:
    assert (addresses.forbidden(address, may_be_private=True) is None) is allowed


async def test_a_name_with_a_public_and_a_private_address_is_refused_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def answer(*_: object, **__: object) -> list[Any]:
        return [(2, 1, 6, "", ("1.1.1.1", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answer)
    with pytest.raises(addresses.AddressRefused, match=r"10\.0\.0\.1"):
        await addresses.resolve("mixed.test", 443, may_be_private=False)


def test_what_the_container_says_about_itself_stays_there() -> None:
    given = CIMultiDict(
        {
            "Host": "localhost",
            "Authorization": "Bearer dummy",
            "X-Api-Key": "dummy",
            "api-key": "dummy",
            "Cookie": "a=b",
            "X-Amz-Date": "now",
            "Proxy-Authorization": "Basic x",
            "Connection": "keep-alive, X-Hop",
            "X-Hop": "1",
            "Accept-Encoding": "gzip, br",
            "OpenAI-Organization": "other",
            "X-HTTP-Method-Override": "DELETE",
            "User-Agent": "sdk/1",
            "Content-Type": "application/json; charset=utf-7",
            "Content-Encoding": "identity",
        }
    )
    passed = headers.to_upstream(
        given,
        private={"openai-organization"},
        key_headers={"Authorization": "Bearer real"},
        content_type="application/json",
    )
    assert dict(passed) == {
        "User-Agent": "sdk/1",
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "Authorization": "Bearer real",
    }


def test_doubled_headers_of_an_answer_stay_double_and_lose_their_secrets() -> None:
    given = CIMultiDict[str]([("X-A", "1"), ("X-A", "secret-key-1"), ("Set-Cookie", "a=b")])
    passed = headers.to_agent(given, Scrubber(KnownSecrets(["secret-key-1"])))
    assert passed.getall("X-A") == ["1", "*" * 12]
    assert "Set-Cookie" not in passed


def test_the_own_variable_wins_over_the_sdks() -> None:
    environ = {"OPENAI_API_KEY": "theirs", "SEATRIAL_OPENAI_API_KEY": "ours"}
    assert keys.provider_key("openai", environ) == "ours"
    assert keys.provider_key("openai", {"OPENAI_API_KEY": "theirs"}) == "theirs"
    assert keys.provider_key("openai", {"OPENAI_API_KEY": " "}) is None
    assert keys.provider_key("ollama", environ) is None


def test_a_password_in_an_address_is_a_secret_and_never_shown() -> None:
    assert keys.secrets(Upstream("openai", "http://u:p%40ss@box", frozenset(), "key")) == (
        "key",
        "p%40ss",
        "p@ss",
    )
    assert without_secrets("http://u:p@box:1/v1") == "http://box:1/v1"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b"", None),
        (307, b"", None),
        (400, b"", "model.bad_request"),
        (401, b"", "model.auth_failed"),
        (402, b"", "model.quota"),
        (403, b"", "model.access_denied"),
        (404, b"", "model.not_found"),
        (422, b"", "model.bad_request"),
        (429, b"", "model.rate_limited"),
        (429, b'{"error":{"code":"insufficient_quota"}}', "model.quota"),
        (500, b"", "model.server_error"),
        (503, b"", "model.rate_limited"),
    ],
)
def test_a_status_is_blamed_on_one_entry(status: int, body: bytes, code: str | None) -> None:
    assert blame.of_status(status, body) == code
