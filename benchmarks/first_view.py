"""How soon the web page can be used: `python benchmarks/first_view.py` (needs Chromium).

A real Chromium with an empty cache opens a real server's bench over loopback; the time counts from
the navigation until there is an editor that can be written in and a Run that can be pressed, as
the page's own clock has it. Opened again in the same profile, the parts are in the cache.
Ends with 1 when half of the first views took longer than a second.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics

from playwright.async_api import Browser, BrowserContext, async_playwright, expect
from served import Served

LONGEST = 1.0
"""Seconds that a first view may take."""

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
)
_WATCH = """(() => {
    const look = () => {
        const editor = document.querySelector('.cm-content[contenteditable="true"]');
        const run = [...document.querySelectorAll("main button:not(:disabled)")]
            .find((button) => button.textContent.startsWith("Run"));
        if (editor && run) globalThis.usableAfter = performance.now() / 1000;
        else requestAnimationFrame(look);
    };
    look();
})()"""
_BYTES = """() => [performance.getEntriesByType("navigation")[0],
    ...performance.getEntriesByType("resource")].reduce((sum, one) => sum + one.transferSize, 0)"""


async def main() -> int:
    """Measure, print, and say whether it was fast enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--views", type=int, default=20, help="profiles that open the page")
    views = parser.parse_args().views
    async with Served({"engine": "fake"}) as served, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_chromium(), args=_ARGUMENTS)
        # As a person opens it: the address that `seatrial serve` prints.
        url = f"{served.url}/#token={served.token}"
        await _profile(browser, url)  # the first of all waits for the browser's own start
        found = [await _profile(browser, url) for _ in range(views)]
        await browser.close()
    first = [one[0] for one in found]
    again = [one[1] for one in found]
    print(f"first view: {_told(first)}, {found[0][2] / 1000:.0f} kB over the wire")
    print(f"again:      {_told(again)}")
    return 0 if statistics.median(first) <= LONGEST else 1


async def _profile(browser: Browser, url: str) -> tuple[float, float, int]:
    """Seconds of the first view and of one after it, and the bytes of the first."""
    context = await browser.new_context(viewport={"width": 1280, "height": 860})
    await context.add_init_script(_WATCH)
    try:
        first, size = await _view(context, url)
        again, _ = await _view(context, url)
    finally:
        await context.close()
    return first, again, size


async def _view(context: BrowserContext, url: str) -> tuple[float, int]:
    page = await context.new_page()
    await page.goto(url)
    await page.wait_for_function("() => globalThis.usableAfter")
    seconds = float(await page.evaluate("() => globalThis.usableAfter"))
    # It was no picture of an editor: what is typed into it stands there.
    await page.get_by_role("textbox", name="agent.py").press_sequentially("ahoy ")
    await expect(page.get_by_role("textbox", name="agent.py")).to_contain_text("ahoy")
    size = int(await page.evaluate(_BYTES))
    await page.close()
    return seconds, size


def _told(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} s (p50), {max(seconds):.2f} s at most"


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise SystemExit("This needs Chromium: apt-get install chromium")
    return found


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
