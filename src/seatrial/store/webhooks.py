"""Webhooks that are to be sent: rows that become due with the end of their test."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, update

from seatrial.domain.requests import TestRequest
from seatrial.domain.webhooks import Delivery

from .database import Writing
from .part import Part, repeated
from .tables import tests, webhooks

_DUE = select(webhooks.c.test_seq).where(webhooks.c.due_at.is_not(None)).order_by(webhooks.c.due_at)


class SqlWebhooks(Part):
    """Fulfils the port `Webhooks`."""

    @repeated
    async def due_webhooks(self, *, limit: int, hold_seconds: float) -> Sequence[Delivery]:
        """Take up to `limit` that are due, longest first, and begin an attempt of each."""
        async with self._database.reading() as reading:
            # Looked at first: mostly nothing is due, and then nothing is written.
            if await reading.row(_DUE.where(webhooks.c.due_at <= reading.now).limit(1)) is None:
                return ()
        async with self._database.writing() as writing:
            due = _DUE.where(webhooks.c.due_at <= writing.now).limit(limit)
            rows = await writing.rows(due.with_for_update(skip_locked=True))
            held = writing.now + timedelta(seconds=hold_seconds)
            seqs = [row.test_seq for row in rows]
            begun = update(webhooks).where(webhooks.c.test_seq.in_(seqs))
            await writing.execute(begun.values(attempts=webhooks.c.attempts + 1, due_at=held), {})
            taken = select(tests.c.id, tests.c.owner, webhooks.c.url, webhooks.c.attempts)
            found = await writing.rows(
                taken.join(webhooks).where(webhooks.c.test_seq.in_(seqs)).order_by(tests.c.seq)
            )
        return tuple(Delivery(row.id, row.owner, row.url, row.attempts) for row in found)

    @repeated
    async def webhook_delivered(self, delivery: Delivery, *, status: int) -> None:
        """It was taken. Nothing happens when a later attempt has begun."""
        async with self._database.writing() as writing:
            done = {"state": "delivered", "status": status, "message": "", "due_at": None}
            await writing.execute(_of(delivery).values(**done, delivered_at=writing.now), {})

    @repeated
    async def webhook_failed(
        self,
        delivery: Delivery,
        message: str,
        *,
        status: int | None = None,
        again_in: float | None,
    ) -> None:
        """It was not. Due again after so many seconds; None gives it up."""
        async with self._database.writing() as writing:
            due_at = None if again_in is None else writing.now + timedelta(seconds=again_in)
            state = "failed" if due_at is None else "due"
            failed = {"state": state, "status": status, "message": message, "due_at": due_at}
            await writing.execute(_of(delivery).values(**failed), {})


async def note_webhook(writing: Writing, seq: int, request: TestRequest) -> None:
    """Remember whom to tell of a new test's end."""
    if request.webhook is not None:
        row = {"test_seq": seq, "url": request.webhook, "state": "waiting", "attempts": 0}
        await writing.execute(insert(webhooks), {**row, "message": ""})


async def webhook_due(writing: Writing, seq: int) -> None:
    """The test has ended: who wants to know is to be told."""
    due = update(webhooks).where(webhooks.c.test_seq == seq)
    await writing.execute(due.values(state="due", due_at=writing.now), {})


def _of(delivery: Delivery) -> Any:
    of_test = select(tests.c.seq).where(tests.c.id == delivery.test_id).scalar_subquery()
    return update(webhooks).where(
        webhooks.c.test_seq == of_test, webhooks.c.attempts == delivery.attempt
    )
