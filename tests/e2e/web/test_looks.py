"""What the page weighs, how it is read by tools for people who cannot see it, and small screens."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from seatrial.server.deps import BUILT_PAGE
from tests.support import agents
from tests.support.serving import Serving

from .bench import PATIENCE, ended, output, submitted

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[3]
AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
MOST_BYTES = 350_000
TOO_WIDE = """() => [...document.querySelectorAll("main *, header *")]
    .filter((found) => found.getBoundingClientRect().right > innerWidth + 1)
    .filter(() => document.documentElement.scrollWidth > innerWidth)
    .slice(0, 5).map((found) => found.outerHTML.slice(0, 200))"""
SHOWN = {"bench-light", "test-dark", "failure-light", "compare-dark", "embed-light"}
SCREENSHOTS = ROOT / "docs/screenshots"
"""Written anew when SEATRIAL_SCREENSHOTS is set: they differ from run to run."""

RAISES = """
def run(query):
    print("\\x1b[36mSetting sail for\\x1b[0m", query, flush=True)
    import colorama
    return colorama.Fore.GREEN
"""


def test_the_first_view_is_small(page: Page) -> None:
    names: list[str] = []
    page.on("response", lambda answer: names.append(answer.url.partition("/assets/")[2]))
    page.goto("/")
    expect(page.get_by_role("textbox", name="agent.py")).to_be_visible()
    page.wait_for_load_state("networkidle")

    sizes = {n: (BUILT_PAGE / "assets" / f"{n}.gz").stat().st_size for n in names if n}
    assert len(sizes) > 5
    assert sum(sizes.values()) < MOST_BYTES, sizes


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_used_by_everybody(browser: Browser, site: Serving, scheme: str) -> None:
    done = ended(site, submitted(site, agents.ECHO, "the harbour"))
    failed = ended(site, submitted(site, RAISES, "Lisbon"))
    pages = {
        "bench": "/",
        "test": f"/tests/{done.id}",
        "failure": f"/tests/{failed.id}",
        "history": "/tests",
        "compare": f"/compare?left={done.id}&right={failed.id}",
        "credentials": "/credentials",
        "status": "/status",
        "sign-in": "/sign-in",
        "nothing": "/tests/t00000000000000000000",
    }
    context = browser.new_context(
        base_url=site.url,
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        viewport={"width": 1280, "height": 860},
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    violations: dict[str, Any] = {}
    for name, address in pages.items():
        page.set_viewport_size({"width": 1280, "height": 860})
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_attached()
        page.wait_for_load_state("networkidle")
        if name in {"test", "failure"}:
            expect(output(page)).not_to_contain_text("The output is being read")
        violations |= {f"{name}: {found}": nodes for found, nodes in axe(page).items()}
        photograph(page, f"{name}-{scheme}")
        page.set_viewport_size({"width": 380, "height": 760})
        if wider := page.evaluate(TOO_WIDE):
            violations[f"{name} at 380 px"] = wider
    context.close()
    assert not violations, json.dumps(violations, indent=1)


def axe(page: Page) -> dict[str, Any]:
    """What axe finds wrong: its rules, each with the elements that break it."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run()")
    return {
        f"{broken['id']}: {broken['help']}": [
            (node["html"][:200], node["any"][0]["message"] if node["any"] else "")
            for node in broken["nodes"][:4]
        ]
        for broken in found["violations"]
    }


def photograph(page: Page, name: str) -> None:
    """Keep what is seen for the documentation, when that is asked for and shows this."""
    if name in SHOWN and os.environ.get("SEATRIAL_SCREENSHOTS"):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png")
