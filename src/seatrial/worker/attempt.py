"""One attempt of one test: environment, container, agent, verdict, cleanup, exactly one end."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from seatrial.domain.errors import (
    AttemptLost,
    EngineUnavailable,
    FailureError,
    PlatformError,
    SeatrialError,
)
from seatrial.domain.events import (
    CleanupEvent,
    EventData,
    LogEvent,
    ModelCallEvent,
    NoticeEvent,
)
from seatrial.domain.failures import CATALOGUE, Failure, failure, is_retried_by_platform
from seatrial.domain.phases import MAX_ATTEMPTS, Outcome
from seatrial.domain.ports import (
    Environment,
    EnvironmentRequest,
    Environments,
    Providers,
    Queue,
    ResolvedModel,
)
from seatrial.domain.proof import proving_event, seen
from seatrial.domain.record import AttemptRecord
from seatrial.domain.recording_ports import Recordings
from seatrial.domain.recordings import Replay
from seatrial.domain.redaction import Secrets
from seatrial.domain.requests import NO_MODEL, sent_texts
from seatrial.domain.tests import Claim, Completion, Result
from seatrial.domain.verdict import Ending, Verdict, verdict
from seatrial.harness.protocol import Log, ResultFrame
from seatrial.services.validate_request import maxima_of
from seatrial.settings import Settings
from seatrial.slots import FrameBatch, Removal, Slot, SlotEnd, Slots

from .assignment import CANCEL_GRACE_SECONDS, assignment, slot_name, slot_spec
from .build import build_of
from .completion import Past, final_result, metrics_of, result_of
from .frames import events_of
from .journal import AttemptJournal, patiently
from .recording import RecordingWriter, note_lost_worker, open_recording
from .replay import replay_notice, replayed_model

log = logging.getLogger(__name__)

_T = TypeVar("_T")


@dataclass(frozen=True)
class AttemptDeps:
    """What an attempt works with."""

    queue: Queue
    recordings: Recordings
    slots: Slots
    environments: Environments
    providers: Providers
    secrets: Secrets
    settings: Settings
    worker: str


@dataclass(frozen=True)
class Adopted:
    """What a former worker left of an attempt: its journal's record and last stored frame.

    `past` says when it was claimed, began to run and first put something out, by the journal.
    """

    record: AttemptRecord
    last_frame: int
    environment: Environment
    past: Past


class Attempt:
    """Drives one claimed test to its end, or gives it back to the queue.

    `run` never raises for a test's own troubles. Cancelling the task of `run` leaves the
    container to another worker and writes nothing more.
    """

    def __init__(self, claim: Claim, deps: AttemptDeps, adopted: Adopted | None = None) -> None:
        """With `adopted` the container of a former worker is taken over instead of started."""
        self.claim = claim
        self._deps = deps
        self._adopted = adopted
        record = adopted.record if adopted else AttemptRecord()
        self._redactor = deps.secrets.redactor(record.redacted)
        self._journal = AttemptJournal(
            deps.queue, claim, self._redactor, record, unenforced=lambda: deps.slots.unenforced
        )
        self._tool_secrets: Mapping[str, str] = {}
        self._exposed: Mapping[str, str] = {}
        self._claimed_at = time.monotonic() - (adopted.past.age if adopted else 0.0)
        past = adopted.past if adopted else Past(claimed_at=datetime.now(UTC))
        self._timings = past.timings(claim.created_at)
        self._resolved: ResolvedModel | None = None
        self._slot: Slot | None = None
        self._replay: Replay | None = None
        self._recording: RecordingWriter | None = None
        self._step: asyncio.Task[Any] | None = None
        self._unseen = False
        """Whether a container may be there that no slot stands for."""
        self._cancelled = False
        self._lost = False
        self.fault: Failure | None = None
        """The platform's fault that it ended with, once it has ended."""

    async def run(self) -> None:
        """See the attempt through: completed, given back, or lost to another worker."""
        try:
            await self._end(await self._life())
        except AttemptLost:
            log.warning("attempt %s of %s is lost", self.claim.attempt, self.claim.test_id)
            await self._clean()
        except FailureError as error:
            await self._fail(error.failure)
        except PlatformError as error:
            await self._fail(_platform_failure(error))
        except Exception as error:  # noqa: BLE001 - one of the four outermost boundaries
            await self._fail(_internal(error))
        finally:
            # Of an attempt that ended otherwise than by completing its test.
            self._drop_recording()

    def cancel(self) -> None:
        """Ask for a prompt end in whatever phase it is."""
        self._cancelled = True
        if self._slot is not None:
            self._slot.cancel(CANCEL_GRACE_SECONDS)
        elif self._step is not None:
            self._step.cancel()

    def lose(self) -> None:
        """The lease is gone: end the container, write nothing more."""
        self._lost = True
        self.cancel()

    async def hand_back(self, reason: str) -> None:
        """End the container and give the test back to the queue, cancelled ones to their end."""
        await self._journal.requeue(reason, await self._clean(), self._exposed)

    async def give_up(self, reason: str) -> None:
        """End an attempt whose worker died: back to the queue, or failed after the last one.

        Whatever is left of it is removed first: it never runs beside its former container.
        """
        self._unseen = True
        if self.claim.attempt < MAX_ATTEMPTS:
            await self.hand_back(reason)
        else:
            await note_lost_worker(self._deps.recordings, self.claim)
            await self._complete(
                Verdict(Outcome.FAILED, failure("platform.worker_lost", evidence=reason))
            )

    # ------------------------------------------------------------------ life

    async def _life(self) -> Verdict:
        try:
            environment, resolved, slot = await self._begin()
        except asyncio.CancelledError:
            if self._lost:
                raise AttemptLost("the lease ran out while the test was prepared") from None
            if not self._cancelled:
                raise
            return Verdict(Outcome.CANCELLED)
        if self._cancelled:
            return Verdict(Outcome.CANCELLED)
        self._exposed = self.claim.request.secrets
        started = time.monotonic() - (self._adopted.past.ran if self._adopted else 0.0)
        end = await slot.run(
            assignment(
                self.claim.request,
                environment,
                resolved,
                uid=slot.uid,
                secrets=self._tool_secrets,
                orphan_seconds=self._deps.settings.grace_seconds,
            ),
            self._on_frames,
        )
        await self._journal.flush()
        self._timings = replace(self._timings, running=time.monotonic() - started)
        # A call that was under way is part of the story: it is noted before the verdict.
        await slot.close_door()
        if self._lost:
            raise AttemptLost("the lease ran out while the agent was running")
        return self._verdict(end, resolved)

    async def _begin(self) -> tuple[Environment, ResolvedModel, Slot]:
        """Everything that comes before the agent; a cancellation ends it in the middle."""
        environment, resolved = await self._interruptible(self._environment_and_model())
        self._resolved = resolved
        slot = self._slot = await self._interruptible(self._open(environment, resolved))
        return environment, resolved, slot

    async def _interruptible(self, work: Coroutine[Any, Any, _T]) -> _T:
        """A step before the agent runs: a task of its own, so that a cancellation reaches it."""
        step = self._step = asyncio.create_task(work)
        if self._cancelled:
            step.cancel()
        try:
            return await step
        finally:
            step.cancel()
            self._step = None

    async def _environment_and_model(self) -> tuple[Environment, ResolvedModel]:
        """Both at once, once all secrets are known. What fails first ends the other."""
        request, owner = self.claim.request, self.claim.owner
        self._tool_secrets = await self._deps.secrets.open(request, owner, self._redactor.known)
        self._redactor.scan("request", sent_texts(request))
        parts = (asyncio.create_task(self._environment()), asyncio.create_task(self._model()))
        try:
            prepared = await asyncio.gather(*parts)
            self._journal.forget_build()
            return prepared
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    async def _model(self) -> ResolvedModel:
        """The model, asked whether it can be used; not for an agent that runs already."""
        claim = self.claim
        if claim.request.replay_of is not None:
            return await self._recorded_model()
        resolved = await self._deps.providers.resolve(
            claim.request, claim.owner, test_id=claim.test_id, checked=self._adopted is None
        )
        if resolved.fallback and self._adopted is None:
            notice = f"No model was named and none is configured: {resolved.ref} stands in."
            await self._journal.add([NoticeEvent(code="model.fallback", message=notice)])
        return resolved

    async def _environment(self) -> Environment:
        if self._adopted is not None:
            return self._adopted.environment
        environment = await self._deps.environments.prepare(
            EnvironmentRequest(
                owner=self.claim.owner,
                requirements=self.claim.request.requirements,
                python=self.claim.request.python or self._deps.settings.python,
            ),
            self._on_build_log,
        )
        await self._journal.flush()
        self._timings = self._timings.with_environment(environment)
        return environment

    async def _recorded_model(self) -> ResolvedModel:
        """The model of a replay, and what answers in its place: no provider is asked."""
        claim = self.claim
        answered = (call.recorded_call for call in self._journal.record.calls)
        used = frozenset(number for number in answered if number is not None)
        found = await replayed_model(self._deps.recordings, claim.owner, claim.request, used)
        self._replay = found.replay
        if self._adopted is None:
            await self._journal.add([replay_notice(found.resolved)])
        return found.resolved

    async def _open(self, environment: Environment, resolved: ResolvedModel) -> Slot:
        deps, claim = self._deps, self.claim
        if claim.request.record:
            self._recording = await open_recording(
                deps.recordings,
                claim,
                resolved,
                limit_bytes=int(deps.settings.recording_max_mb * 2**20),
                adopted=self._adopted is not None,
            )
        spec = slot_spec(
            claim,
            environment,
            resolved,
            deps.settings,
            known=self._redactor.known,
            used=self._journal.record.door_use,
            recorder=self._recording,
            replay=self._replay,
            secrets=self._tool_secrets,
            received_ids=self._journal.record.received_ids,
        )
        self._unseen = True
        if self._adopted is not None:
            slot = await deps.slots.adopt(spec, self._on_call, acked=self._adopted.last_frame)
            if slot is None:
                raise PlatformError("The container of the former worker was gone.")
            return slot
        build = build_of(environment, resolved, claim.request.python or deps.settings.python)
        await self._journal.start_running(environment.key or None, build)
        started = time.monotonic()
        slot = await deps.slots.open(spec, self._on_call)
        self._timings = replace(self._timings, started=time.monotonic() - started)
        return slot

    def _verdict(self, end: SlotEnd, resolved: ResolvedModel) -> Verdict:
        request = self.claim.request
        container = end.container
        return verdict(
            request,
            self._journal.record,
            Ending(
                container_code=container.code if container else None,
                container_oom=bool(container and container.oom_killed),
                evidence=container.evidence if container else "",
                stopped=end.stopped,
                model_named=request.model not in {None, NO_MODEL} and bool(resolved.upstreams),
                adopted=self._adopted is not None,
                maxima=maxima_of(self._deps.settings),
            ),
        )

    # ------------------------------------------------------------------ what arrives

    async def _on_frames(self, batch: FrameBatch) -> None:
        events: list[EventData] = []
        for _, frame in batch:
            self._note_time(frame)
            events += events_of(frame, partial(self._result_of, events))
        await self._journal.add(events, frame=batch[-1][0])

    def _note_time(self, frame: object) -> None:
        first_output = self._timings.first_output
        if first_output is None and isinstance(frame, Log | ResultFrame):
            since_claim = time.monotonic() - self._claimed_at
            self._timings = replace(self._timings, first_output=since_claim)

    def _result_of(self, before: Sequence[EventData], frame: ResultFrame) -> Result:
        """`before`: events of the same batch, which the record learns of when they are stored."""
        resolved = self._resolved
        if resolved is None:
            raise PlatformError("A result arrived before the model was resolved.")
        record = self._journal.record
        for event in before:
            record = record.with_event(0, event)
        return result_of(frame, record, resolved)

    async def _on_build_log(self, text: str) -> None:
        await self._journal.add([LogEvent(stream="build", text=text)])

    async def _on_call(self, event: ModelCallEvent | NoticeEvent) -> None:
        try:
            await self._journal.add([event])
        except AttemptLost:
            # The gateway reports from its own task: the lease watch ends this attempt.
            self._lost = True

    # ------------------------------------------------------------------ the end

    async def _end(self, decided: Verdict) -> None:
        cause = decided.failure
        if cause is not None and is_retried_by_platform(cause.code):
            self.fault = cause
        if cause is not None and decided.outcome is Outcome.FAILED and self._may_retry(cause):
            await self._give_back(cause)
            return
        await self._complete(decided)

    async def _fail(self, cause: Failure) -> None:
        try:
            await self._end(
                Verdict(Outcome.CANCELLED)
                if self._cancelled and not self._lost
                else Verdict(Outcome.FAILED, cause)
            )
        except AttemptLost:
            log.warning("attempt %s of %s is lost", self.claim.attempt, self.claim.test_id)

    def _may_retry(self, cause: Failure) -> bool:
        return is_retried_by_platform(cause.code) and self.claim.attempt < MAX_ATTEMPTS

    async def _give_back(self, cause: Failure) -> None:
        removed = await self._clean()
        claim = self.claim
        reason = f"{cause.title} Attempt {claim.attempt} of {MAX_ATTEMPTS}. {cause.message}"
        await patiently(lambda: self._journal.requeue(reason, removed, self._exposed))

    async def _complete(self, decided: Verdict) -> None:
        removed = await self._clean()
        self._timings = replace(
            self._timings,
            cleaned=max(removed.removed.values(), default=0.0),
            total=time.monotonic() - self._claimed_at,
        )
        await self._end_recording()
        cause = await self._proven(decided.failure) if decided.failure else None
        record = self._journal.record
        completion = Completion(
            outcome=decided.outcome,
            failure=cause,
            result=final_result(record, self._resolved),
            metrics=metrics_of(self.claim.request, record, self._timings),
        )
        await self._journal.complete(completion, removed, self._exposed)

    async def _proven(self, cause: Failure) -> Failure:
        """The failure with the event that proves it; what only this worker saw is noted first."""
        await self._journal.flush()
        if proving_event(cause, self._journal.record) is None:
            await self._journal.add([seen(cause)])
        number = proving_event(cause, self._journal.record)
        return cause.model_copy(update={"evidence_event": number})

    async def _end_recording(self) -> None:
        """Before the test's end: after it, nothing can be written any more."""
        recording, self._recording = self._recording, None
        if recording is not None:
            await recording.close()

    def _drop_recording(self) -> None:
        recording, self._recording = self._recording, None
        if recording is not None:
            recording.abandon()

    async def _clean(self) -> CleanupEvent:
        """Remove the container; what can't be removed in time is left to the reaper, and named."""
        slot = self._slot
        removal = Removal() if slot is None else slot.removal()
        left: tuple[str, ...] = ()
        try:
            if slot is not None:
                async with asyncio.timeout(self._deps.settings.cleanup_seconds):
                    await slot.remove(removal)
            elif self._unseen:
                await self._deps.slots.discard(slot_name(self.claim), removal)
        except (SeatrialError, TimeoutError) as error:
            left = removal.left or ("container",)
            log.warning("%s is left to the reaper: %s", slot_name(self.claim), error)
        self._slot, self._unseen = None, False
        self._forget_secrets()
        return CleanupEvent(attempt=self.claim.attempt, removed=removal.gone, left=left)

    def _forget_secrets(self) -> None:
        """Keep nothing with which a model or a tool could still be asked."""
        self._tool_secrets = {}
        if self._resolved is not None:
            self._resolved = replace(self._resolved, upstreams=())


def _platform_failure(error: PlatformError) -> Failure:
    code = error.code if error.code in CATALOGUE else "platform.internal"
    incident = _incident() if code == "platform.internal" else None
    named = f"incident {incident}: " if incident else ""
    trace = not isinstance(error, EngineUnavailable)
    log.warning("platform fault: %s%s", named, error, exc_info=trace)
    said = str(error)
    return failure(code, said, what_to_do=error.hint, evidence=said, incident=incident)


def _internal(error: Exception) -> Failure:
    incident = _incident()
    log.error("incident %s", incident, exc_info=error)
    return failure(
        "platform.internal",
        f"Seatrial failed with {type(error).__name__}; the log names it as incident {incident}.",
        incident=incident,
    )


def _incident() -> str:
    """A name under which a defect's stack trace is found in the log."""
    return secrets.token_hex(4)
