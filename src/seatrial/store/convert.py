"""Between rows and the values of the domain. Pure."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError
from sqlalchemy import Row

from seatrial.domain.errors import FieldProblem, InvalidRequest
from seatrial.domain.events import EVENT_DATA, Event, EventData
from seatrial.domain.failures import Failure
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.receipts import Receipt
from seatrial.domain.requests import MAX_MODEL_CHARACTERS, TestRequest, model_names
from seatrial.domain.tests import (
    Claim,
    Metrics,
    QueuePlace,
    Result,
    Test,
    TestSummary,
    WebhookState,
)

M = TypeVar("M", bound=BaseModel)


def clean(text: str) -> str:
    """Text as both databases can hold it: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def to_json(value: BaseModel) -> str:
    """Write a model as JSON. What no UTF-8 can express (it came from a container) becomes `?`."""
    try:
        return value.model_dump_json()
    except PydanticSerializationError:
        plain = json.dumps(value.model_dump(mode="json"), ensure_ascii=False)
        return plain.encode("utf-8", "replace").decode("utf-8")


def folded(text: str) -> str:
    """Text as the search sees it: letter case does not matter, in any language."""
    return clean(text).casefold()


def searched(request: TestRequest, test_id: str) -> str:
    """What a search looks at: the beginnings of name and query, and the id.

    An index holds it, and PostgreSQL's take 2,700 bytes.
    """
    parts = (folded(request.name or "")[:100], folded(request.query)[:400], test_id)
    return "\n".join(parts)


def main_model(request: TestRequest) -> str | None:
    """The first of its models, short enough for an index; None when it takes the default."""
    if request.model is None:
        return None
    return clean(model_names(request.model)[0])[:MAX_MODEL_CHARACTERS]


def likeness(request: TestRequest) -> str:
    """The same for requests that need the same packages: their tests take about as long."""
    return text_hash(f"{request.python or ''}\n{request.requirements.strip()}")[:16]


def event_data(data: EventData) -> str:
    """Write what an event says."""
    return to_json(data)


def event_of(row: Row[Any]) -> Event:
    """Read one line of a journal."""
    return Event(number=row.number, at=row.at, data=EVENT_DATA.validate_json(row.data))


def test_of(row: Row[Any], queue: QueuePlace | None) -> Test:
    """Read a test; `queue` is its place while it waits."""
    return Test(
        id=row.id,
        owner=row.owner,
        name=row.name,
        request=TestRequest.model_validate_json(row.request),
        phase=Phase(row.phase),
        outcome=_outcome(row.outcome),
        attempt=row.attempt,
        failure=_read(Failure, row.failure),
        result=_read(Result, row.result),
        metrics=_read(Metrics, row.metrics),
        receipt=_read(Receipt, row.receipt),
        retry_of=row.retry_of,
        webhook=_webhook(row),
        cancel_requested=row.cancel_requested,
        queue=queue,
        last_event=row.last_event,
        environment=row.environment,
        created_at=row.created_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
    )


def summary_of(row: Row[Any]) -> TestSummary:
    """Read a line of the history."""
    return TestSummary(
        id=row.id,
        name=row.name,
        query=row.query,
        model=row.model,
        phase=Phase(row.phase),
        outcome=_outcome(row.outcome),
        failure_code=row.failure_code,
        retry_of=row.retry_of,
        created_at=row.created_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
    )


def claim_of(row: Row[Any]) -> Claim:
    """Read a test as the worker that holds it needs it."""
    return Claim(
        test_id=row.id,
        owner=row.owner,
        attempt=row.attempt,
        request=TestRequest.model_validate_json(row.request),
        last_event=row.last_event,
        created_at=row.created_at,
        retry_of=row.retry_of,
    )


def request_hash(request: TestRequest, retry_of: str | None) -> str:
    """The same for the same request, in whatever order its files were named."""
    parts = {"request": request.model_dump(mode="json"), "retry_of": retry_of}
    return text_hash(json.dumps(parts, sort_keys=True))


def text_hash(text: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class _Cursor(BaseModel):
    created_at: datetime
    id: str


def write_cursor(row: Row[Any]) -> str:
    """A cursor that goes on behind that row."""
    text = _Cursor(created_at=row.created_at, id=row.id).model_dump_json()
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[datetime, str]:
    """Where the page begins. InvalidRequest when it is none of ours."""
    try:
        padded = text + "=" * (-len(text) % 4)
        cursor = _Cursor.model_validate_json(base64.urlsafe_b64decode(padded))
        if cursor.created_at.tzinfo is None:
            raise ValueError("no time zone")
    except (ValueError, ValidationError) as error:
        problem = FieldProblem("cursor", "This is not a cursor that a page gave.")
        raise InvalidRequest((problem,)) from error
    return cursor.created_at, clean(cursor.id)


def _webhook(row: Row[Any]) -> WebhookState | None:
    if row.webhook_state is None:
        return None
    return WebhookState(
        state=row.webhook_state,
        attempts=row.webhook_attempts,
        status=row.webhook_status,
        message=row.webhook_message,
        next_at=row.webhook_due_at,
        delivered_at=row.webhook_delivered_at,
    )


def _outcome(value: str | None) -> Outcome | None:
    return None if value is None else Outcome(value)


def _read(model: type[M], text: str | None) -> M | None:
    return None if text is None else model.model_validate_json(text)
