"""Retry a test: a new one of the same request, with changes if wanted."""

from __future__ import annotations

from seatrial.domain.compiler_ports import Compiler
from seatrial.domain.ports import Store
from seatrial.domain.requests import RetryChanges
from seatrial.domain.tests import Test
from seatrial.domain.validation import OFFERED_PROVIDERS
from seatrial.settings import Settings

from .read_test import read_test
from .recordings import replayed
from .submit_test import submit_test


async def retry_test(
    store: Store,
    settings: Settings,
    owner: str,
    test_id: str,
    changes: RetryChanges,
    *,
    compiler: Compiler,
    idempotency_key: str | None = None,
    providers: frozenset[str] = OFFERED_PROVIDERS,
) -> Test:
    """The new test, whose `retry_of` is the old one's id. The old one is not changed.

    NotFound, InvalidRequest (the rules and maxima of now apply), Conflict, QueueFull.
    """
    old = await read_test(store, owner, test_id)
    return await submit_test(
        store,
        settings,
        owner,
        replayed(old, changes.applied_to(old.request), replay=changes.replay),
        retry_of=old.id,
        compiler=compiler,
        idempotency_key=idempotency_key,
        providers=providers,
    )
