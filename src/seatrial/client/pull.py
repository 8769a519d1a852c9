"""Follows a pull over SSE: how far it is, until the model is there or an error says why not."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from seatrial.domain.errors import PullInterrupted
from seatrial.domain.pulls import PullProgress

from .errors import answered, mapped
from .sse import EventStream, ServerSentEvent
from .transport import Transport

_BAD_GATEWAY = 502
"""What a problem without a code of ours counts as."""


async def pulled(
    transport: Transport, path: str, model: str, silence_seconds: float
) -> AsyncGenerator[PullProgress, None]:
    """Ask for the pull and give its progress. PullFailed and the errors of every request."""
    stream = EventStream()
    async with transport.stream(
        path,
        method="POST",
        json={"model": model},
        headers={"accept": "text/event-stream"},
        silence_seconds=silence_seconds,
    ) as chunks:
        async for chunk in chunks:
            for sent in stream.feed(chunk):
                step = _read(sent)
                yield step
                if step.done:
                    return
    raise PullInterrupted(
        "The server ended the stream before the model was there.",
        hint="Pull it again: Ollama keeps what it has and goes on there.",
    )


def _read(sent: ServerSentEvent) -> PullProgress:
    if sent.event == "problem":
        raise answered(_BAD_GATEWAY, sent.data.encode())
    with mapped():
        return PullProgress.model_validate_json(sent.data)
