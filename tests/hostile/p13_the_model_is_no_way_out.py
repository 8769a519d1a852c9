"""P13: the model is not a second way out: no provider sees a call that reaches beyond its model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatrial.domain.requests import TestRequest
from tests.support import scripted
from tests.support.reaching import HOSTILE, Way
from tests.support.scripted import Services
from tests.support.serving import Serving

from .conftest import ONE_ENGINE, serve_on
from .corpus import ended

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300), ONE_ENGINE]

MODELS = {"ollama": "scripted", "openai": "gpt-x", "anthropic": "claude-x", "bedrock": "scripted"}
PROBE = Path(__file__).with_name("probes") / "reaches.py"


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with scripted.services() as services:
        yield services


@pytest.fixture(scope="module")
def served(
    request: pytest.FixtureRequest, engine: str, engine_images: Path, services: Services
) -> Iterator[Serving]:
    url: str = request.getfixturevalue(f"{engine}_socket")
    serving = serve_on(engine, url, engine_images, services.environment)
    yield serving
    serving.close()


def _told(way: Way) -> dict[str, Any]:
    path = way.path + (f"?{way.query}" if way.query else "")
    told = {"id": way.id, "provider": way.provider, "path": path, "headers": way.headers}
    return {**told, "data": _data(way).decode()}


def _data(way: Way) -> bytes:
    """The body with the name of a model that the scripted service has."""
    return way.data.replace(b'"scripted"', f'"{MODELS[way.provider]}"'.encode())


@pytest.mark.spec("FR-008")
@pytest.mark.parametrize("provider", sorted(MODELS))
def test_nothing_but_the_model_is_asked(provider: str, served: Serving, services: Services) -> None:
    ways = [way for way in HOSTILE if way.provider == provider]
    files = {"agent.py": PROBE.read_text(), "ways.json": json.dumps([_told(w) for w in ways])}
    request = TestRequest(files=files, query="q", model=f"{provider}:{MODELS[provider]}")
    service = getattr(services, provider)
    service.requests.clear()
    with served.client() as client:
        end = ended(client, client.submit(request).id)

    assert end.response, end.test.failure
    answers = json.loads(end.response)
    assert answers == {way.id: "403 reach_not_allowed" for way in ways}
    bodies = {seen.body for seen in service.requests}
    assert not bodies & {_data(way) for way in ways}
    assert end.told("reach_refused")
