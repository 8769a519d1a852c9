"""Finds the test that a short or symbolic id means."""

from __future__ import annotations

from seatrial.client import AsyncClient
from seatrial.domain.errors import Conflict, NotFound
from seatrial.domain.tests import Test

LAST = "last"
_RECENT = 200
_SHOWN = 5


async def find_test(client: AsyncClient, text: str) -> Test:
    """The test of that id, the newest for `last`, or the recent one that it abbreviates.

    An abbreviation is a beginning or an end of the id that only one of the latest tests has.
    NotFound; Conflict when several have it.
    """
    if text == LAST:
        return await client.test(await _newest(client))
    try:
        return await client.test(text)
    except NotFound:
        return await client.test(await _abbreviated(client, text))


async def _newest(client: AsyncClient) -> str:
    page = await client.tests(limit=1)
    if not page.tests:
        raise NotFound("There is no test yet.", hint='Run one: seatrial run agent.py "…"')
    return page.tests[0].id


async def _abbreviated(client: AsyncClient, text: str) -> str:
    recent = await client.tests(limit=_RECENT)
    ids = [one.id for one in recent.tests if one.id.startswith(text) or one.id.endswith(text)]
    if len(ids) == 1:
        return ids[0]
    if not ids:
        raise NotFound(f"There is no test {text!r}.", hint="See: seatrial tests list")
    shown = ", ".join(ids[:_SHOWN]) + (" …" if len(ids) > _SHOWN else "")
    raise Conflict(f"{len(ids)} tests have {text!r} in their id: {shown}", hint="Give more of it.")
