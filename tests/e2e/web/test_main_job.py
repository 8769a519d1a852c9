"""The main job in a browser: write an agent, run it, watch it, find it again."""

from __future__ import annotations

import re
import zipfile

import pytest
from playwright.sync_api import Page, expect

from seatrial.domain.phases import Outcome
from tests.support import agents
from tests.support.serving import Serving

from .bench import (
    ended,
    expect_end,
    fill_bench,
    opened_test,
    output,
    progress,
    response,
    run,
    submitted,
    write,
)

pytestmark = [pytest.mark.engine, pytest.mark.model, pytest.mark.timeout(400)]

FRANCE = "Name the capital of France."
RAISES = """
def run(query):
    print("before it breaks", flush=True)
    raise ValueError("the tide was out")
"""


@pytest.mark.spec("US1-1", "US1-2", "US1-3", "US1-6", "US3-1", "US3-2", "US3-6", "US4-3", "US4-4")
def test_an_agent_is_written_run_answered_and_found_again(page: Page) -> None:
    fill_bench(page, agents.ASK, FRANCE, "testmodel")
    test_id = run(page)
    expect_end(page, "Succeeded")

    expect(response(page)).to_contain_text("Paris")
    expect(output(page)).to_contain_text("asking smollm2:135m")
    for phase in ("Queued", "Building", "Running"):
        step = progress(page).get_by_role("listitem").filter(has_text=phase)
        expect(step).to_have_attribute("data-state", re.compile("done|left_out"))
    expect(page.get_by_role("region", name="Model calls")).to_contain_text("1 call")
    expect(page.get_by_role("region", name="Resources")).to_contain_text("of 512 MiB")

    page.get_by_role("link", name="History").click()
    page.get_by_role("link", name=FRANCE).first.click()
    assert opened_test(page) == test_id
    expect(response(page)).to_contain_text("Paris")
    expect(output(page)).to_contain_text("asking smollm2:135m")


@pytest.mark.spec("US1-5", "US3-1", "edge-8")
def test_a_reload_in_any_phase_and_a_closed_tab_lose_nothing(page: Page) -> None:
    fill_bench(page, agents.SLOW, "40")
    page.reload()
    expect(page.get_by_label("Query")).to_have_value("40")
    test_id = run(page)
    page.reload()
    expect(output(page)).to_contain_text("tick 3")
    page.reload()
    expect(output(page)).to_contain_text("tick 12")

    other = page.context.new_page()
    page.close()
    other.goto(f"/tests/{test_id}")
    expect_end(other, "Succeeded")
    other.reload()
    expect(response(other)).to_contain_text("counted to 40")
    output(other).press("Home")
    expect(output(other)).to_contain_text("tick 0")


@pytest.mark.spec("US3-5", "US4-1", "US4-2", "US4-5", "FR-011")
def test_a_test_is_stopped_and_another_query_is_run_with_the_same_code(page: Page) -> None:
    fill_bench(page, agents.STUBBORN, "first")
    stopped = run(page)
    expect(output(page)).to_contain_text("not stopping")
    page.get_by_role("button", name="Stop").click()
    expect_end(page, "Cancelled")

    page.get_by_role("button", name="Edit and run again").click()
    write(page, agents.ECHO)
    page.get_by_label("Query").fill("second")
    run(page)
    expect_end(page, "Succeeded")
    expect(response(page)).to_contain_text("echo: second")
    page.get_by_role("button", name="Retry", exact=True).click()
    page.wait_for_url(lambda url: stopped not in url)
    expect(page.get_by_role("link", name="retry of")).to_be_visible()
    expect_end(page, "Succeeded")
    page.goto(f"/tests/{stopped}")
    expect_end(page, "Cancelled")


@pytest.mark.spec("US3-3", "SC-007", "FR-013")
def test_a_failure_says_whose_it_is_and_shows_the_line_that_proves_it(
    page: Page, site: Serving
) -> None:
    test = submitted(site, RAISES)
    page.goto(f"/tests/{test.id}")
    expect_end(page, "Failed")

    card = page.get_by_role("region", name="Failure")
    expect(card).to_contain_text("Your agent")
    expect(card).to_contain_text("The agent raised an exception.")
    expect(card).to_contain_text("ValueError: the tide was out")
    card.get_by_role("button", name="Show in the console").click()
    marked = output(page).locator("[data-marked]")
    expect(marked).to_contain_text("the tide was out")


@pytest.mark.spec("US2-1", "US2-2", "US2-3", "FR-005", "SC-004")
def test_a_succeeded_test_is_made_a_package_that_holds_what_was_tested(
    page: Page, site: Serving
) -> None:
    test = ended(site, submitted(site, agents.ECHO, "ahoy"))
    assert test.outcome is Outcome.SUCCEEDED, test.failure
    page.goto(f"/tests/{test.id}")
    packages = page.get_by_role("region", name="Deployment packages")
    packages.get_by_role("button", name="Make the package for").first.click()
    download = packages.get_by_role("button", name="Download the package for")
    expect(packages).to_contain_text("agent.py")
    with page.expect_download() as started:
        download.first.click()
    with zipfile.ZipFile(started.value.path()) as archive:
        [agent] = [name for name in archive.namelist() if name.endswith("agent.py")]
        assert archive.read(agent).decode() == agents.ECHO

    expect(packages.get_by_text("Tried out: works")).to_be_visible(timeout=300_000)
    checks = packages.get_by_role("list", name="What was tried out").get_by_role("listitem")
    expect(checks.filter(has_text="it answers the tested query")).to_contain_text("as in the test")
