"""Tokens with which pages of other origins show one test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body

from seatrial.domain.embedding import EmbedOrder, EmbedToken
from seatrial.server.auth import Caller
from seatrial.server.deps import Deps
from seatrial.server.examples import EMBEDDING
from seatrial.server.problems import documented
from seatrial.services import embed_test as embedding

router = APIRouter(prefix="/tests", tags=["embedding"])


@router.post(
    "/{test_id}/embed",
    status_code=201,
    summary="Let pages of other origins show a test",
    responses=documented(401, 404, 422),
)
async def embed_test(
    test_id: str,
    order: Annotated[EmbedOrder, Body(openapi_examples=EMBEDDING)],
    deps: Deps,
    caller: Caller,
) -> EmbedToken:
    """A token for `<seatrial-test>`, good for a while, for pages of the named origins.

    With it `GET /tests/{test_id}` and its events can be read, and nothing else can be read or done.
    They show the query, name, model, steps, the agent's output and answer, and what it used; not
    files, requirements, build output, variables, credentials, hosts, notices or the receipt. It is
    not kept: it ends by its time, or with the test.
    """
    return await embedding.embed_test(
        deps.store, deps.webhook_key, caller.id, test_id, order, now=datetime.now(UTC)
    )
