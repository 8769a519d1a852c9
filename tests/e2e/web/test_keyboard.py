"""Whoever has no pointer does everything with keys."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support import agents

from .bench import expect_end, opened_test, output

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

MOST_TABS = 40


def go_to(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Press the key until the focus is there."""
    for _ in range(MOST_TABS):
        if wanted.evaluate("found => found.contains(document.activeElement)"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{MOST_TABS} times {key} do not lead to {wanted}.")


@pytest.mark.spec("US1-1", "US3-5", "US4-4")
def test_a_test_is_written_run_stopped_and_found_again_by_keys_alone(page: Page) -> None:
    page.goto("/")
    editor = page.get_by_role("textbox", name="agent.py")
    expect(editor).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    go_to(page, page.get_by_role("tab", name="agent.py"))
    page.keyboard.press("ArrowRight")
    go_to(page, page.get_by_role("textbox", name="requirements.txt"))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    # In an editor Tab indents; after Escape it leaves.
    page.keyboard.press("Escape")
    go_to(page, page.get_by_role("tab", name="requirements.txt"), "Shift+Tab")
    page.keyboard.press("ArrowLeft")
    go_to(page, editor)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(agents.STUBBORN)

    page.keyboard.press("Escape")
    model = page.get_by_role("combobox", name="Model")
    go_to(page, model)
    page.keyboard.insert_text("none")
    page.keyboard.press("Escape")
    query = page.get_by_role("textbox", name="Query")
    go_to(page, query, "Shift+Tab")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text("all hands")
    page.keyboard.press("ControlOrMeta+Enter")

    test_id = opened_test(page)
    expect(output(page)).to_contain_text("not stopping")
    go_to(page, output(page))
    go_to(page, page.get_by_role("button", name="Stop"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect_end(page, "Cancelled")

    page.keyboard.press("ControlOrMeta+k")
    expect(page.get_by_label("Go to or do")).to_be_focused()
    page.keyboard.insert_text("history")
    page.keyboard.press("Enter")
    go_to(page, page.get_by_role("checkbox", name="Choose all hands").first)
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Delete 1")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert opened_test(page) == test_id
