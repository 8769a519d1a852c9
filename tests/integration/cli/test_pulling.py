"""`seatrial providers pull`, and a retry that pulls first."""

from __future__ import annotations

import pytest

from seatrial.domain.failures import failure
from seatrial.domain.phases import Outcome
from seatrial.domain.tests import Completion
from seatrial.testing.providers import Mode, ScriptedOllama

from .conftest import Desk

pytestmark = pytest.mark.timeout(100)

Pulling = tuple[Desk, ScriptedOllama]


async def test_a_model_is_pulled_for_people_and_for_programs(pulling: Pulling) -> None:
    desk, service = pulling
    plain = await desk.type("providers", "pull", "ollama:pullable")
    assert (plain.code, plain.out) == (0, "Pulled pullable: use it as ollama:pullable.\n")
    assert plain.err.endswith("success\n")
    lines = await desk.type("providers", "pull", "somebody/pullable:1b", "--json")
    assert [line["done"] for line in lines.json if line["done"]] == [True]
    assert (lines.json[-1]["done"], lines.json[-1]["model"]) == (True, "somebody/pullable:1b")
    assert "pullable:latest" in service.models


async def test_a_pull_that_fails_says_what_to_do_by_text_and_exit_code(pulling: Pulling) -> None:
    desk, service = pulling
    unknown = await desk.type("providers", "pull", "unheard-of")
    assert unknown.code == 2
    assert "ollama.com/library" in unknown.err
    elsewhere = await desk.type("providers", "pull", "hf.co/x/y")
    assert (elsewhere.code, "own library" in elsewhere.err) == (2, True)
    service.mode = Mode.CUT
    cut = await desk.type("providers", "pull", "pullable")
    assert (cut.code, "goes on" in cut.err) == (1, True)


async def test_a_retry_with_its_fix_pulls_the_missing_model_first(pulling: Pulling) -> None:
    desk, service = pulling
    await desk.server.store.renew("w", [], lease_seconds=3600, slots=100)
    test = await desk.client.submit(
        files={"agent.py": "def run(query):\n    return query\n"},
        model="ollama:pullable",
        query="x",
    )
    claim = await desk.server.claim(test.id)
    missing = failure("model.not_found", fix={"pull_model": "pullable"})
    done = Completion(outcome=Outcome.FAILED, failure=missing)
    await desk.server.store.complete(test.id, claim.attempt, done, [])

    shown = await desk.type("tests", "show", test.id)
    assert "seatrial providers pull pullable" in shown.out
    retried = await desk.type("tests", "retry", test.id, "--fix", "--detach")
    assert (retried.code, "Pulled pullable." in retried.err) == (0, True)
    assert service.models[-1] == "pullable:latest"
    page = await desk.client.tests()
    assert page.tests[0].retry_of == test.id
