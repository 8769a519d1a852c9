"""A page of another origin shows a test, live and harmlessly, with a token for that alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from seatrial.domain.embedding import grant_of, signed
from seatrial.domain.envelope import decoded
from seatrial.server.deps import BUILT_PAGE
from tests.support import agents
from tests.support.serving import Serving

from .bench import PATIENCE, ended, submitted
from .test_looks import axe, photograph

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

APP = Path(__file__).parents[3] / "examples/embed/app.py"
MOST_BYTES = 28_000
LONG = 180_000
"""Milliseconds that a test may take to run on a busy machine."""
HOSTILE = r"""
def run(query):
    print("<img src=x onerror=document.title='owned'> \x1b[31mred\x1b[0m \x1b]0;owned\x07")
    print("invoice\u202egpj.exe", flush=True)
    raise ValueError("<script>document.title = 'owned'</script>")
"""


@pytest.fixture(scope="module")
def host(site: Serving) -> Iterator[str]:
    """The example's host application; the address of its page, of another origin than the site."""
    app = subprocess.Popen(
        [sys.executable, str(APP), "--seatrial", site.url, "--port", "0"],
        env=site.client_environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert app.stdout is not None
    yield app.stdout.readline().split()[-1]
    app.terminate()
    app.wait(60)
    app.stdout.close()


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def opened(browser: Browser, host: str, scheme: str = "light") -> tuple[BrowserContext, Page]:
    """The host application's page; an error of any script in it fails the test at its end."""
    context = browser.new_context(
        base_url=host, color_scheme="dark" if scheme == "dark" else "light"
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto("/")
    return context, page


def shown(page: Page) -> Locator:
    return page.locator("seatrial-test")


def show(page: Page, site: Serving, test_id: str, token: str) -> None:
    """Put the element there, as a host application does that has a test already."""
    page.wait_for_function("() => customElements.get('seatrial-test')")
    page.evaluate(
        """([server, test, token]) => {
            const made = document.createElement("seatrial-test");
            for (const [name, value] of Object.entries({ server, test, token }))
                made.setAttribute(name, value);
            document.getElementById("place").replaceChildren(made);
        }""",
        [site.url, test_id, token],
    )


def token_for(site: Serving, test_id: str, origin: str) -> str:
    with site.client() as client:
        return client.embed_token(test_id, [origin]).token


def expired(site: Serving, token: str) -> str:
    """The same token, as it is when its time is over."""
    key = decoded((site.data_dir / "webhook.key").read_text())
    grant = grant_of(key, token)
    assert grant is not None
    return signed(key, replace(grant, expires=1))


@pytest.mark.spec("US3-1", "US1-3")
def test_a_host_application_s_page_shows_its_test_while_it_runs_and_its_end(
    browser: Browser, site: Serving, host: str
) -> None:
    context, page = opened(browser, host)
    wrong: list[str] = []
    context.on("weberror", lambda found: wrong.append(str(found.error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.get_by_label("What shall the agent be asked?").fill("Porto")
    page.get_by_role("button", name="Test the agent").click()
    element = shown(page)
    expect(element.get_by_role("log", name="Output")).to_contain_text(
        "step 1 of 5 for Porto", timeout=LONG
    )
    progress = element.get_by_role("region", name="Progress")
    expect(progress).to_contain_text("Succeeded", timeout=LONG)
    expect(element.get_by_role("region", name="Response")).to_contain_text("Done: Porto")
    expect(element.get_by_role("cell", name="none")).to_be_visible()
    expect(element.get_by_role("log")).to_contain_text("step 5 of 5 for Porto")
    expect(element.get_by_role("region", name="Measurements")).to_contain_text("MiB at most")
    expect(element.get_by_role("listitem").nth(2)).to_contain_text("Running")

    page.set_viewport_size({"width": 900, "height": 830})
    photograph(page, "embed-light")

    # The token's time is over: the page hands in another, and the element goes on.
    over = expired(site, str(element.get_attribute("token")))
    element.evaluate("(found, token) => found.setAttribute('token', token)", over)
    expect(element).not_to_have_attribute("token", over)
    expect(element.get_by_role("alert")).to_have_text("")
    expect(element.get_by_role("log")).to_contain_text("step 5 of 5 for Porto")
    context.close()
    assert [text for text in wrong if "401" not in text] == []


@pytest.mark.spec("edge-6", "US3-1")
def test_hostile_output_stays_text_and_everybody_can_read_the_failure(
    browser: Browser, site: Serving, host: str, scheme: str
) -> None:
    test = ended(site, submitted(site, HOSTILE, "<b>calm</b>"))
    context, page = opened(browser, host, scheme)
    show(page, site, test.id, token_for(site, test.id, host))
    element = shown(page)
    lines = element.get_by_role("log")
    expect(lines).to_contain_text("<img src=x onerror=document.title='owned'> red \\x1b]0;owned")
    expect(lines).to_contain_text("invoice\\u202egpj.exe")
    failure = element.get_by_role("region", name="Failure")
    expect(failure).to_contain_text("Your agent")
    expect(failure).to_contain_text("<script>document.title = 'owned'</script>")
    expect(element).to_contain_text("<b>calm</b>")
    assert element.locator("img, script, b").count() == 0
    expect(page).to_have_title("A host application")
    assert (found := axe(page)) == {}, json.dumps(found, indent=1)
    page.set_viewport_size({"width": 380, "height": 760})
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    context.close()


def test_a_token_of_another_page_or_test_shows_nothing(
    browser: Browser, site: Serving, host: str
) -> None:
    queries = ("one **two** [three](https://example.org) <img src=x onerror=alert(1)>", "four")
    first, second = (ended(site, submitted(site, agents.ECHO, query)) for query in queries)
    context, page = opened(browser, host, "dark")
    element = shown(page)
    show(page, site, second.id, token_for(site, first.id, host))
    expect(element.get_by_role("alert")).to_have_text("There is no such test.")

    show(page, site, first.id, token_for(site, first.id, "https://elsewhere.example"))
    expect(element).to_contain_text("does not let this page in")
    expect(element).not_to_contain_text("echo: one")

    element.evaluate(
        "(found, token) => found.setAttribute('token', token)", token_for(site, first.id, host)
    )
    answer = element.get_by_role("region", name="Response")
    expect(answer).to_contain_text("echo: one two three <img src=x onerror=alert(1)>")
    expect(answer.locator("strong")).to_have_text("two")
    expect(answer.get_by_role("link")).to_have_attribute("href", "https://example.org")
    assert answer.locator("img").count() == 0
    assert (found := axe(page)) == {}, json.dumps(found, indent=1)
    expect(element).not_to_contain_text("does not let this page in")
    context.close()


def test_the_script_is_small() -> None:
    assert (BUILT_PAGE / "embed.js.gz").stat().st_size < MOST_BYTES
