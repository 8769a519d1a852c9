"""Let a page of another origin show a test, and check what such a page brings."""

from __future__ import annotations

from datetime import UTC, datetime

from seatrial.domain.embedding import EmbedOrder, EmbedToken, Grant, as_embedded, grant_of, signed
from seatrial.domain.errors import NotAllowed, NotAuthenticated, NotFound, TokenExpired
from seatrial.domain.ports import Tests
from seatrial.domain.tests import Test

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
