"""One call of an agent: what it is, what is known of it while it runs, how the gateway answers."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from seatrial.domain.events import ModelCallEvent
from seatrial.domain.ports import Upstream

from .providers.base import Operation, Provider, Reading

MAX_IDS_OF_A_CALL = 64
"""Ids of one answer that are journalled, the latest."""


@dataclass
class CallRecord:
    """What is known of a call while it runs; becomes one event at its end."""

    provider: str
    operation: str = ""
    model: str = ""
    counted: bool = True
    status: int | None = None
    error: str | None = None
    message: str = ""
    first_byte: float | None = None
    replayed: bool = False
    recorded_call: int | None = None
    reading: Reading = field(default_factory=Reading)
    unfinished: bool = False
    sent_bytes: int = 0
    received_bytes: int = 0
    pausing: bool = False
    waited: float = 0.0
    received_ids: list[str] = field(default_factory=list[str])
    secret_hits: int | None = None
    started: float = field(default_factory=time.monotonic)

    def blame(self, error: str, message: str) -> None:
        """Say what went wrong."""
        self.error, self.message = error, message

    def mark_first_byte(self) -> None:
        """The first byte of the answer's body is here."""
        if self.first_byte is None:
            self.first_byte = time.monotonic() - self.started

    def event(self) -> ModelCallEvent:
        """The call as the journal keeps it."""
        return ModelCallEvent(
            provider=self.provider,
            model=self.model,
            operation=self.operation,
            status=self.status,
            latency_seconds=time.monotonic() - self.started,
            first_byte_seconds=self.first_byte,
            input_tokens=self.reading.input_tokens,
            output_tokens=self.reading.output_tokens,
            error=self.error,
            message=self.message,
            unfinished=self.unfinished,
            sent_bytes=self.sent_bytes,
            received_bytes=self.received_bytes,
            waited_seconds=self.waited,
            replayed=self.replayed,
            recorded_call=self.recorded_call,
            received_ids=tuple(self.received_ids[-MAX_IDS_OF_A_CALL:]),
            secret_hits=self.secret_hits,
        )


@dataclass(frozen=True)
class Call:
    """One admitted call: what the agent sent and where it goes."""

    provider: Provider
    upstream: Upstream
    operation: Operation
    query: str
    body: bytes


class Watcher(Protocol):
    """Told of a call while it passes."""

    def passed(self, count: int) -> None:
        """So many bytes of the answer are about to pass. BudgetSpent when they may not."""
        ...

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """The provider has answered; for an error the record is complete already."""
        ...


def own_answer(provider: Provider, path: str, status: int, code: str, text: str) -> web.Response:
    """An answer of the gateway itself in the provider's shape."""
    body = json.dumps(provider.error_body(path, text, code)).encode()
    return web.Response(
        status=status,
        body=body,
        content_type="application/json",
        headers={
            "X-Seatrial-Gateway": code,
            "Server": "seatrial",
            **provider.error_headers(status),
        },
    )
