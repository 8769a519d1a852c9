"""The statements that matter, by name. The same for both databases.

`FOR UPDATE` and `SKIP LOCKED` are left out by SQLite, where a writer is alone anyway. The
conditions of partial indexes are written out (`tables.QUEUED`, `HELD`, `ENDED`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Executable,
    Select,
    Text,
    Tuple,
    Update,
    bindparam,
    column,
    delete,
    func,
    literal,
    select,
    text,
    tuple_,
    update,
    values,
)

from seatrial.domain.requests import DEFAULT_MODEL

from .tables import (
    ENDED,
    HELD,
    PROMISED,
    QUEUED,
    UtcTime,
    bodies,
    events,
    idempotency,
    tests,
    users,
    webhook_columns,
    webhooks,
    workers,
)

LOCK = text(
    "SELECT set_config('statement_timeout', :statement, true), pg_advisory_xact_lock(:lock)"
)
"""PostgreSQL: be the only one of a kind until the transaction ends. Later statements of it may
take so many milliseconds."""

LIMIT = text("SELECT set_config(:name, :value, true)")
"""PostgreSQL: change one setting until the transaction ends."""

TEST = (
    select(tests, bodies, *webhook_columns())
    .join(bodies)
    .outerjoin(webhooks, webhooks.c.test_seq == tests.c.seq)
    .where(tests.c.id == bindparam("id"))
)
"""A test with everything it has."""

OWNED_TEST = TEST.where(tests.c.owner == bindparam("owner"))
"""A test with everything it has, for its owner only."""

OWNED_SEQ = select(tests.c.seq).where(
    tests.c.id == bindparam("id"), tests.c.owner == bindparam("owner")
)
"""Whether that test is that owner's."""

TEST_FOR_CHANGE = (
    select(tests.c.seq, tests.c.phase, tests.c.outcome, tests.c.attempt)
    .where(tests.c.id == bindparam("id"), tests.c.owner == bindparam("owner"))
    .with_for_update()
)
"""The state of an owner's test, which stays as it is until the transaction ends."""

EVENTS = (
    select(events.c.number, events.c.at, events.c.data)
    .where(events.c.test_seq == bindparam("seq"), events.c.number > bindparam("after"))
    .order_by(events.c.number)
    .limit(bindparam("limit"))
)
"""A stretch of a journal."""

FENCE = (
    (tests.c.id == bindparam("fenced_id")) & (tests.c.attempt == bindparam("fenced_attempt")) & HELD
)
"""The attempt still holds its test: no newer one, not given back, no outcome."""

ATTEMPT = select(tests.c.seq, tests.c.last_event, tests.c.last_frame, tests.c.phase).where(FENCE)
"""The state of an attempt that still holds its test."""

ATTEMPT_FOR_CHANGE = select(tests.c.seq, tests.c.cancel_requested).where(FENCE).with_for_update()
"""The same, kept as it is until the transaction ends."""


def advance(lines: Sequence[str], **changes: Any) -> Update:
    """Make room for journal lines and change the row; no row when the fence is closed.

    The row stays locked until the transaction ends, so the numbers it gives have no gap.
    """
    return _with_room(lines, **changes).where(FENCE)


def advance_to_frame(lines: Sequence[str], frame: int) -> Update:
    """The same, unless the journal holds that harness frame already."""
    return advance(lines, last_frame=frame).where(tests.c.last_frame < frame)


def after_event(room: Update, number: int) -> Update:
    """The same, unless the journal ends with another number."""
    return room.where(tests.c.last_event == number)


def advance_of(seq: int, lines: Sequence[str], **changes: Any) -> Update:
    """The same for a test that no attempt holds; its row must be locked already."""
    return _with_room(lines, **changes).where(tests.c.seq == seq)


def _with_room(lines: Sequence[str], **changes: Any) -> Update:
    counted = {
        "last_event": tests.c.last_event + len(lines),
        "size": tests.c.size + sum(map(len, lines)),
    }
    return update(tests).values(**counted, **changes).returning(tests.c.seq, tests.c.last_event)


# --------------------------------------------------------------------------- the queue

RUNNING_BY_OWNER = (
    select(tests.c.owner, func.count().label("running")).where(HELD).group_by(tests.c.owner)
)
"""How many tests of each user hold a slot."""

RUNNING = select(tests.c.owner, tests.c.likeness, tests.c.claimed_at).where(HELD)
"""What holds a slot, and since when."""

LINE = (
    select(tests.c.owner, tests.c.likeness)
    .where(QUEUED)
    .order_by(tests.c.seq)
    .limit(bindparam("limit"))
)
"""Who waits, in order."""

QUEUED_COUNT = select(func.count()).select_from(tests).where(QUEUED)
"""How many tests wait."""

QUEUED_OF = QUEUED_COUNT.where(tests.c.owner == bindparam("owner"))
"""How many tests of one user wait."""

SEVERAL_USERS = select(func.count() > 1).select_from(select(users.c.id).limit(2).subquery())
"""Whether there is a second user."""


def of(counted: Select[*tuple[Any, ...]], owner: str | None) -> Select[*tuple[Any, ...]]:
    """The same of one user's tests alone; None changes nothing."""
    return counted if owner is None else counted.where(tests.c.owner == owner)


HELD_COUNT = select(func.count()).select_from(tests).where(HELD)
"""How many tests hold a slot."""

POSITION = (
    select(func.count())
    .select_from(tests)
    .where(QUEUED, tests.c.seq <= bindparam("seq", type_=BigInteger))
)
"""A queued test's place: 1 is next."""

QUEUE_HEAD = (
    select(
        tests.c.seq,
        tests.c.id,
        tests.c.owner,
        tests.c.likeness,
        tests.c.place,
        tests.c.place_reason,
        tests.c.place_high_ms,
        tests.c.last_event,
    )
    .where(QUEUED)
    .order_by(tests.c.seq)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
"""The next tests in line, which stay there until the transaction ends. One that is being changed
right now (cancelled) is about to leave it: it is passed over, not waited for."""

OUTCOMES = select(tests.c.outcome, func.count().label("many")).where(ENDED).group_by("outcome")
"""How the tests that are kept ended."""

LIVE_WORKERS = select(
    func.count().label("workers"),
    func.coalesce(func.sum(workers.c.slots), 0).label("slots"),
    func.max(workers.c.max_per_user).label("max_per_user"),
    func.max(workers.c.max_total).label("max_total"),
    func.max(workers.c.trouble).label("trouble"),
).where(workers.c.fresh_until > bindparam("now", type_=UtcTime))
"""What workers with a fresh heartbeat offer."""

WORKERS = (
    select(workers.c.engine, workers.c.slots, workers.c.trouble)
    .where(workers.c.fresh_until > bindparam("now", type_=UtcTime))
    .order_by(workers.c.name)
    .limit(bindparam("limit"))
)
"""They one by one."""

RECENT_DURATIONS = (
    select(tests.c.likeness, tests.c.claimed_at, tests.c.completed_at)
    .where(ENDED, tests.c.claimed_at.is_not(None))
    .order_by(tests.c.completed_at.desc())
    .limit(bindparam("limit"))
)
"""When the latest tests took and left their slot."""

PROMISES = (
    select(
        tests.c.created_at,
        tests.c.started_at,
        tests.c.promised_low_ms,
        tests.c.promised_high_ms,
    )
    .where(PROMISED)
    .order_by(tests.c.seq.desc())
    .limit(bindparam("limit"))
)
"""What the latest tests that had to wait were told, and how long they did."""

EXPIRED = (
    select(tests, bodies.c.request)
    .join(bodies)
    .where(HELD, tests.c.lease_until < bindparam("now", type_=UtcTime))
    .order_by(tests.c.lease_until)
    .limit(bindparam("limit"))
)
"""Attempts whose lease has run out, longest ago first."""

HELD_BY = (
    select(tests, bodies.c.request).join(bodies).where(HELD, tests.c.worker == bindparam("worker"))
)
"""What a worker holds by the table, in no order: SQLite would walk all tests to give one."""

HEARTBEAT = text(
    """
    INSERT INTO workers
        (name, slots, seen_at, fresh_until, max_per_user, max_total, trouble, engine)
    VALUES
        (:name, coalesce(:slots, 0), :seen_at, :fresh_until, :max_per_user, :max_total,
         coalesce(:trouble, ''), coalesce(:engine, ''))
    ON CONFLICT (name) DO UPDATE SET
        slots = coalesce(:slots, workers.slots),
        seen_at = :seen_at,
        fresh_until = :fresh_until,
        max_per_user = coalesce(:max_per_user, workers.max_per_user),
        max_total = coalesce(:max_total, workers.max_total),
        trouble = coalesce(:trouble, workers.trouble),
        engine = coalesce(:engine, workers.engine)
    """
).bindparams(*(bindparam(each.name, type_=each.type) for each in workers.columns))
"""A worker was heard of. What it did not say this time (NULL) stays as it was."""

MOVE = (
    update(tests)
    .where(tests.c.seq == bindparam("moved_seq"))
    .values(
        place=bindparam("new_place"),
        place_reason=bindparam("new_reason"),
        place_high_ms=bindparam("new_high_ms"),
        last_event=tests.c.last_event + 1,
    )
)
"""Note the place that a queued test's new event tells of."""


def next_in_line(after: int, skipped: Collection[str], limit: int) -> Executable:
    """Queued tests behind `after` in order of submission, without some users' tests.

    A row that is being changed right now (cancelled) is passed over, not waited for.
    """
    line = select(tests.c.seq, tests.c.owner).where(QUEUED, tests.c.seq > after)
    if skipped:
        line = line.where(tests.c.owner.not_in(skipped))
    return line.order_by(tests.c.seq).limit(limit).with_for_update(skip_locked=True)


def take(seqs: Sequence[int], worker: str, now: datetime, lease_until: datetime) -> Update:
    """Give queued tests to a worker under their next attempt number."""
    return (
        update(tests)
        .where(tests.c.seq.in_(seqs))
        .values(
            phase="building",
            attempt=tests.c.attempt + 1,
            worker=worker,
            lease_until=lease_until,
            claimed_at=now,
            started_at=func.coalesce(tests.c.started_at, literal(now, UtcTime())),
            last_frame=0,
            place=None,
            place_reason=None,
            place_high_ms=None,
            last_event=tests.c.last_event + 1,
        )
        .returning(tests.c.seq, tests.c.id, tests.c.attempt, tests.c.last_event)
    )


def claimed(seqs: Sequence[int]) -> Executable:
    """What a worker needs of the tests it took, in order of submission."""
    return (
        select(tests, bodies.c.request)
        .join(bodies)
        .where(tests.c.seq.in_(seqs))
        .order_by(tests.c.seq)
    )


def extend(worker: str, held: Sequence[tuple[str, int]], lease_until: datetime) -> Update:
    """Extend the leases of those attempts that the worker still holds."""
    return (
        update(tests)
        .where(HELD, tests.c.worker == worker, tuple_(tests.c.id, tests.c.attempt).in_(held))
        .values(lease_until=lease_until)
        .returning(tests.c.id, tests.c.attempt, tests.c.cancel_requested)
    )


# --------------------------------------------------------------------------- the history


def history_page(
    owner: str,
    *,
    before: tuple[datetime, str] | None,
    outcome: str | None,
    model: str | None,
    needle: str,
    limit: int,
) -> Executable:
    """An owner's tests, newest first, behind `before`."""
    found = select(tests.c.id).where(tests.c.owner == owner)
    if outcome is not None:
        found = found.where(tests.c.outcome == outcome)
    if model is not None:
        # Plain equality (IS NULL for None): PostgreSQL serves nothing else from the index.
        found = found.where(tests.c.main_model == (None if model == DEFAULT_MODEL else model))
    if needle:
        found = found.where(tests.c.search.contains(needle, autoescape=True))
    if before is not None:
        found = found.where(tuple_(tests.c.created_at, tests.c.id) < _moment(*before))
    newest_first = (tests.c.created_at.desc(), tests.c.id.desc())
    # In two steps: the first reads an index alone, the second the rows of one page.
    found = found.order_by(*newest_first).limit(limit)
    return select(tests).where(tests.c.id.in_(found)).order_by(*newest_first)


def _moment(created_at: datetime, test_id: str) -> Tuple:
    return tuple_(literal(created_at, UtcTime()), literal(test_id, Text()))


def ended_tests(
    *,
    owner: str | None = None,
    created_before: datetime | None = None,
    completed_before: datetime | None = None,
    limit: int,
) -> Executable:
    """Completed tests that may be removed, locked; those that another remover has are left out."""
    found = select(tests.c.seq, tests.c.id).where(ENDED)
    if owner is not None:
        found = found.where(tests.c.owner == owner)
    if created_before is not None:
        found = found.where(tests.c.created_at < created_before)
    if completed_before is not None:
        found = found.where(tests.c.completed_at < completed_before)
    return found.limit(limit).with_for_update(skip_locked=True)


SIZES = select(func.sum(tests.c.size)).where(ENDED).group_by(tests.c.owner)
"""How many bytes the completed tests of each user take."""


def beyond_size(characters: int, limit: int) -> Executable:
    """The oldest completed tests that do not fit beside their owner's newer ones, locked."""
    newest_first = (tests.c.completed_at.desc(), tests.c.seq.desc())
    newer = func.sum(tests.c.size).over(partition_by=tests.c.owner, order_by=newest_first)
    total = newer.label("total")
    summed = select(tests.c.seq, total).where(ENDED).subquery()
    too_much = select(summed.c.seq).where(summed.c.total > characters)
    return (
        select(tests.c.seq, tests.c.id, tests.c.completed_at)
        .where(ENDED, tests.c.seq.in_(too_much))
        .order_by(tests.c.completed_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


REMOVE_TESTS = delete(tests).where(tests.c.seq.in_(bindparam("seqs", expanding=True)))
"""Remove tests; their bodies, journals and keys go with them."""


# --------------------------------------------------------------------------- keys

KNOWN_KEY = (
    select(idempotency.c.request_hash, tests.c.id)
    .join(tests)
    .where(idempotency.c.owner == bindparam("owner"), idempotency.c.key_hash == bindparam("key"))
)
"""What an idempotency key was used for."""

FORGET_KEYS = delete(idempotency).where(
    idempotency.c.created_at < bindparam("cutoff", type_=UtcTime)
)
"""Forget the keys whose time is over."""


def notify(messages: Sequence[tuple[str, str]]) -> Executable:
    """PostgreSQL: tell every listening process, when the transaction commits."""
    rows = values(column("channel", Text), column("payload", Text), name="messages").data(
        list(messages)
    )
    return select(func.pg_notify(rows.c.channel, rows.c.payload))
