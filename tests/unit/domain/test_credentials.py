"""The shapes of credentials, and what may be said of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from seatrial.domain.credentials import (
    SECRET_FIELDS,
    Credential,
    CredentialInfo,
    CredentialProvider,
    chosen,
)
from seatrial.domain.envelope import Envelope, decoded
from seatrial.domain.validation.base_urls import base_url_problem
from seatrial.domain.validation.credentials import credential_problems

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
AWS = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": SECRET}
GOOD: list[dict[str, Any]] = [
    {"provider": "openai", "api_key": "sk-canary-1234"},
    {"provider": "openai", "api_key": "lm-studio", "base_url": "http://127.0.0.1:1234/v1"},
    {"provider": "anthropic", "api_key": "sk-ant-api03-canary", "base_url": "https://x.test"},
    {"provider": "ollama", "base_url": "http://box.local:11434"},
    {"provider": "ollama", "base_url": "https://ollama.test", "api_key": "a-bearer-token"},
    {"provider": "bedrock", "region": "us-gov-west-1", **AWS},
    {
        "provider": "bedrock",
        "region": "eu-central-1",
        "role_arn": "arn:aws:iam::123456789012:role/team/models",
        **AWS,
    },
    {
        "provider": "bedrock",
        "region": "us-east-1",
        "access_key_id": "ASIAIOSFODNN7EXAMPLE",
        "secret_access_key": SECRET,
        "session_token": "IQoJb3JpZ2luX2VjEKz//token",
    },
]
BAD: list[tuple[dict[str, Any], str]] = [
    ({"provider": "openai"}, "api_key"),
    ({"provider": "openai", "api_key": "short"}, "api_key"),
    ({"provider": "openai", "api_key": "sk-has a space"}, "api_key"),
    ({"provider": "openai", "api_key": "sk-line\nX-Evil: 1"}, "api_key"),
    ({"provider": "openai", "api_key": "sk-ünïcode-1234"}, "api_key"),
    ({"provider": "openai", "api_key": "AKIAIOSFODNN7EXAMPLE"}, "api_key"),
    ({"provider": "openai", "api_key": "sk-ant-api03-canary"}, "api_key"),
    ({"provider": "openai", "api_key": "sk-canary-1234", "region": "us-east-1"}, "region"),
    ({"provider": "openai", "api_key": "sk-canary-1234", "base_url": "ftp://x"}, "base_url"),
    ({"provider": "ollama", "api_key": "a-bearer-token"}, "base_url"),
    ({"provider": "ollama", "base_url": "http://169.254.169.254"}, "base_url"),
    ({"provider": "bedrock", **AWS}, "region"),
    ({"provider": "bedrock", "region": "Frankfurt", **AWS}, "region"),
    ({"provider": "bedrock", "region": "us-east-1", **AWS, "base_url": "http://x"}, "base_url"),
    ({"provider": "bedrock", "region": "us-east-1", **AWS, "role_arn": "admin"}, "role_arn"),
    ({"provider": "bedrock", "region": "us-east-1", "secret_access_key": SECRET}, "access_key_id"),
    (
        {"provider": "bedrock", "region": "us-east-1", **AWS, "secret_access_key": "x"},
        "secret_access_key",
    ),
    (
        {
            "provider": "bedrock",
            "region": "us-east-1",
            "access_key_id": "ASIAIOSFODNN7EXAMPLE",
            "secret_access_key": SECRET,
        },
        "session_token",
    ),
]


@pytest.mark.parametrize("fields", GOOD)
def test_a_credential_of_its_providers_shape_is_taken(fields: dict[str, Any]) -> None:
    assert credential_problems("default", Credential.model_validate(fields)) == []


@pytest.mark.parametrize(("fields", "wrong"), BAD)
def test_a_wrong_shape_names_its_field_and_repeats_no_value(
    fields: dict[str, Any], wrong: str
) -> None:
    problems = credential_problems("default", Credential.model_validate(fields))
    assert {problem.field for problem in problems} == {wrong}
    values = [value for name, value in fields.items() if name != "provider"]
    assert not any(value in problem.message for problem in problems for value in values)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a b", "ä", "x" * 65, "a\n", "../up"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    problems = credential_problems(name, Credential.model_validate(GOOD[0]))
    assert [problem.field for problem in problems] == ["name"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.test",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "http://:80",
        "http://x:0",
        "http://x:99999",
        "http://user:secret@x.test",
        "http://x.test/?key=secret",
        "http://x.test/#a",
        "http://x .test",
        "http://x.test\\@evil.test",
        "http://x.test\nHost: y",
        "http://" + "x" * 600,
        "http://169.254.169.254/latest",
        "http://169.254.1.1:8080",
        "http://2852039166",
        "http://0xA9FEA9FE",
        "http://0251.0376.0251.0376",
        "http://169.254.43518",
        "http://[fe80::1]",
        "http://[fd00:ec2::254]",
        "http://[::ffff:169.254.169.254]",
        "http://0.0.0.0",
        "http://168.63.129.16",
        "http://224.0.0.1",
        "http://metadata.google.internal",
        "http://METADATA.google.internal./x",
    ],
)
def test_a_base_url_that_no_model_service_has_is_refused_without_repeating_it(url: str) -> None:
    problem = base_url_problem(url)
    assert problem is not None
    assert "secret" not in problem


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:11434",
        "http://[::1]:1",
        "http://10.0.0.5/v1",
        "https://api.example.test/v1",
        "http://ollama:11434",
    ],
)
def test_an_address_of_this_machine_or_network_is_taken(url: str) -> None:
    assert base_url_problem(url) is None


def test_no_error_and_no_repr_shows_a_secret() -> None:
    for fields in GOOD:
        credential = Credential.model_validate(fields)
        for name in SECRET_FIELDS[credential.provider]:
            assert not fields.get(name) or fields[name] not in repr(credential)
    with pytest.raises(ValidationError) as caught:
        Credential.model_validate(
            {"provider": "openai", "api_key": ["sk-canary"], "x": "sk-canary"}
        )
    assert "sk-canary" not in str(caught.value)


def info(name: str, provider: CredentialProvider) -> CredentialInfo:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return CredentialInfo(name=name, provider=provider, created_at=now, updated_at=now)


def test_without_a_name_the_default_is_meant_then_the_only_one_of_the_provider() -> None:
    work, other = info("work", "openai"), info("a", "openai")
    default, box = info("default", "openai"), info("box", "ollama")
    assert chosen((work, default, box), "openai") == default
    assert chosen((work, box), "openai") == work
    assert chosen((work, other, box), "openai") is None
    assert chosen((default, box), "ollama") == box
    assert chosen((), "openai") is None


@pytest.mark.parametrize("text", ["", "a.b.c.d", "seatrial1.k.AAAA.AAAA", "seatrial1.k.!.AAAA"])
def test_what_is_no_envelope_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"credential|base64"):
        Envelope.parse(text)


def test_an_envelope_is_read_as_it_was_written() -> None:
    envelope = Envelope("k", bytes(range(32)), b"\xff\xfe box")
    assert Envelope.parse(str(envelope)) == envelope
    assert decoded("_-8=") == decoded("/+8") == b"\xff\xef"
