"""Let a page of another origin show a test, and check what such a page brings."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

from seatrial.domain.embed_view import as_embedded, embedded_events
from seatrial.domain.embedding import EmbedOrder, EmbedToken, Grant, grant_of, signed
from seatrial.domain.errors import NotAllowed, NotAuthenticated, NotFound, TokenExpired
from seatrial.domain.events import Event, EventPage
from seatrial.domain.ports import Store, Tests
from seatrial.domain.tests import Test

from .read_events import MAX_PAGE, follow, read_page
from .read_test import checked_id, read_test


async def embed_test(
    tests: Tests, key: bytes, owner: str, test_id: str, order: EmbedOrder, *, now: datetime
) -> EmbedToken:
    """A token that reads the owner's test, and nothing else, for a while. NotFound."""
    test = await tests.test(owner, checked_id(test_id))
    expires = int(now.timestamp()) + order.lifetime_seconds
    token = signed(key, Grant(test.id, owner, order.origins, expires))
    return EmbedToken(
        test_id=test.id,
        token=token,
        origins=order.origins,
        expires_at=datetime.fromtimestamp(expires, UTC),
    )


def granted(key: bytes, token: str, test_id: str, *, origin: str | None, now: datetime) -> Grant:
    """What the token grants, if it is good for this test, from a page of that origin, now.

    `origin` is None when the asker names none: it is then no page of another origin, since a
    browser names it. NotAuthenticated, TokenExpired, NotAllowed, NotFound.
    """
    grant = grant_of(key, token)
    if grant is None:
        raise NotAuthenticated("The token for embedding was not made here.")
    if origin is not None and origin not in grant.origins:
        raise NotAllowed("The token is not for pages of this origin.")
    if now.timestamp() >= grant.expires:
        raise TokenExpired("The token's time is over.", hint="Ask the application for a new one.")
    if grant.test_id != test_id:
        raise NotFound("There is no such test.")
    return grant


async def read_embedded(tests: Tests, grant: Grant) -> Test:
    """The granted test as it stands now, without what is its owner's alone. NotFound."""
    return as_embedded(await read_test(tests, grant.owner, grant.test_id))


async def read_embedded_page(
    store: Store, grant: Grant, *, after: int = 0, limit: int = MAX_PAGE
) -> EventPage:
    """Events of the granted test numbered above `after`, as an embed token reads them. NotFound.

    Empty only when nothing that passes follows yet.
    """
    while True:
        page = await read_page(store, grant.owner, grant.test_id, after=after, limit=limit)
        events = embedded_events(page.events)
        if events or not page.events:
            return EventPage(events=events, complete=page.complete)
        after = page.events[-1].number


async def follow_embedded(
    store: Store, grant: Grant, *, after: int = 0
) -> AsyncGenerator[Sequence[Event], None]:
    """Every event of the granted test above `after`, as an embed token reads it, to the last."""
    async with aclosing(follow(store, grant.owner, grant.test_id, after=after)) as batches:
        async for batch in batches:
            if events := embedded_events(batch):
                yield events
