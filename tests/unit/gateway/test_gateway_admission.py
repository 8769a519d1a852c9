"""A call passes only when it can mean one thing, and that is allowed."""

from __future__ import annotations

import asyncio

import pytest

from seatrial.domain.ports import Upstream
from seatrial.gateway import admission
from seatrial.gateway.bodies import Turns
from seatrial.gateway.intake import Intake
from seatrial.gateway.providers.base import Operation
from seatrial.gateway.providers.registry import PROVIDERS

OLLAMA = PROVIDERS["ollama"]
UPSTREAM = Upstream("ollama", "http://box", frozenset({"llama3.2"}))


def read(operation: Operation, body: bytes) -> admission.Body:
    return asyncio.run(Intake(Turns()).models(operation, body, lambda _path, _value: None))


def verdict(body: bytes, path: str = "/api/chat") -> tuple[int | None, str]:
    operation = OLLAMA.find("POST", path)
    assert operation is not None
    refusal, model = admission.check_models(OLLAMA, UPSTREAM, operation, read(operation, body))
    return (refusal.status if refusal else None), model


@pytest.mark.parametrize("model", ["llama3.2", "llama3.2:latest"])
def test_the_named_model_passes_in_both_spellings(model: str) -> None:
    assert verdict(b'{"model": "%s", "x": {"model": "other"}}' % model.encode()) == (None, model)


def test_another_model_is_refused_with_its_name_and_the_way_out() -> None:
    operation = OLLAMA.find("POST", "/api/chat")
    assert operation is not None
    body = read(operation, b'{"model": "qwen"}')
    refusal, _ = admission.check_models(OLLAMA, UPSTREAM, operation, body)
    assert refusal is not None
    assert (refusal.status, refusal.error) == (403, "model.not_allowed")
    assert "'qwen'" in refusal.message
    assert "llama3.2" in refusal.message
    assert "--model ollama:qwen" in refusal.message


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "llama3.2", "model": "qwen"}',
        b'{"model": "qwen", "model": "llama3.2"}',
        b'{"model": "llama3.2", "MODEL": "qwen"}',
        b'{"Model": "llama3.2"}',
        b'{"model": "llama3.2"} {"model": "qwen"}',
        b'{"model": ["llama3.2"]}',
        b'{"model": null}',
        b"{}",
        b"[]",
        b"",
        b'"llama3.2"',
        b'{"model": "llama3.2", "bad": "\xff"}',
        '{"model": "llama3.2"}'.encode("utf-16"),
        b'{"model": "llama3.2", "deep": ' + b"[" * 200_000,
        b'{"model": "llama3.2", "x": ' + b"9" * 5000 + b"}",
        b'[{"model": "llama3.2"}]',
    ],
)
def test_what_servers_might_read_in_two_ways_is_refused(body: bytes) -> None:
    assert verdict(body)[0] == 400


def test_both_fields_of_show_are_held_to_the_list() -> None:
    assert verdict(b'{"name": "llama3.2"}', "/api/show")[0] is None
    assert verdict(b'{"model": "llama3.2", "name": "qwen"}', "/api/show")[0] == 403


def test_our_own_refusals_have_no_status_that_sdks_try_again() -> None:
    refusals = (
        admission.no_operation(OLLAMA, "POST", "/api/pull"),
        admission.no_upstream(OLLAMA, (), ""),
        admission.no_upstream(PROVIDERS["openai"], (UPSTREAM,), "gpt"),
    )
    assert {refusal.status for refusal in refusals} == {403}


def test_a_name_from_the_agent_is_fit_for_a_journal() -> None:
    _, model = verdict(b'{"model": "a\\u0000\\u001b[31m\\ud800\\u202e"}')
    assert model.isprintable()
    assert len(verdict(b'{"model": "%s"}' % (b"x" * 5000))[1]) <= 200
