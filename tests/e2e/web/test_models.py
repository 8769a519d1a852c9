"""Models are chosen from what a credential leads to, and pulled where Ollama has them not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from seatrial.domain.credentials import Credential
from seatrial.testing.providers import Mode
from tests.support import agents
from tests.support.scripted import KEY, Services, services
from tests.support.serving import Serving

from .bench import (
    PATIENCE,
    ended,
    expect_end,
    fill_bench,
    opened_test,
    response,
    signed_in,
    submitted,
)
from .test_looks import TOO_WIDE, axe

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

HALF = "1.9 MiB of 3.8 MiB (50 %)"
TO_HALF = 3
"""Lines of a gated pull until half of the first layer is there."""


@pytest.fixture(scope="module")
def upstreams(site: Serving) -> Iterator[Services]:
    """Model services of this file's own: what it pulls is there from then on."""
    with services() as started:
        yield started


@pytest.fixture(scope="module")
def shop(docker_socket: str, upstreams: Services) -> Iterator[Serving]:
    """A server whose Ollama can pull."""
    environment = {"OLLAMA_HOST": upstreams.ollama.url}
    process = Serving({"docker_host": docker_socket}, extra_environment=environment).start()
    yield process
    process.close()


@pytest.fixture
def visitor(browser: Browser, shop: Serving) -> Iterator[Page]:
    """A page of that server."""
    context = browser.new_context(
        base_url=shop.url,
        storage_state=signed_in(shop),
        reduced_motion="reduce",
        viewport={"width": 1280, "height": 860},
    )
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def test_a_missing_model_is_pulled_from_the_failure_card_and_the_test_runs_again(
    visitor: Page, shop: Serving, upstreams: Services
) -> None:
    failed = ended(shop, submitted(shop, agents.ASK, "ahoy", "ollama:pullable"))
    visitor.goto(f"/tests/{failed.id}")
    card = visitor.get_by_role("region", name="Failure")
    expect(card).to_contain_text("model.not_found")
    button = card.get_by_role("button", name="Pull pullable and run again")
    expect(button).to_be_visible()
    height = height_of(card)

    upstreams.ollama.mode = Mode.GATED
    upstreams.release(upstreams.ollama, TO_HALF)
    button.click()
    expect(card.get_by_text(HALF)).to_be_visible()
    expect(card.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "50")
    assert height_of(card) == height
    everybody_can_use(visitor)

    upstreams.ollama.mode = Mode.OK
    upstreams.release(upstreams.ollama, 1)
    visitor.wait_for_url(lambda url: failed.id not in url)
    assert opened_test(visitor) != failed.id
    expect_end(visitor, "Succeeded")
    expect(response(visitor)).to_contain_text("Scripted answer.")


def test_a_model_that_ollama_does_not_have_is_pulled_at_the_bench(
    visitor: Page, upstreams: Services
) -> None:
    upstreams.ollama.abandoned.clear()
    fill_bench(visitor, agents.ASK, "ahoy", "ollama:hf.co/x/y")
    offer, bar = visitor.get_by_role("button", name="Pull it"), visitor.get_by_role("progressbar")
    name(visitor, "ollama:somebody/pullable:1b")
    expect(offer).to_be_visible()
    run = visitor.get_by_role("button", name="Run").first
    place = run.bounding_box()
    everybody_can_use(visitor)

    upstreams.ollama.mode = Mode.GATED
    upstreams.release(upstreams.ollama, TO_HALF)
    offer.click()
    expect(visitor.get_by_text(HALF)).to_be_visible()
    assert run.bounding_box() == place
    everybody_can_use(visitor)
    visitor.get_by_role("button", name="Cancel pulling somebody/pullable:1b").click()
    expect(offer).to_be_visible()
    upstreams.until_abandoned(upstreams.ollama)

    upstreams.release(upstreams.ollama, TO_HALF)
    offer.click()
    expect(visitor.get_by_text(HALF)).to_be_visible()
    visitor.get_by_role("link", name="History").click()
    expect(bar).not_to_be_visible()
    visitor.get_by_role("link", name="Bench").click()
    expect(bar).to_be_visible()
    upstreams.ollama.mode = Mode.OK
    upstreams.release(upstreams.ollama, 1)
    expect(visitor.get_by_text("Ollama has somebody/pullable:1b now.")).to_be_visible()
    assert run.bounding_box() == place

    name(visitor, "ollama:unheard-of")
    offer.click()
    expect(visitor.get_by_role("alert")).to_contain_text("no model unheard-of")
    name(visitor, "ollama:hf.co/x/y")
    expect(offer).not_to_be_visible()


def test_the_models_of_a_stored_credential_are_listed_and_choosing_one_names_it(
    visitor: Page, shop: Serving, upstreams: Services
) -> None:
    with shop.client() as client:
        for called, url in (("work", upstreams.openai.url), ("gone", "http://127.0.0.1:9")):
            address = f"{url}/v1"
            stored = Credential(provider="openai", api_key=KEY, base_url=address)
            client.set_credential(called, stored)
    fill_bench(visitor, agents.ECHO, "ahoy", "")
    visitor.get_by_role("combobox", name="Model").click()
    listed = visitor.get_by_role("group", name="OpenAI and compatible, credential work")
    listed.get_by_role("option", name="openai:gpt-x").click()
    expect(visitor.get_by_role("combobox", name="Model")).to_have_value("openai:gpt-x")
    expect(visitor.get_by_text("credential set")).to_be_visible()
    why = visitor.get_by_text("gone (OpenAI and compatible) lists no models: Nothing answers")
    expect(why).to_be_visible()
    everybody_can_use(visitor)
    assert KEY not in visitor.content()
    assert KEY not in shop.log
    with shop.client() as client:
        for called in ("work", "gone"):
            client.delete_credential(called)


def name(page: Page, model: str) -> None:
    """Type that model at the bench."""
    page.get_by_role("combobox", name="Model").fill(model)
    page.keyboard.press("Escape")


def height_of(place: Locator) -> float:
    box = place.bounding_box()
    assert box is not None
    return box["height"]


def everybody_can_use(page: Page) -> None:
    """What tools find wrong in either colour scheme, and what is too wide for a small screen."""
    found: dict[str, Any] = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        found |= {f"{scheme}: {rule}": nodes for rule, nodes in axe(page).items()}
    page.set_viewport_size({"width": 380, "height": 760})
    wider = page.evaluate(TOO_WIDE)
    page.set_viewport_size({"width": 1280, "height": 860})
    assert found == {}, json.dumps(found, indent=1)
    assert wider == []
