"""What the page weighs, how it is read by tools for people who cannot see it, and small screens."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from seatrial.server.deps import BUILT_PAGE
from tests.support import agents
from tests.support.serving import Serving

from .bench import PATIENCE, ended, output, response, signed_in, submitted

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
STREAMS = """
import time

def run(query):
    for number in range(40):
        print("tick", number, flush=True)
        yield f"- line **{number}** of the answer\\n"
        time.sleep(0.05)
    time.sleep(150)
"""
SHIFTS = """(() => {
    globalThis.shifted = 0;
    const add = (entry) => { if (!entry.hadRecentInput) globalThis.shifted += entry.value; };
    new PerformanceObserver((list) => list.getEntries().forEach(add))
        .observe({ type: "layout-shift", buffered: true });
})()"""


def _options_and_form(page: Page) -> None:
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Store a credential").click()
    expect(page.get_by_role("dialog").get_by_label("API key")).to_be_visible()


def _output(page: Page) -> None:
    expect(output(page)).not_to_contain_text("The output is being read")


def _tried_out(page: Page) -> None:
    _output(page)
    packages = page.get_by_role("region", name="Deployment packages")
    patience = 300_000 if os.environ.get("SEATRIAL_SCREENSHOTS") else PATIENCE
    said = "Tried out: works" if os.environ.get("SEATRIAL_SCREENSHOTS") else "tried out"
    expect(packages).to_contain_text(re.compile(said, re.IGNORECASE), timeout=patience)


def _palette(page: Page) -> None:
    page.keyboard.press("ControlOrMeta+k")
    expect(page.get_by_label("Go to or do")).to_be_visible()


OPENED: dict[str, Callable[[Page], None]] = {
    "options": _options_and_form,
    "test": _tried_out,
    "failure": _output,
    "palette": _palette,
}
"""What is done at a page before it is looked at."""

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
    with site.client() as client:
        client.build_package(done.id, "compose")
    failed = ended(site, submitted(site, RAISES, "Lisbon"))
    pages = {
        "bench": "/",
        "options": "/",
        "test": f"/tests/{done.id}",
        "palette": f"/tests/{done.id}",
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
        storage_state=signed_in(site),
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
        if name in OPENED:
            OPENED[name](page)
        violations |= {f"{name}: {found}": nodes for found, nodes in axe(page).items()}
        photograph(page, f"{name}-{scheme}")
        page.set_viewport_size({"width": 380, "height": 760})
        if wider := page.evaluate(TOO_WIDE):
            violations[f"{name} at 380 px"] = wider
    context.close()
    assert not violations, json.dumps(violations, indent=1)


def test_nothing_jumps_while_an_answer_streams(browser: Browser, site: Serving) -> None:
    test = submitted(site, STREAMS)
    pages = [
        browser.new_page(
            base_url=site.url,
            storage_state=signed_in(site),
            viewport={"width": width, "height": 860},
        )
        for width in (1280, 380)
    ]
    for page in pages:
        page.set_default_timeout(PATIENCE)
        page.add_init_script(SHIFTS)
        page.goto(f"/tests/{test.id}")
    for page in pages:
        expect(response(page)).to_contain_text("line 1 of the answer")
        page.evaluate("globalThis.shifted = 0")
    for page in pages:
        expect(response(page)).to_contain_text("line 39 of the answer")
        # 0.1 is thought good for a page that loads; a number that gets wider moves a little.
        assert page.evaluate("globalThis.shifted") < 0.01
        page.close()
    with site.client() as client:
        client.cancel(test.id)


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
