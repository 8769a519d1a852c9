"""The variables by which SDKs find the gateway."""

from __future__ import annotations

from seatrial.harness.sdk_env import PLACEHOLDER, sdk_environment


def test_every_address_leads_to_the_base() -> None:
    variables = sdk_environment("http://127.0.0.1:1", "m", "ollama")
    addresses = {name: text for name, text in variables.items() if "://" in text}
    assert all(text.startswith("http://127.0.0.1:1") for text in addresses.values())
    assert addresses["OLLAMA_HOST"] == "http://127.0.0.1:1/ollama"
    assert addresses["OLLAMA_BASE_URL"] == "http://127.0.0.1:1/ollama/v1"
    assert addresses["OPENAI_BASE_URL"] == addresses["OPENAI_API_BASE"]
    assert len([text for text in addresses.values() if text.endswith("/bedrock")]) == 3


def test_no_key_is_real_and_no_bearer_token_is_set_for_bedrock() -> None:
    variables = sdk_environment()
    keys = {variables[name] for name in variables if name.endswith("_API_KEY")}
    assert keys == {PLACEHOLDER}
    assert "AWS_BEARER_TOKEN_BEDROCK" not in variables


def test_model_and_provider_are_named_only_when_there_is_one() -> None:
    assert sdk_environment(model="m", provider="p")["SEATRIAL_MODEL"] == "m"
    assert not {"SEATRIAL_MODEL", "SEATRIAL_PROVIDER"} & sdk_environment().keys()
    assert sdk_environment()["SEATRIAL"] == "1"


def test_the_loopback_needs_no_proxy() -> None:
    variables = sdk_environment()
    assert variables["NO_PROXY"].split(",") == ["127.0.0.1", "localhost", "::1"]
    assert variables["HTTPS_PROXY"] == variables["https_proxy"] == "http://127.0.0.1:8377"
