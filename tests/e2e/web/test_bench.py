"""The bench: what is wrong shows while typing, files come from anywhere, fixes are one press."""

from __future__ import annotations

import io
import zipfile

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.support import agents
from tests.support.serving import Serving

from .bench import expect_end, fill_bench, opened_test, response, submitted, write

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

NEEDS = """
def run(query):
    import colorama
    return "installed: " + colorama.__name__
"""
MAIN = """
from helper import shout

def run(query):
    return shout(query)
"""
DROPPED = """() => {
    const carried = new DataTransfer();
    carried.items.add(new File(["X = 1\\n"], "dropped.py"));
    return carried;
}"""
HELPER = "def shout(text):\n    return text.upper()\n"


@pytest.mark.spec("US1-1", "FR-013")
def test_a_mistake_is_marked_at_its_line_while_it_is_typed(page: Page) -> None:
    fill_bench(page, "def run(query):\n    return (query\n", "x")
    problems = page.get_by_role("list", name="Problems in this file")
    expect(problems).to_contain_text("Line 2")
    expect(page.locator(".cm-lintRange-error, .cm-lintPoint-error").first).to_be_visible()
    expect(page.get_by_role("tab", name="agent.py").get_by_role("img")).to_be_visible()

    write(page, agents.ECHO)
    expect(problems).not_to_be_visible()
    page.get_by_role("combobox", name="Model").fill("nonsense")
    expect(page.get_by_role("region", name="Test")).to_contain_text("nonsense")


@pytest.mark.spec("US1-1")
def test_files_come_from_a_zip_or_are_dropped_and_run_from_the_command_palette(page: Page) -> None:
    fill_bench(page, "", "ahoy")
    page.get_by_role("button", name="Files menu").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("menuitem", name="Add files or a zip").click()
    chooser.value.set_files(_zipped({"agent.py": MAIN, "helper.py": HELPER, ".env": "KEY=1"}))
    expect(page.get_by_role("tab", name="helper.py")).to_be_visible()
    expect(page.get_by_role("tab", name=".env")).not_to_be_visible()
    files = page.get_by_role("region", name="Files")
    files.dispatch_event("drop", {"dataTransfer": page.evaluate_handle(DROPPED)})
    expect(page.get_by_role("tab", name="dropped.py")).to_be_visible()

    page.keyboard.press("ControlOrMeta+k")
    palette = page.get_by_label("Go to or do")
    palette.fill("run what")
    palette.press("Enter")
    opened_test(page)
    expect_end(page, "Succeeded")
    expect(response(page)).to_contain_text("AHOY")


@pytest.mark.spec("US3-3", "US4-1", "FR-013")
def test_the_button_of_a_failure_makes_the_change_and_runs_again(page: Page, site: Serving) -> None:
    test = submitted(site, NEEDS)
    page.goto(f"/tests/{test.id}")
    expect_end(page, "Failed")
    page.get_by_role("button", name="Add colorama to the requirements and run again").click()
    page.wait_for_url(lambda url: test.id not in url)
    expect_end(page, "Succeeded")
    expect(response(page)).to_contain_text("installed: colorama")


@pytest.mark.spec("FR-002")
def test_every_template_passes_the_checks_of_a_submission(page: Page) -> None:
    page.goto("/")
    button = page.get_by_role("button", name="Start from")
    button.click()
    names = page.get_by_role("menuitem").all_inner_texts()
    assert len(names) >= 8
    page.keyboard.press("Escape")
    for name in reversed(names):  # the first one is there already
        button.click()
        with page.expect_response("**/api/v1/validate") as checked:
            page.get_by_role("menuitem", name=name.partition("\n")[0], exact=False).first.click()
        assert checked.value.status == 200, name


def _zipped(files: dict[str, str]) -> FilePayload:
    """An archive with these files in one folder, as people make them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"my-agent/{name}", text)
    return {"name": "my-agent.zip", "mimeType": "application/zip", "buffer": packed.getvalue()}
