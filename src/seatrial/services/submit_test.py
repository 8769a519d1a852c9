"""Submit a test: check the request, then queue it."""

from __future__ import annotations

from seatrial.domain.compiler_ports import Compiler
from seatrial.domain.errors import FieldProblem, InvalidRequest
from seatrial.domain.ports import Store
from seatrial.domain.requests import TestRequest
from seatrial.domain.shares import queue_share
from seatrial.domain.tests import Test
from seatrial.domain.validation import OFFERED_PROVIDERS
from seatrial.settings import Settings

from .validate_request import validate_request

MAX_KEY_CHARACTERS = 200


async def submit_test(
    store: Store,
    settings: Settings,
    owner: str,
    request: TestRequest,
    *,
    compiler: Compiler,
    retry_of: str | None = None,
    idempotency_key: str | None = None,
    providers: frozenset[str] = OFFERED_PROVIDERS,
) -> Test:
    """The queued test. InvalidRequest, Conflict, QueueFull.

    The same owner and key within 24 hours give the first call's test again.
    """
    _check_key(idempotency_key)
    await validate_request(store, settings, owner, request, compiler=compiler, providers=providers)
    return await store.submit(
        owner,
        request,
        retry_of=retry_of,
        idempotency_key=idempotency_key,
        max_queued=settings.max_queued,
        max_queued_per_user=queue_share(settings.max_queued, settings.max_queued_per_user),
    )


def _check_key(key: str | None) -> None:
    if key is None:
        return
    if not (1 <= len(key) <= MAX_KEY_CHARACTERS and key.isascii() and key.isprintable()):
        message = f"The key has 1 to {MAX_KEY_CHARACTERS} printable ASCII characters."
        raise InvalidRequest((FieldProblem("Idempotency-Key", message),))
