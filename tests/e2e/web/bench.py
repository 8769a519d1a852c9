"""What a person does at the page, in the words that are on it."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, StorageState, expect

from seatrial.domain.tests import Test
from tests.support import agents
from tests.support.serving import Serving

PATIENCE = 60_000
"""Milliseconds that something on the page may take on a busy machine."""

TEST_ADDRESS = re.compile(r"/tests/(t[0-9a-z]+)$")


def signed_in(site: Serving, url: str = "") -> StorageState:
    """The storage of a browser that is signed in; `url` where the page has another address."""
    return {
        "cookies": [],
        "origins": [
            {
                "origin": url or site.url,
                "localStorage": [{"name": "seatrial.token", "value": site.token or ""}],
            }
        ],
    }


def write(page: Page, source: str, file: str = "agent.py") -> None:
    """Replace what stands in a file of the bench."""
    page.get_by_role("tab", name=file).click()
    page.get_by_role("textbox", name=file).click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(source)


def fill_bench(page: Page, source: str, query: str, model: str = "none") -> None:
    """Go to the bench and put a test there."""
    page.goto("/")
    write(page, "", "requirements.txt")
    write(page, source)
    page.get_by_label("Query").fill(query)
    page.get_by_role("combobox", name="Model").fill(model)
    page.keyboard.press("Escape")


def run(page: Page) -> str:
    """Press Run; the id of the test whose page is then open."""
    page.get_by_role("button", name="Run", exact=False).first.click()
    return opened_test(page)


def opened_test(page: Page) -> str:
    """The id of the test that the page is at, once it is."""
    page.wait_for_url(TEST_ADDRESS)
    found = TEST_ADDRESS.search(page.url)
    assert found is not None
    return found[1]


def progress(page: Page) -> Locator:
    return page.get_by_role("region", name="Progress")


def response(page: Page) -> Locator:
    return page.get_by_role("region", name="Response")


def output(page: Page) -> Locator:
    return page.get_by_role("region", name="Output")


def expect_end(page: Page, word: str) -> None:
    """Wait until the test is over, in that way."""
    expect(progress(page).get_by_text(word, exact=True)).to_be_visible(timeout=180_000)


def submitted(site: Serving, source: str, query: str = "x", model: str = "none") -> Test:
    """A test that a program submitted."""
    with site.client() as client:
        return client.submit(files=agents.files(source), query=query, model=model)


def ended(site: Serving, test: Test) -> Test:
    """The test once it is over."""
    with site.client() as client:
        return client.wait(test.id)
