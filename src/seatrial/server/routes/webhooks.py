"""Webhooks."""

from __future__ import annotations

from fastapi import APIRouter

from seatrial.domain.answers import WebhookSecret
from seatrial.domain.webhooks import secret_of
from seatrial.server.auth import Caller
from seatrial.server.deps import Deps
from seatrial.server.problems import documented

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.get("/secret", summary="What your webhooks are signed with", responses=documented(401))
async def read_webhook_secret(deps: Deps, caller: Caller) -> WebhookSecret:
    """Your secret, as the libraries of Standard Webhooks take it. The same for all your tests."""
    return WebhookSecret(secret=secret_of(deps.webhook_key, caller.id))
