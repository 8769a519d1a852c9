"""What a body may ask for besides an answer: every way of the table, and ordinary calls."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.reaching import HOSTILE, ORDINARY, Way

from seatrial.domain.allowances import Allowances
from seatrial.domain.record import MAX_RECEIVED_IDS
from seatrial.gateway.bodies import members
from seatrial.gateway.providers.base import NO_BODY, Operation
from seatrial.gateway.providers.bodies import anthropic, openai
from seatrial.gateway.providers.registry import PROVIDERS
from seatrial.gateway.reach.judge import Judge
from seatrial.gateway.reach.received import ReceivedIds
from seatrial.gateway.reach.wire import wire_needs


def _operation(way: Way) -> Operation:
    operation = PROVIDERS[way.provider].find("POST", way.path)
    assert operation is not None
    return operation


def _judged(way: Way, *allow: str, known: frozenset[str] = frozenset()) -> list[str]:
    """The switches that are missing; empty when the call passes."""
    allowed = Allowances(allow)
    judge = Judge(_operation(way).body, allowed, known.__contains__, "scripted".__eq__)
    for path, value in members(way.data):
        judge.visit(path, value)
    missing = [judge.refused.need.switch] if judge.refused else []
    wire = PROVIDERS[way.provider].wire
    beside = [need for _, need in wire_needs(way.headers.items(), way.query, wire)]
    return missing + [need.switch for need in beside if need.switch not in allowed]


@pytest.mark.parametrize("way", HOSTILE, ids=lambda way: way.id)
def test_what_reaches_beyond_the_model_is_refused_with_its_switch(way: Way) -> None:
    missing = _judged(way)
    assert missing
    if way.allow:
        assert missing[0] in way.allow
    else:
        assert missing[0] == ""


@pytest.mark.parametrize("way", [w for w in HOSTILE if w.allow], ids=lambda way: way.id)
def test_its_switches_allow_it(way: Way) -> None:
    assert _judged(way, *way.allow) == []


@pytest.mark.parametrize("way", [w for w in HOSTILE if not w.allow], ids=lambda way: way.id)
def test_no_switch_allows_another_address_or_model(way: Way) -> None:
    everything = ("hosted-tools", "stored-objects", "routing", "urls=ok.invalid")
    assert _judged(way, *everything)


@pytest.mark.parametrize("way", ORDINARY, ids=lambda way: way.id)
def test_ordinary_calls_need_no_switch(way: Way) -> None:
    assert _judged(way) == []


GIVEN: list[tuple[dict[str, Any], set[str]]] = [
    (
        {"id": "resp_1", "output": [{"id": "msg_1"}, {"id": "rs_1"}]},
        {"resp_1", "msg_1", "rs_1"},
    ),
    ({"type": "response.created", "response": {"id": "resp_1"}}, {"resp_1"}),
    ({"type": "response.output_item.done", "item": {"id": "fc_1"}}, {"fc_1"}),
    ({"output": [{"id": "ci_1", "container_id": "cntr_1"}]}, {"ci_1", "cntr_1"}),
    ({"choices": [{"message": {"audio": {"id": "audio_1"}}}]}, {"audio_1"}),
    # The model's own words, which may be the agent's.
    (
        {"output": [{"content": [{"text": '{"id": "resp_x"}'}], "arguments": {"id": "x"}}]},
        set(),
    ),
    ({"choices": [{"message": {"tool_calls": [{"id": "resp_x"}], "content": "x"}}]}, set()),
    ({"id": 5, "output": 3, "response": [], "choices": [None, {"message": 1}]}, set()),
]


@pytest.mark.parametrize(("value", "expected"), GIVEN)
def test_only_ids_that_the_service_gave_are_remembered(
    value: dict[str, Any], expected: set[str]
) -> None:
    assert set(openai.ids(value)) == expected


def test_an_id_of_a_container_is_remembered() -> None:
    assert set(anthropic.ids({"container": {"id": "c"}})) == {"c"}
    assert set(anthropic.ids({"message": {"container": {"id": "c"}}})) == {"c"}
    said = {"content": [{"type": "tool_use", "input": {"container": {"id": "c"}}}]}
    assert set(anthropic.ids(said)) == set()


def test_ids_that_the_test_received_pass() -> None:
    [way] = [way for way in HOSTILE if way.name == "previous-response"]
    assert _judged(way) == ["stored-objects"]
    assert _judged(way, known=frozenset({"resp_of_another"})) == []


def test_the_latest_ids_are_remembered_without_growing() -> None:
    received = ReceivedIds()
    received.add(f"resp_{number}" for number in range(MAX_RECEIVED_IDS + 5))
    assert "resp_4" not in received
    assert f"resp_{MAX_RECEIVED_IDS + 4}" in received


PATHS = {
    "openai": ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings"),
    "anthropic": ("/v1/messages", "/v1/messages/count_tokens"),
    "ollama": (
        *("/api/chat", "/api/generate", "/api/embed", "/api/embeddings", "/api/show"),
        *("/v1/chat/completions", "/v1/completions", "/v1/embeddings"),
    ),
    "bedrock": tuple(
        f"/model/x/{name}"
        for name in (
            *("converse", "converse-stream", "invoke", "invoke-with-response-stream"),
            "count-tokens",
        )
    ),
}
"""What takes a body; a provider that is not here fails the test below."""


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_every_operation_that_takes_a_body_has_a_closed_description(provider: str) -> None:
    for path in PATHS[provider]:
        operation = PROVIDERS[provider].find("POST", path)
        assert operation is not None, path
        assert operation.body is not NO_BODY, path
        assert any(way.provider == provider for way in HOSTILE)
