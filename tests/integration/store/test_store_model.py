"""Random histories of submitters, workers that come and go, and cancels, against a simple model.

Held in every one of them: no test is lost, none ends twice, the caps hold, the order of
submission is kept, every journal is without gaps, and stale attempts change nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.support.databases import Clock, Databases, SqliteFiles, a_request

from seatrial.domain.errors import AttemptLost, Conflict, NotFound, QueueFull
from seatrial.domain.events import Event, LogEvent, PhaseEvent, QueueEvent
from seatrial.domain.phases import Outcome, Phase, may_follow
from seatrial.domain.tests import Completion
from seatrial.store import SqlStore, open_store

T = TypeVar("T")
LEASE = 20
MAX_QUEUED = 8

owners = st.sampled_from(["ann", "bob", "cyd"])
workers = st.sampled_from(["w1", "w2"])
which = st.integers(0, 30)
caps = st.integers(0, 3)


@dataclass
class Expected:
    """What the model knows of a test."""

    id: str
    owner: str
    phase: Phase = Phase.QUEUED
    attempt: int = 0
    outcome: Outcome | None = None
    cancel_requested: bool = False
    worker: str | None = None
    lease_until: datetime | None = None
    last_frame: int = 0
    logged: int = 0

    @property
    def held(self) -> bool:
        return self.phase in {Phase.BUILDING, Phase.RUNNING}


class StoreMachine(RuleBasedStateMachine):
    """Drives a store and the model together."""

    def new_url(self) -> str:
        """The URL of an empty, migrated database for one history."""
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = Clock()
        self.store: SqlStore = open_store(self.new_url(), clock=self.clock)
        self.tests: list[Expected] = []
        self.frame = 0

    def do(self, call: Awaitable[T]) -> T:
        async def run() -> T:
            return await call

        return self.runner.run(run())

    def pick(self, number: int) -> Expected:
        """One of the tests; two times in three one that is held, if any is."""
        held = [test for test in self.tests if test.held]
        return (
            held[number % len(held)]
            if held and number % 3
            else self.tests[number % len(self.tests)]
        )

    def fenced(self, test: Expected, attempt: int, call: Awaitable[Any]) -> bool:
        """Make a fenced call; whether it was allowed, which must be as the model says."""
        allowed = test.held and attempt == test.attempt
        if allowed:
            self.do(call)
        else:
            with pytest.raises(AttemptLost):
                self.do(call)
        return allowed

    @initialize(several=st.lists(owners, min_size=2, max_size=6), claims=st.integers(0, 3))
    def open(self, several: list[str], claims: int) -> None:
        """Begin in the middle: some wait already, some are held."""
        self.do(self.store.open())
        self.submit(several)
        self.claim("w1", claims, 0, 0)

    @rule(several=st.lists(owners, min_size=1, max_size=5))
    def submit(self, several: list[str]) -> None:
        for owner in several:
            waiting = sum(test.phase is Phase.QUEUED for test in self.tests)
            call = self.store.submit(owner, a_request(), max_queued=MAX_QUEUED)
            if waiting >= MAX_QUEUED:
                with pytest.raises(QueueFull):
                    self.do(call)
            else:
                self.tests.append(Expected(self.do(call).id, owner))

    @rule(worker=workers, count=st.integers(1, 4), per_user=caps, total=caps)
    def claim(self, worker: str, count: int, per_user: int, total: int) -> None:
        expected = self._claimable(count, per_user, total)
        claims = self.do(
            self.store.claim(
                worker, lease_seconds=LEASE, max_per_user=per_user, max_total=total, count=count
            )
        )
        assert [claim.test_id for claim in claims] == [test.id for test in expected]
        for test, claim in zip(expected, claims, strict=True):
            test.phase, test.attempt, test.worker = Phase.BUILDING, test.attempt + 1, worker
            test.lease_until = self._lease()
            test.last_frame = 0
            assert claim.attempt == test.attempt

    def _claimable(self, count: int, per_user: int, total: int) -> list[Expected]:
        running = [test.owner for test in self.tests if test.held]
        chosen: list[Expected] = []
        for test in self.tests:
            if test.phase is not Phase.QUEUED or len(chosen) == count:
                continue
            if total and len(running) >= total:
                break
            if per_user and running.count(test.owner) >= per_user:
                continue
            chosen.append(test)
            running.append(test.owner)
        return chosen

    @precondition(lambda self: self.tests)
    @rule(worker=workers)
    def renew(self, worker: str) -> None:
        """All that the worker may believe to hold: also what it lost."""
        asked = [(test.id, test.attempt) for test in self.tests]
        leases = self.do(self.store.renew(worker, asked, lease_seconds=LEASE, slots=2))
        for test, lease in zip(self.tests, leases, strict=True):
            assert lease.held == (test.held and test.worker == worker)
            if lease.held:
                assert lease.cancel_requested == test.cancel_requested
                test.lease_until = self._lease()

    @rule(seconds=st.integers(1, LEASE - 1))
    def pause(self, seconds: int) -> None:
        self.clock.forward(seconds)

    @rule()
    def crash(self) -> None:
        """Every worker is silent for longer than a lease."""
        self.clock.forward(LEASE + 1)

    @precondition(lambda self: self.tests)
    @rule(number=which, stale=st.integers(0, 1), lines=st.integers(0, 3))
    def append(self, number: int, stale: int, lines: int) -> None:
        test = self.pick(number)
        attempt = test.attempt - stale
        events = [LogEvent(stream="stdout", text="x")] * lines
        if self.fenced(test, attempt, self.store.append(test.id, attempt, events)):
            test.logged += lines

    @precondition(lambda self: self.tests)
    @rule(number=which, ahead=st.integers(-1, 2))
    def append_frame(self, number: int, ahead: int) -> None:
        test = self.pick(number)
        frame = test.last_frame + ahead
        events = [LogEvent(stream="stdout", text="x")]
        call = self.store.append(test.id, test.attempt, events, frame=frame)
        if self.fenced(test, test.attempt, call) and frame > test.last_frame:
            test.last_frame, test.logged = frame, test.logged + 1

    @precondition(lambda self: self.tests)
    @rule(number=which, stale=st.integers(0, 1))
    def start(self, number: int, stale: int) -> None:
        test = self.pick(number)
        attempt = test.attempt - stale
        call = self.store.start_running(test.id, attempt, environment=None)
        if self.fenced(test, attempt, call):
            test.phase = Phase.RUNNING

    @precondition(lambda self: self.tests)
    @rule(number=which, stale=st.integers(0, 1))
    def requeue(self, number: int, stale: int) -> None:
        test = self.pick(number)
        attempt = test.attempt - stale
        if self.fenced(test, attempt, self.store.requeue(test.id, attempt, reason="lost")):
            self._requeued(test)

    def _requeued(self, test: Expected) -> None:
        test.phase = Phase.QUEUED
        if test.cancel_requested:
            test.phase, test.outcome = Phase.COMPLETED, Outcome.CANCELLED

    @precondition(lambda self: any(test.held for test in self.tests))
    @rule()
    def requeue_expired(self) -> None:
        expired = self.do(self.store.expired(limit=99))
        late = [t for t in self.tests if t.held and t.lease_until and t.lease_until < self.clock()]
        assert {claim.test_id for claim in expired} == {test.id for test in late}
        for test in late:
            self.do(self.store.requeue(test.id, test.attempt, reason="expired"))
            self._requeued(test)

    @precondition(lambda self: self.tests)
    @rule(number=which, stale=st.integers(0, 1), worker=workers)
    def adopt(self, number: int, stale: int, worker: str) -> None:
        test = self.pick(number)
        attempt = test.attempt - stale
        claim = self.do(self.store.adopt(test.id, attempt, worker, lease_seconds=LEASE))
        assert (claim is not None) == (test.held and not stale)
        if claim is not None:
            assert claim.attempt == test.attempt
            test.worker, test.lease_until = worker, self._lease()

    @precondition(lambda self: self.tests)
    @rule(number=which, stale=st.integers(0, 1), outcome=st.sampled_from(Outcome))
    def complete(self, number: int, stale: int, outcome: Outcome) -> None:
        test = self.pick(number)
        attempt = test.attempt - stale
        events = [LogEvent(stream="stdout", text="last")]
        call = self.store.complete(test.id, attempt, Completion(outcome=outcome), events)
        if self.fenced(test, attempt, call):
            test.phase, test.outcome = Phase.COMPLETED, outcome
            test.logged += 1

    @precondition(lambda self: self.tests)
    @rule(number=which)
    def cancel(self, number: int) -> None:
        test = self.pick(number)
        answer = self.do(self.store.cancel(test.owner, test.id))
        if test.phase is Phase.QUEUED:
            test.phase, test.outcome = Phase.COMPLETED, Outcome.CANCELLED
        elif test.held:
            test.cancel_requested = True
        assert (answer.phase, answer.outcome) == (test.phase, test.outcome)

    @precondition(lambda self: self.tests)
    @rule(number=which)
    def delete(self, number: int) -> None:
        test = self.pick(number)
        if test.outcome is None:
            with pytest.raises(Conflict):
                self.do(self.store.delete(test.owner, test.id))
            return
        self.do(self.store.delete(test.owner, test.id))
        self.tests.remove(test)
        with pytest.raises(NotFound):
            self.do(self.store.test(test.owner, test.id))

    @rule()
    def refresh_places(self) -> None:
        self.do(self.store.refresh_places())
        assert self.do(self.store.refresh_places()) == 0
        line = [test for test in self.tests if test.phase is Phase.QUEUED]
        for position, test in enumerate(line, start=1):
            events = self.do(self.store.events(test.owner, test.id))
            last = [e.data for e in events if isinstance(e.data, QueueEvent)][-1]
            assert last.position == position

    @invariant()
    def counts_agree(self) -> None:
        if not self.tests:
            return
        state = self.do(self.store.state())
        assert state.queued == sum(test.phase is Phase.QUEUED for test in self.tests)
        assert state.running == sum(test.held for test in self.tests)
        assert sum(state.outcomes.values()) == sum(t.outcome is not None for t in self.tests)

    def teardown(self) -> None:
        try:
            for test in self.tests:
                self._compare(test)
            for owner in ("ann", "bob", "cyd"):
                page = self.do(self.store.page(owner, limit=500))
                mine = {test.id for test in self.tests if test.owner == owner}
                assert {line.id for line in page.tests} == mine
        finally:
            self.do(self.store.aclose())
            self.runner.close()

    def _compare(self, test: Expected) -> None:
        stored = self.do(self.store.test(test.owner, test.id))
        assert (stored.phase, stored.attempt, stored.outcome) == (
            test.phase,
            test.attempt,
            test.outcome,
        )
        events = self.do(self.store.events(test.owner, test.id))
        assert [event.number for event in events] == list(range(1, stored.last_event + 1))
        assert sum(isinstance(event.data, LogEvent) for event in events) == test.logged
        _check_phases(events, test)

    def _lease(self) -> datetime:
        return self.clock() + timedelta(seconds=LEASE)


def _check_phases(events: Sequence[Event], test: Expected) -> None:
    phases = [event.data for event in events if isinstance(event.data, PhaseEvent)]
    assert phases[0].phase is Phase.QUEUED
    for one, next_one in pairwise(phases):
        assert may_follow(one.phase, next_one.phase)
        assert next_one.attempt in {one.attempt, one.attempt + 1}
    outcomes = [phase.outcome for phase in phases if phase.outcome is not None]
    assert outcomes == ([] if test.outcome is None else [test.outcome])
    if test.outcome is not None:
        assert events[-1].data == phases[-1]


@pytest.mark.timeout(600)
def test_every_history_agrees_with_the_model(databases: Databases):
    class OnThisDatabase(StoreMachine):
        def new_url(self) -> str:
            return databases.migrated()

    on_file = isinstance(databases, SqliteFiles)
    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(
            max_examples=50 if on_file else 20,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
