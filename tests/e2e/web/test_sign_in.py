"""The address that `seatrial serve` prints signs in; without it, the page says where to find it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from seatrial.client import Client
from tests.support import agents
from tests.support.serving import Serving

from .bench import PATIENCE, progress
from .test_looks import TOO_WIDE, axe

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

KEPT = "localStorage.getItem('seatrial.token')"
Stranger = Callable[..., Page]


@pytest.fixture(scope="module")
def laptop(site: Serving) -> Iterator[Serving]:
    """The product as it starts by default; its worker is elsewhere, so its tests wait."""
    process = Serving(arguments=("--no-worker",)).start()
    yield process
    process.close()


@pytest.fixture
def stranger(browser: Browser, laptop: Serving) -> Iterator[Stranger]:
    """Pages of browsers that were never here. What goes out is checked for the token at the end."""
    made: list[Page] = []
    asked: list[str] = []

    def page(scheme: str = "light") -> Page:
        context = browser.new_context(
            base_url=laptop.url,
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
            viewport={"width": 1280, "height": 860},
        )
        context.set_default_timeout(PATIENCE)
        context.on("request", lambda request: asked.append(request.url))
        made.append(context.new_page())
        return made[-1]

    yield page
    for one in made:
        one.context.close()
    # Fragments are not sent; the driver shows them all the same.
    assert not [url for url in asked if str(laptop.token) in url.partition("#")[0]]


def waiting(laptop: Serving) -> str:
    with laptop.client() as client:
        return client.submit(files=agents.files(agents.ECHO), query="ahoy", model="none").id


def field(page: Page) -> Locator:
    return page.get_by_label("Address or token").and_(page.locator("input"))


@pytest.mark.spec("FR-014", "US3-4")
def test_the_printed_address_signs_in_and_leaves_the_address_bar(
    stranger: Stranger, laptop: Serving
) -> None:
    page = stranger()
    page.goto(laptop.page_url)
    expect(page.get_by_role("textbox", name="agent.py")).to_be_visible()
    assert page.evaluate("location.href") == f"{laptop.url}/"
    assert page.evaluate("history.length") <= 2
    assert page.evaluate(KEPT) == laptop.token
    # Kept for every tab and after a reload; the stream of a test works, too.
    page.reload()
    page.goto(f"/tests/{waiting(laptop)}")
    expect(progress(page)).to_contain_text("in the queue")
    page.get_by_role("button", name="Stop").click()
    expect(progress(page)).to_contain_text("Cancelled")
    page.goto("/status")
    expect(page.get_by_text("the owner of this installation")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(field(page)).to_be_visible()
    assert page.evaluate(KEPT) is None


@pytest.mark.parametrize("pasted", ["address", "token"])
def test_a_page_opened_without_it_says_where_it_is_and_comes_back(
    stranger: Stranger, laptop: Serving, pasted: str
) -> None:
    page, address = stranger(), f"/tests/{waiting(laptop)}"
    page.goto(address)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("seatrial serve --show-url")).to_be_visible()
    # By the keyboard alone.
    field(page).focus()
    page.keyboard.type(laptop.url)
    page.keyboard.press("Enter")
    expect(page.get_by_text("This contains no token.")).to_be_visible()
    field(page).fill("st_" + "wrong" * 8 + "own")
    page.keyboard.press("Enter")
    expect(page.get_by_text("token is not known")).to_be_visible()
    field(page).fill(f" {laptop.page_url} " if pasted == "address" else str(laptop.token))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{address}")
    expect(progress(page)).to_contain_text("in the queue")


def test_a_deep_link_with_the_token_opens_what_it_names(
    stranger: Stranger, laptop: Serving
) -> None:
    page, address = stranger(), f"/tests/{waiting(laptop)}"
    page.goto(f"{address}#token={laptop.token}")
    expect(progress(page)).to_contain_text("in the queue")
    assert page.evaluate("location.href") == laptop.url + address


def test_an_address_that_is_pasted_into_an_open_page_signs_in(
    stranger: Stranger, laptop: Serving
) -> None:
    page = stranger()
    page.goto(laptop.page_url)
    expect(page.get_by_role("textbox", name="agent.py")).to_be_visible()
    page.evaluate("localStorage.setItem('seatrial.token', 'st_old')")
    page.evaluate("(token) => { location.hash = `token=${token}` }", laptop.token)
    page.wait_for_function(f"() => {KEPT} !== 'st_old'")
    assert page.evaluate(KEPT) == laptop.token
    assert page.evaluate("location.hash") == ""


def test_a_link_cannot_sign_anyone_in_to_another_account(
    stranger: Stranger, laptop: Serving
) -> None:
    with Client(socket_path=laptop.data_dir / "seatrial.sock") as client:
        other = client.create_token("trap", user="mallory").token
    page = stranger()
    page.goto(f"/#token={other}")
    expect(page.get_by_text("The token in the address was not accepted.")).to_be_visible()
    assert page.evaluate(KEPT) is None
    page.goto(laptop.page_url)
    expect(page.get_by_role("textbox", name="agent.py")).to_be_visible()
    page.goto(f"/tests#token={other}")
    expect(page.get_by_label("Search the history")).to_be_visible()
    assert page.evaluate(KEPT) == laptop.token


def photographed(page: Page, name: str) -> None:
    """Keep what is seen in the folder that SEATRIAL_LOOKS names, for a person to look at."""
    if folder := os.environ.get("SEATRIAL_LOOKS"):
        page.screenshot(path=f"{folder}/sign-in-{name}.png")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_can_be_used_by_everybody(stranger: Stranger, scheme: str) -> None:
    page = stranger(scheme)
    page.goto("/credentials")
    expect(field(page)).to_be_visible()
    page.get_by_role("button", name="Sign in").click()
    field(page).fill("no token at all")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This contains no token.")).to_be_visible()
    violations = axe(page)
    photographed(page, scheme)
    page.set_viewport_size({"width": 380, "height": 760})
    assert page.evaluate(TOO_WIDE) == []
    violations |= axe(page)
    photographed(page, f"{scheme}-380")
    assert violations == {}, json.dumps(violations, indent=1)
