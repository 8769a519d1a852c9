"""Keeps the calls of one attempt, off the path of the calls themselves."""

from __future__ import annotations

import asyncio
import logging

from seatrial.domain.errors import AttemptLost
from seatrial.domain.ports import ResolvedModel
from seatrial.domain.recording_ports import Recordings
from seatrial.domain.recordings import RecordedCall, RecordedUpstream, RecordingSetup
from seatrial.domain.tests import Claim

from .journal import patiently

log = logging.getLogger(__name__)

WORKER_LOST = "The worker was lost in the middle of the test; calls of that moment may be missing."

_TOGETHER_SECONDS = 0.05
"""Calls that end within this time are written at once."""


class RecordingWriter:
    """Fulfils `Recorder`: takes calls at once and writes them in batches by itself."""

    def __init__(
        self, recordings: Recordings, claim: Claim, *, limit_bytes: int, first_number: int
    ) -> None:
        """Needs a running loop. Close it, or what came last is not written."""
        self.limit_bytes = limit_bytes
        self.first_number = first_number
        self._recordings = recordings
        self._claim = claim
        self._calls: list[RecordedCall] = []
        self._problem: str | None = None
        self._something = asyncio.Event()
        self._closing = asyncio.Event()
        self._task = asyncio.create_task(self._write())

    def add(self, call: RecordedCall) -> None:
        """See Recorder."""
        self._calls.append(call)
        self._something.set()

    def cut(self, reason: str) -> None:
        """See Recorder."""
        self._problem = reason
        self._something.set()

    async def close(self) -> None:
        """Return when everything is written, or when the attempt is not ours any more."""
        self._closing.set()
        self._something.set()
        await self._task

    def abandon(self) -> None:
        """Write nothing more."""
        self._task.cancel()

    async def _write(self) -> None:
        while not (self._closing.is_set() and not self._calls and self._problem is None):
            await self._something.wait()
            self._something.clear()
            if not self._closing.is_set():
                await asyncio.sleep(_TOGETHER_SECONDS)
            calls, self._calls = self._calls, []
            problem, self._problem = self._problem, None
            try:
                await self._store(calls, problem)
            except AttemptLost:
                log.warning("the recording of %s is another attempt's now", self._claim.test_id)
                return

    async def _store(self, calls: list[RecordedCall], problem: str | None) -> None:
        if calls or problem is not None:
            claim = self._claim
            await patiently(
                lambda: self._recordings.add_recorded(
                    claim.test_id, claim.attempt, calls, problem=problem
                )
            )


async def open_recording(
    recordings: Recordings,
    claim: Claim,
    resolved: ResolvedModel,
    *,
    limit_bytes: int,
    adopted: bool,
) -> RecordingWriter:
    """Begin the attempt's recording, or go on with a former worker's. AttemptLost."""
    test_id, attempt = claim.test_id, claim.attempt
    last = 0
    if adopted:
        last = await patiently(lambda: recordings.continue_recording(test_id, attempt, WORKER_LOST))
    else:
        setup = setup_of(resolved)
        await patiently(lambda: recordings.start_recording(test_id, attempt, setup))
    return RecordingWriter(recordings, claim, limit_bytes=limit_bytes, first_number=last + 1)


async def note_lost_worker(recordings: Recordings, claim: Claim) -> None:
    """Say of an attempt that nobody goes on with that its recording may lack calls."""
    if claim.request.record:
        await patiently(
            lambda: recordings.continue_recording(claim.test_id, claim.attempt, WORKER_LOST)
        )


def setup_of(resolved: ResolvedModel) -> RecordingSetup:
    """What a replay has to know of the model that the test runs with."""
    return RecordingSetup(
        model=str(resolved.ref) if resolved.ref else None,
        fallback=resolved.fallback,
        upstreams=tuple(
            RecordedUpstream(
                provider=upstream.provider,
                models=tuple(sorted(upstream.models)),
                region=upstream.credential.region if upstream.credential else None,
            )
            for upstream in resolved.upstreams
        ),
    )
