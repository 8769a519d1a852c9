"""The contracts of recordings, between gateway, worker, services and store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .recordings import RecordedCall, RecordingInfo, RecordingSetup


class Recorder(Protocol):
    """Takes the calls of one door as they end. Never blocks and never fails."""

    @property
    def limit_bytes(self) -> int:
        """What all bodies may come to; the gateway records no call beyond it."""
        ...

    @property
    def first_number(self) -> int:
        """The number of the door's first call: above 1 when a former worker recorded some."""
        ...

    def add(self, call: RecordedCall) -> None:
        """Keep a call that has ended."""
        ...

    def cut(self, reason: str) -> None:
        """The recording is not whole; told once, before the first call that is left out."""
        ...


class Recordings(Protocol):
    """Recordings of tests. What a worker writes is fenced by its attempt: AttemptLost.

    A recording belongs to its test's latest attempt and is removed with the test.
    """

    async def start_recording(self, test_id: str, attempt: int, setup: RecordingSetup) -> None:
        """Begin an empty recording; that of an earlier attempt is removed."""
        ...

    async def continue_recording(self, test_id: str, attempt: int, problem: str) -> int:
        """Go on with what a former worker of the attempt recorded; its last call's number.

        `problem` is noted: calls may be missing.
        """
        ...

    async def add_recorded(
        self, test_id: str, attempt: int, calls: Sequence[RecordedCall], *, problem: str | None
    ) -> None:
        """Add calls. A `problem` is noted, unless one is noted already."""
        ...

    async def recording(self, owner: str, test_id: str) -> RecordingInfo:
        """The owner's recording with its calls. NotFound, also for a test without one."""
        ...

    async def recorded_calls(
        self, owner: str, test_id: str, *, after: int = 0, limit: int = 100
    ) -> Sequence[RecordedCall]:
        """Whole calls numbered above `after`, in order. NotFound."""
        ...
