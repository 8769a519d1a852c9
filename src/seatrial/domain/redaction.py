"""The contracts by which known secrets are taken out of what a test leaves.

Only the gateway's process knows the values, so it makes these objects; the worker uses them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from .events import EventData
from .receipts import LeakCheck
from .requests import TestRequest


class Known(Protocol):
    """The secret values of one test. It only grows, and nothing gives them out again."""

    def learn(self, values: Iterable[str | None]) -> None:
        """From now on look for these too; empty ones are left out."""
        ...


class Redactor(Protocol):
    """Takes the secrets out of one attempt's events, in the order in which they are written."""

    @property
    def known(self) -> Known:
        """What it looks for."""
        ...

    def clean(self, events: Sequence[EventData]) -> list[EventData]:
        """The events without secrets.

        Text of a stream that may be the beginning of a secret is held back: it comes with the
        stream's next events or from `end`. The first secret of each stream and field adds the
        notice `secret.redacted`.
        """
        ...

    def end(self) -> list[EventData]:
        """What is still held back. `clean` does it too before the agent's exit."""
        ...

    def text(self, place: str, text: str) -> str:
        """A whole text without secrets, counted under that name."""
        ...

    def scan(self, place: str, texts: Iterable[str]) -> None:
        """Search texts that are not changed, and count them under that name."""
        ...

    def leaks(self) -> LeakCheck:
        """What was searched and found so far."""
        ...


class Secrets(Protocol):
    """Knows the secrets of this installation and opens those of its users."""

    def redactor(self, redacted: Iterable[str] = ()) -> Redactor:
        """For one attempt; it knows the operator's secrets.

        `redacted` are the places in which a former worker of the same attempt found some.
        """
        ...

    async def open(self, request: TestRequest, owner: str, known: Known) -> Mapping[str, str]:
        """The values of the request's `secrets` by variable, for the agent's process alone.

        Everything of the owner's that the request uses is known before this returns. FailureError
        when a credential that it names is not there.
        """
        ...
