"""Bad input about models and hosts is refused at submission, naming its field."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from seatrial.gateway import keyring
from seatrial.gateway.vault import Vault
from seatrial.services.credentials import seal
from seatrial.store import SqlStore

from .running import GOOD, running

OPENAI = {"provider": "openai", "api_key": "sk-canary-bad-input-1"}
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
AWS = {
    "provider": "bedrock",
    "region": "us-east-1",
    "access_key_id": "AKIAIOSFODNN7EXAMPLE",
    "secret_access_key": SECRET,
}
ROLE = "arn:aws:iam::123456789012:role/models"


@pytest_asyncio.fixture
async def api(store: SqlStore, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    vault = Vault(store, keyring.load(None, folder), seal, alone=True)
    await vault.prepare()
    async with running(store, folder) as server, server.client() as client:
        yield client


def fields(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return {one["field"] for one in answer.json()["errors"]}


MODELS = [
    "",
    "llama3.2",
    "ollama:",
    ":llama3.2",
    "azure:gpt",
    "none:x",
    "testmodel:other",
    "ollama:../../etc/passwd",
    "ollama:-rf",
    "ollama:a b",
    "ollama:a\u202eb",
    "bedrock:amazon/nova",
    "bedrock:arn:aws:s3:::bucket",
    "bedrock:http://169.254.169.254",
    "openai:" + "x" * 300,
    "ollama:a,ollama:a",
    "ollama:a,,ollama:b",
]
ENTRIES = [
    "127.0.0.1:80",
    "169.254.169.254:80",
    "2130706433:80",
    "0x7f000001:80",
    "0x7f.1:80",
    "017700000001:443",
    "[::1]:443",
    "::1:443",
    "[fe80::1%eth0]:443",
    "*.example.com:443",
    "*:443",
    "example.com:0",
    "example.com:65536",
    "example.com:99999999999",
    "example.com:-1",
    "example.com:+443",
    "example.com: 443",
    "example.com:https",
    "example.com:",
    "example.com",
    ":443",
    "",
    "http://example.com:443",
    "user@example.com:443",
    "example.com/path:443",
    "b\u00fccher.example:443",
    "example..com:443",
    "example.com.:443",
]
URLS = [
    "ftp://example.com",
    "file:///etc/passwd",
    "gopher://169.254.169.254",
    "example.com/v1",
    "//example.com",
    "https://user:canary@example.com",
    "http://169.254.169.254/latest/meta-data",
    "http://169.254.1.1",
    "http://2852039166",
    "http://0xa9fea9fe",
    "http://0xA9.0xFE.0xA9.0xFE",
    "http://0251.0376.0251.0376",
    "http://169.16689662",
    "http://169%2e254%2e169%2e254",
    "http://[fe80::1]",
    "http://[fe80::1%25eth0]",
    "http://[::ffff:169.254.169.254]",
    "http://[::ffff:a9fe:a9fe]",
    "http://[64:ff9b::a9fe:a9fe]",
    "http://[2002:a9fe:a9fe::1]",
    "http://[fd00:ec2::254]",
    "http://metadata.google.internal",
    "http://METADATA.GOOGLE.INTERNAL.",
    "http://0.0.0.0:11434",
    "http://[::]:11434",
    "http://255.255.255.255",
    "http://example.com:0",
    "http://example.com:99999",
    "http://exa mple.com",
    "http://example.com/v1?key=canary",
]
SHAPES: list[tuple[dict[str, Any], str]] = [
    ({"provider": "azure", "api_key": "sk-12345678"}, "provider"),
    ({"provider": "openai"}, "api_key"),
    ({**OPENAI, "api_key": "AKIAIOSFODNN7EXAMPLE"}, "api_key"),
    ({**OPENAI, "api_key": "sk-ant-api03-canary"}, "api_key"),
    ({**OPENAI, "api_key": "sk-two\r\nX-Evil: 1"}, "api_key"),
    ({**OPENAI, "region": "us-east-1"}, "region"),
    ({**OPENAI, "surprise": "x"}, "body"),
    ({"provider": "ollama"}, "base_url"),
    ({**AWS, "region": "Frankfurt"}, "region"),
    ({**AWS, "access_key_id": "nothing"}, "access_key_id"),
    ({**AWS, "secret_access_key": "short"}, "secret_access_key"),
    ({**AWS, "access_key_id": "ASIAIOSFODNN7EXAMPLE"}, "session_token"),
    ({**AWS, "role_arn": "admin"}, "role_arn"),
    ({**AWS, "role_arn": "arn:aws:iam::123456789012:user/ann"}, "role_arn"),
    ({**AWS, "role_arn": ROLE, "external_id": "no spaces"}, "external_id"),
    ({**AWS, "external_id": "abc"}, "role_arn"),
    ({"provider": "bedrock", "region": "us-east-1"}, "access_key_id"),
    ({"provider": "bedrock", "role_arn": ROLE}, "region"),
    (
        {k: v for k, v in AWS.items() if k != "access_key_id"} | {"role_arn": ROLE},
        "access_key_id",
    ),
    ({**OPENAI, "role_arn": ROLE}, "role_arn"),
]


async def test_an_unknown_provider_or_form_of_model(api: httpx.AsyncClient) -> None:
    test = (await api.post("/api/v1/tests", json=GOOD)).json()["id"]
    for model in MODELS:
        for path in ("/api/v1/tests", "/api/v1/validate"):
            assert fields(await api.post(path, json={**GOOD, "model": model})) == {"model"}, model
        retried = await api.post(f"/api/v1/tests/{test}/retry", json={"model": model})
        assert fields(retried) == {"model"}, model


async def test_a_host_that_is_an_address_a_wildcard_or_has_no_port(api: httpx.AsyncClient) -> None:
    for entry in ENTRIES:
        body = {**GOOD, "egress": ["example.com:443", entry]}
        for path in ("/api/v1/tests", "/api/v1/validate"):
            assert fields(await api.post(path, json=body)) == {"egress[1]"}, entry


async def test_a_base_url_that_is_not_http_or_points_at_metadata(api: httpx.AsyncClient) -> None:
    for url in URLS:
        answer = await api.put("/api/v1/credentials/work", json={**OPENAI, "base_url": url})
        assert fields(answer) == {"base_url"}, url
        assert "canary" not in answer.text


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254"])
async def test_a_name_that_leads_to_metadata_once_it_is_resolved(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def resolve(host: str | None, port: Any, **given: Any) -> Any:
        if host != "innocent.example":
            return await real(host, port, **given)
        good = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 0))
        return [good, (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 0, 0, 0))]

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    named = {**OPENAI, "base_url": "https://innocent.example/v1"}
    assert fields(await api.put("/api/v1/credentials/work", json=named)) == {"base_url"}
    # A name that nobody knows here may be known where the worker is.
    unknown = {**OPENAI, "base_url": "https://model.invalid/v1"}
    assert (await api.put("/api/v1/credentials/work", json=unknown)).status_code == 200


async def test_a_credential_of_the_wrong_shape(api: httpx.AsyncClient) -> None:
    for body, field in SHAPES:
        answer = await api.put("/api/v1/credentials/work", json=body)
        assert field in fields(answer), body
        assert "canary" not in answer.text
        assert SECRET not in answer.text
    assert (await api.get("/api/v1/credentials")).json() == {"credentials": []}


async def test_a_role_is_taken_with_keys_of_its_own_and_without(api: httpx.AsyncClient) -> None:
    alone = {"provider": "bedrock", "region": "us-east-1", "role_arn": ROLE}
    for body in ({**AWS, "role_arn": ROLE, "external_id": "a-1"}, alone):
        assert (await api.put("/api/v1/credentials/work", json=body)).status_code == 200
