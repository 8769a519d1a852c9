"""Networks break, sign-ins end, browsers are several: the test goes on, and the page comes back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from seatrial.client import Client
from tests.support import agents
from tests.support.cable import Cable
from tests.support.serving import Serving

from .bench import PATIENCE, expect_end, output, progress, response, signed_in, submitted

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def guarded(site: Serving) -> Iterator[Serving]:
    """A server that asks for a token, and has no worker: its tests wait."""
    process = Serving({"require_token": "1"}, arguments=("--no-worker",)).start()
    yield process
    process.close()


def _token(process: Serving) -> str:
    """A token of the user ann, which this machine's own user makes over the socket."""
    with Client(socket_path=process.data_dir / "seatrial.sock") as client:
        return client.create_token("laptop", user="ann").token


@pytest.mark.spec("edge-7", "US1-5")
def test_a_page_whose_connection_broke_misses_nothing_of_a_test_that_went_on(
    browser: Browser, site: Serving
) -> None:
    test = submitted(site, agents.SLOW, "60")
    with Cable(site.port) as cable:
        page = browser.new_page(base_url=cable.url, storage_state=signed_in(site, cable.url))
        page.set_default_timeout(PATIENCE)
        page.goto(f"/tests/{test.id}")
        expect(output(page)).to_contain_text("tick 2")
        cable.cut()
        expect(page.get_by_text("The server cannot be reached.")).to_be_visible()
        cable.mend()
        expect_end(page, "Succeeded")
        expect(page.get_by_text("The server cannot be reached.")).not_to_be_visible()
        with page.expect_download() as started:
            page.get_by_role("button", name="Download the log").click()
        said = started.value.path().read_text().splitlines()
        page.close()
    assert said[-60:] == [f"tick {number}" for number in range(60)]


@pytest.mark.spec("US3-1", "FR-014", "edge-8")
def test_two_browsers_see_the_same_test_and_either_may_stop_it(
    page: Page, browser: Browser, site: Serving
) -> None:
    test = submitted(site, agents.STUBBORN)
    other = browser.new_context(base_url=site.url, storage_state=signed_in(site))
    other.set_default_timeout(PATIENCE)
    second = other.new_page()
    for each in (page, second):
        each.goto(f"/tests/{test.id}")
        expect(output(each)).to_contain_text("not stopping")
    second.get_by_role("button", name="Stop").click()
    for each in (page, second):
        expect_end(each, "Cancelled")
    other.close()


@pytest.mark.spec("edge-8", "US3-4", "FR-014")
def test_a_sign_in_that_ends_leads_back_to_the_test_that_was_looked_at(
    browser: Browser, guarded: Serving
) -> None:
    context = browser.new_context(base_url=guarded.url)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    token = _token(guarded)
    with guarded.client(token) as client:
        test = client.submit(files=agents.files(agents.ECHO), query="ahoy", model="none")

    page.goto(f"/tests/{test.id}")
    _sign_in(page, "st_nonsense")
    expect(page.get_by_role("alert").or_(page.get_by_text("token is not known"))).to_be_visible()
    _sign_in(page, token)
    page.wait_for_url(f"**/tests/{test.id}")
    expect(progress(page)).to_contain_text("Place 1 in the queue")

    with guarded.client(token) as client:
        client.revoke_token("laptop")
    # The page may have found out by itself already, and left: a click could come too late.
    page.reload()
    _sign_in(page, _token(guarded))
    page.wait_for_url(f"**/tests/{test.id}")
    page.get_by_role("button", name="Stop").click()
    expect_end(page, "Cancelled")
    context.close()


def _sign_in(page: Page, token: str) -> None:
    page.get_by_label("API token").and_(page.locator("input")).fill(token)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.spec("US4-2", "US4-3", "US4-4", "US4-6", "FR-010")
def test_the_history_is_searched_compared_and_cleared(browser: Browser, guarded: Serving) -> None:
    context = browser.new_context(base_url=guarded.url)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    token = _token(guarded)
    with guarded.client(token) as client:
        for query, source, model in (
            ("first voyage", agents.ECHO, "ollama:sloop"),
            ("second voyage", agents.SLOW, "none"),
        ):
            test = client.submit(files=agents.files(source), query=query, model=model)
            client.cancel(test.id)
        waiting = client.submit(files=agents.files(agents.ECHO), query="in harbour", model="none")

    page.goto("/tests")
    _sign_in(page, token)
    rows = page.get_by_role("list", name="Tests").get_by_role("listitem")
    expect(rows.filter(has_text="in harbour")).to_be_visible()
    page.get_by_label("Search the history").fill("VOYAGE")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("second voyage")
    page.reload()
    expect(rows).to_have_count(2)
    page.get_by_role("combobox", name="Model").fill("ollama:sloop")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("first voyage")
    page.get_by_role("combobox", name="Model").fill("")
    expect(rows).to_have_count(2)

    for row in rows.all():
        row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Compare two").click()
    expect(page.get_by_role("row", name="Query")).to_contain_text("first voyage")
    expect(page.get_by_label("agent.py, left")).to_contain_text("def run")
    page.go_back()

    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Keep").click()
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Clear").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 tests that contain “VOYAGE” will be deleted")
    dialog.get_by_role("button", name="Delete 2 tests").click()
    expect(page.get_by_text("No test is like that.")).to_be_visible()
    page.get_by_label("Search the history").fill("")
    expect(rows.filter(has_text="in harbour")).to_be_visible()
    expect(rows.filter(has_text="voyage")).to_have_count(0)
    page.goto(f"/tests/{waiting.id}")
    expect(progress(page)).to_contain_text("in the queue")
    expect(response(page)).to_contain_text("appears here")
    context.close()
