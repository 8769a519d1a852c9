"""Shows a test while it runs and when it has ended, to people or as JSON lines."""

from __future__ import annotations

from contextlib import aclosing

from seatrial.client import AsyncClient
from seatrial.domain.phases import Phase
from seatrial.domain.tests import Test

from . import exits
from .interrupt import StopsTest
from .journal import Journal
from .lines import Span
from .screen import Screen
from .summary import next_steps, panels


async def watch(client: AsyncClient, screen: Screen, test: Test) -> int:
    """Follow a test that was just submitted to its end and show that; its exit code.

    An interrupt cancels the test.
    """
    async with StopsTest(client, test.id, screen) as guard:
        await show_journal(client, screen, test, follow=True)
        test = await client.test(test.id)
    if guard.left:
        return exits.CANCELLED
    show_test(screen, test)
    if not screen.json_mode:
        screen.lines(next_steps(test))
    return exits.of_test(test)


async def show_journal(client: AsyncClient, screen: Screen, test: Test, *, follow: bool) -> None:
    """Every event of the journal: as lines, or as JSON lines."""
    journal = Journal(started=test.created_at, answer=screen.rich)
    async with aclosing(client.events(test.id, follow=follow)) as events:
        async for event in events:
            if screen.json_mode:
                screen.json(event)
            else:
                screen.lines(journal.feed(event))
    screen.lines(journal.rest())


def show_test(screen: Screen, test: Test) -> None:
    """The test as panels, or as one JSON line."""
    if screen.json_mode:
        screen.json(test)
        return
    for panel in panels(test):
        screen.panel(panel)


async def submitted(client: AsyncClient, screen: Screen, test: Test, *, detach: bool) -> int:
    """After submission: leave with the test's id, or watch it; the exit code."""
    screen.line(Span("Test      ", "dim"), Span(test.id, "strong"))
    if not detach:
        return await watch(client, screen, test)
    if screen.json_mode:
        screen.json(test)
    elif test.phase is not Phase.COMPLETED:
        screen.line(f"Follow it with: seatrial tests logs -f {test.id}")
    return exits.SUCCEEDED
