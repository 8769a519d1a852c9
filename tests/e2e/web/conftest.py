"""A real browser before a real server, whose tests run in containers.

The browser ends with this package: while it is driven synchronously, no event loop can be run in
this thread. For the same reason everything that it is pointed at is started before it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.serving import Serving

from .bench import PATIENCE, signed_in

_QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
)


@pytest.fixture(scope="package")
def site(docker_socket: str) -> Iterator[Serving]:
    """One server with its worker and the page, for all tests of the page."""
    process = Serving({"docker_host": docker_socket}).start()
    yield process
    process.close()


@pytest.fixture(scope="package")
def browser(site: Serving) -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("These tests need Chromium: apt-get install chromium")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_QUIET)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, site: Serving) -> Iterator[BrowserContext]:
    """A browser profile of its own. Errors of the page's code and other hosts fail the test."""
    context = browser.new_context(
        base_url=site.url,
        storage_state=signed_in(site),
        viewport={"width": 1280, "height": 860},
    )
    context.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    context.on("weberror", lambda found: wrong.append(str(found.error)))
    context.on("request", lambda asked: wrong.extend(_elsewhere(asked.url, site)))
    yield context
    context.close()
    assert wrong == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def _elsewhere(url: str, site: Serving) -> list[str]:
    """The address, when it is not the server's own."""
    own = urlsplit(url).netloc == urlsplit(site.url).netloc
    return [] if own or url.startswith(("blob:", "data:")) else [url]
