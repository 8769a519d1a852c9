"""The contract of webhooks that are to be sent, between the store and the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .webhooks import Delivery


class Webhooks(Protocol):
    """What is still to be told to whom. It becomes due in the transaction that ends its test."""

    async def due_webhooks(self, *, limit: int, hold_seconds: float) -> Sequence[Delivery]:
        """Take up to `limit` that are due, longest first, and begin an attempt of each.

        Whoever takes one reports within `hold_seconds`; after that it is due again.
        """
        ...

    async def webhook_delivered(self, delivery: Delivery, *, status: int) -> None:
        """It was taken. Nothing happens when a later attempt has begun."""
        ...

    async def webhook_failed(
        self,
        delivery: Delivery,
        message: str,
        *,
        status: int | None = None,
        again_in: float | None,
    ) -> None:
        """It was not. Due again after so many seconds; None gives it up."""
        ...
