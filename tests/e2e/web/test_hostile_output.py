"""Whatever an agent prints or answers is text on the page, and nothing more."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.support.serving import Serving

from .bench import expect_end, output, response, submitted

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

HOSTILE = r"""
def run(query):
    print("<script>document.title = 'owned'</script><img src=x onerror=alert(1)>")
    print("\x1b[31mred\x1b[0m and \x1b]0;owned\x07\x1b]8;;http://evil.example\x07here\x1b[2J")
    print("invoice\u202egpj.exe zero\u200bwidth \u2066isolated")
    print("real result\rfake result")
    print("M" * 1_000_000)
    print("after the long line", flush=True)
    return (
        "# Heading\n\n<script>alert(2)</script><img src=http://evil.example/a.png onerror=alert(3)>"
        "\n\n![seen](http://evil.example/b.png) [press](javascript:alert(4))"
        " [plain](https://example.org) safe\u202egnp.exe"
    )
"""
MANY = """
def run(query):
    for number in range(100_000):
        print("line", number)
    return "done"
"""
LINES = 100_000


@pytest.mark.spec("edge-6", "US3-1")
def test_hostile_output_is_shown_and_never_acted_on(page: Page, site: Serving) -> None:
    acted: list[str] = []

    def on_dialog(dialog: Dialog) -> None:
        acted.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", on_dialog)
    test = submitted(site, HOSTILE, "calm")
    page.goto(f"/tests/{test.id}")
    expect_end(page, "Succeeded")

    lines = output(page)
    expect(lines).to_contain_text("after the long line")
    expect(lines).to_contain_text(re.compile(r"… 996,000 more characters"))
    lines.press("Home")
    lines.press("ControlOrMeta+Home")
    lines.evaluate("found => found.scrollTo(0, 0)")
    expect(lines).to_contain_text("<script>document.title = 'owned'</script>")
    expect(lines.get_by_text("red", exact=True)).to_have_attribute("style", re.compile("--ansi-1"))
    expect(lines).to_contain_text(r"\x1b]0;owned\x07")
    expect(lines).to_contain_text(r"here\x1b[2J")
    expect(lines).to_contain_text(r"invoice\u202egpj.exe zero\u200bwidth \u2066isolated")
    expect(lines).to_contain_text(r"real result\x0dfake result")

    answer = response(page)
    expect(answer.get_by_role("heading", name="Heading")).to_be_visible()
    expect(answer).to_contain_text("<script>alert(2)</script>")
    expect(answer).to_contain_text(r"safe\u202egnp.exe")
    assert answer.locator("img, script, iframe").count() == 0
    links = answer.locator("a").evaluate_all("found => found.map(link => link.href)")
    assert links[-1] == "https://example.org/"
    assert not any("javascript" in link for link in links)
    expect(page).to_have_title("calm · Seatrial")
    assert acted == []


@pytest.mark.spec("US3-1", "US3-3")
def test_a_hundred_thousand_lines_are_searched_and_only_those_in_sight_are_laid_out(
    page: Page, site: Serving
) -> None:
    test = submitted(site, MANY)
    page.goto(f"/tests/{test.id}")
    expect_end(page, "Succeeded")
    lines = output(page)
    expect(lines).to_contain_text(f"line {LINES - 1}")
    assert lines.locator("[data-index]").count() < 150

    page.get_by_label("Search the console").fill("LINE 54321")
    console = page.get_by_role("region", name="Console", exact=True)
    expect(console).to_contain_text("1 of 1")
    expect(lines.locator("[data-marked]")).to_contain_text("line 54321")
    assert lines.locator("[data-index]").count() < 150
    with page.expect_download() as started:
        page.get_by_role("button", name="Download the log").click()
    saved = started.value.path().read_text().splitlines()
    assert saved[-LINES:] == [f"line {number}" for number in range(LINES)]
