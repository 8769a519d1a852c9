"""The worker's loop: claims tests, renews leases, adopts, and never leaves anything running."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from seatrial.domain.errors import AttemptLost, PlatformError, StoreUnavailable
from seatrial.domain.ports import Engine, Environments, ImageBuilder, Providers, Store
from seatrial.domain.redaction import Secrets
from seatrial.domain.tests import Claim
from seatrial.environments import PackageInstaller
from seatrial.settings import Settings
from seatrial.slots import Slots

from .adoption import adopted_of
from .attempt import Adopted, Attempt, AttemptDeps
from .engine_watch import EngineWatch
from .journal import patiently
from .reaper import Reaper
from .rehearsal import RehearsalDeps, Rehearsals

log = logging.getLogger(__name__)

_STORE_PAUSE_SECONDS = 1.0
_LONG_SHARE = 0.75
"""Who could not renew for this part of a lease can't tell whether others could."""
_WORKER_GONE = "The worker that ran it was restarted."
HANDED_OVER = "The worker was stopped."
"""Why a test is back in the queue whose worker ended as it was told to: no fault of anybody's."""


@dataclass(frozen=True)
class WorkerDeps:
    """What a worker works with. `name` stays the same over restarts on one machine.

    While the engine is away, tests wait in the queue for `engine_wait_seconds` and are then tried
    all the same, to fail with the reason; None waits for ever. Without `images` no package is
    tried out here.
    """

    store: Store
    engine: Engine
    slots: Slots
    environments: Environments
    providers: Providers
    secrets: Secrets
    settings: Settings
    name: str
    max_running: int
    engine_wait_seconds: float | None = None
    images: ImageBuilder | None = None


class Worker:
    """Takes tests from the queue and drives each on its engine.

    `run` returns after `stop` has been called and every attempt was handed back.
    """

    def __init__(self, deps: WorkerDeps) -> None:
        """Nothing happens before `run`."""
        self._deps = deps
        self._attempts: dict[tuple[str, int], tuple[Attempt, asyncio.Task[None]]] = {}
        self._stopping = asyncio.Event()
        self._look = asyncio.Event()
        self._watch = EngineWatch(
            deps.engine,
            wait_seconds=deps.engine_wait_seconds,
            look_again=self._look.set,
            tell=self._heartbeat,
        )
        self._rehearsals = _rehearsals(deps)
        self._reaper = Reaper(deps.engine, deps.slots, deps.name, self._holds)
        self._attempt_deps = AttemptDeps(
            queue=deps.store,
            recordings=deps.store,
            slots=deps.slots,
            environments=deps.environments,
            providers=deps.providers,
            secrets=deps.secrets,
            settings=deps.settings,
            worker=deps.name,
        )

    @property
    def running(self) -> int:
        """Attempts under way."""
        return len(self._attempts)

    def stop(self) -> None:
        """End soon: attempts go back to the queue, containers are removed."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped. A database that is away or full is waited for, always."""
        stopped = asyncio.create_task(self._wait_for_stop())
        begun = asyncio.create_task(self._begin())
        tasks = [stopped, begun]
        rehearsing = self._start_rehearsals()
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if begun.done():
                begun.result()
                tasks += self._loops()
                await _first_of([stopped, *tasks[2:]])
        finally:
            await _end_tasks([*tasks, *rehearsing])
            self._watch.close()
            await self._hand_back_all()

    async def _begin(self) -> None:
        await patiently(self._heartbeat)
        await patiently(lambda: self._take_over(own=True))

    def _loops(self) -> list[asyncio.Task[None]]:
        work = (self._claim_loop(), self._listen_loop(), self._lease_loop(), self._reaper.run())
        return [asyncio.create_task(loop) for loop in work]

    def _start_rehearsals(self) -> list[asyncio.Task[None]]:
        """Beside the work: whatever happens to them, tests go on."""
        if self._rehearsals is None:
            return []
        task = asyncio.create_task(self._rehearsals.run())
        task.add_done_callback(_tell_defect)
        return [task]

    async def _wait_for_stop(self) -> None:
        await self._stopping.wait()

    # ------------------------------------------------------------------ claiming

    async def _claim_loop(self) -> None:
        self._look.set()
        while True:
            await self._look.wait()
            self._look.clear()
            try:
                await self._claim()
            except StoreUnavailable as error:
                log.warning("the database does not answer: %s", error)
                await asyncio.sleep(_STORE_PAUSE_SECONDS)
                self._look.set()

    async def _listen_loop(self) -> None:
        """Wakes the claiming, and carries cancellations to attempts at once."""
        async with contextlib.aclosing(self._deps.store.wakeups()) as wakeups:
            async for what in wakeups:
                held = [a for (test_id, _), (a, _) in self._attempts.items() if test_id == what]
                for attempt in held:
                    attempt.cancel()
                if not held:
                    self._look.set()
                    if self._rehearsals is not None:
                        self._rehearsals.look()

    async def _claim(self) -> None:
        deps = self._deps
        room = deps.max_running - len(self._attempts)
        if room <= 0 or not await self._watch.may_claim():
            await deps.store.refresh_places()
            return
        claims = await deps.store.claim(
            deps.name,
            lease_seconds=deps.settings.lease_seconds,
            max_per_user=deps.settings.max_per_user,
            max_total=0,
            count=room,
        )
        for claim in claims:
            self._start(claim)
        await deps.store.refresh_places()

    def _start(self, claim: Claim, adopted: Adopted | None = None) -> None:
        attempt = Attempt(claim, self._attempt_deps, adopted)
        task = asyncio.create_task(attempt.run(), name=f"{claim.test_id}.{claim.attempt}")
        key = (claim.test_id, claim.attempt)
        self._attempts[key] = (attempt, task)
        task.add_done_callback(lambda _: self._ended(key))

    def _ended(self, key: tuple[str, int]) -> None:
        attempt, _ = self._attempts.pop(key)
        self._watch.attempt_ended(attempt.fault)
        self._look.set()

    def _holds(self, test_id: str, attempt: int) -> bool:
        return (test_id, attempt) in self._attempts

    # ------------------------------------------------------------------ leases

    async def _lease_loop(self) -> None:
        lease = self._deps.settings.lease_seconds
        clock = asyncio.get_running_loop().time
        renewed, waited = clock(), False
        while True:
            await asyncio.sleep(lease / 4)
            with contextlib.suppress(StoreUnavailable):
                await self._heartbeat()
                before, renewed = renewed, clock()
                # While the database was away nobody could renew: for one round others come first.
                waited = not waited and renewed - before > lease * _LONG_SHARE
                if not waited:
                    await self._take_over(own=False)

    async def _heartbeat(self) -> None:
        deps = self._deps
        leases = await deps.store.renew(
            deps.name,
            list(self._attempts),
            lease_seconds=deps.settings.lease_seconds,
            slots=0 if self._watch.trouble else deps.max_running,
            trouble=self._watch.trouble,
            engine=self._watch.seen,
        )
        for lease in leases:
            entry = self._attempts.get((lease.test_id, lease.attempt))
            if entry is None:
                continue
            if not lease.held:
                entry[0].lose()
            elif lease.cancel_requested:
                entry[0].cancel()

    # ------------------------------------------------------------------ taking over

    async def _take_over(self, *, own: bool) -> None:
        """Adopt or requeue what a former worker held: our own former self, or expired leases."""
        store = self._deps.store
        claims = await (store.unfinished_of(self._deps.name) if own else store.expired())
        for claim in claims:
            if not self._holds(claim.test_id, claim.attempt):
                await self._take(claim, own=own)

    async def _take(self, claim: Claim, *, own: bool) -> None:
        deps = self._deps
        taken = await deps.store.adopt(
            claim.test_id, claim.attempt, deps.name, lease_seconds=deps.settings.lease_seconds
        )
        if taken is None:
            return
        try:
            adopted = await adopted_of(taken, deps.store, deps.slots)
        except PlatformError as error:
            log.warning("cannot look for the container of %s: %s", claim.test_id, error)
            if own:
                # It may still run. When the lease runs out it has ended by itself.
                return
            adopted = None
        if adopted is not None:
            self._start(taken, adopted)
            return
        attempt = Attempt(taken, self._attempt_deps)
        try:
            await attempt.give_up(_WORKER_GONE)
        except AttemptLost:
            log.info("%s was given back by another worker", claim.test_id)

    # ------------------------------------------------------------------ stopping

    async def _hand_back_all(self) -> None:
        held = list(self._attempts.values())
        await _end_tasks([task for _, task in held])
        await asyncio.gather(*(self._hand_back(attempt) for attempt, _ in held))

    async def _hand_back(self, attempt: Attempt) -> None:
        try:
            await attempt.hand_back(HANDED_OVER)
        except PlatformError as error:
            # The lease runs out by itself and the test is requeued then.
            log.warning("could not hand back %s: %s", attempt.claim.test_id, error)


def _rehearsals(deps: WorkerDeps) -> Rehearsals | None:
    if deps.images is None:
        return None
    installer = PackageInstaller(
        deps.slots, deps.engine, deps.settings, state=deps.settings.data_dir
    )
    return Rehearsals(
        RehearsalDeps(deps.store, deps.engine, deps.images, installer, deps.slots, deps.settings)
    )


def _tell_defect(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("packages are no longer tried out by this worker", exc_info=error)


async def _first_of(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Return when one of them has ended; raise what it raised."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def _end_tasks(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
