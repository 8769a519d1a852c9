"""Packages and builds of tests: kept, read, and counted in the size of their test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Row,
    Select,
    Update,
    delete,
    func,
    insert,
    or_,
    select,
    type_coerce,
    update,
)

from seatrial.domain.builds import Build, unpacked
from seatrial.domain.errors import NotFound
from seatrial.domain.packages import (
    Check,
    NewPackage,
    PackageInfo,
    Rehearsal,
    RehearsalClaim,
    Target,
)

from .database import Lock, Writing
from .part import Part, repeated, seq_of
from .tables import UNTRIED, builds, packages, tests

_SHOWN = (
    packages.c.target,
    packages.c.file_name,
    packages.c.sha256,
    packages.c.facts,
    packages.c.size,
    packages.c.made_at,
    packages.c.checks,
    packages.c.rehearse_until,
)


class SqlPackages(Part):
    """Fulfils the port `Packages`."""

    async def build_of(self, owner: str, test_id: str) -> Build | None:
        """What the test's last attempt ran on; None for tests that never ran."""
        async with self._database.reading() as reading:
            seq = await seq_of(reading, owner, test_id)
            row = await reading.row(select(builds.c.data).where(builds.c.test_seq == seq))
        return None if row is None else unpacked(row.data)

    @repeated
    async def keep_package(self, owner: str, test_id: str, package: NewPackage) -> PackageInfo:
        """Keep it, in place of an earlier one for the same target; the same one is not written."""
        facts = {"files": package.files, "notes": package.notes}
        async with self._database.writing() as writing:
            seq = await seq_of(writing, owner, test_id)
            same = (packages.c.test_seq == seq, packages.c.target == package.target)
            old = await writing.row(select(*_SHOWN).where(*same))
            if old is not None and old.sha256 == package.sha256:
                return _info(test_id, old, writing.now)  # with what came out of trying it out
            await writing.execute(delete(packages).where(*same), {})
            row = {
                "test_seq": seq,
                "target": package.target,
                "file_name": package.file_name,
                "sha256": package.sha256,
                "facts": json.dumps(facts),
                "size": len(package.content),
                "made_at": writing.now,
                "content": package.content,
                # Making it again gives its owner no earlier turn.
                "rehearse_until": _past_turn(old, writing.now),
            }
            await writing.execute(insert(packages), row)
            await _grow(writing, seq, len(package.content) - (old.size if old else 0))
            kept = await writing.row(select(*_SHOWN).where(*same))
            writing.queue_changed()  # workers look for what to try out
        assert kept is not None  # just written
        return _info(test_id, kept, writing.now)

    async def packages(self, owner: str, test_id: str) -> Sequence[PackageInfo]:
        """The packages that were made of the test, by target."""
        async with self._database.reading() as reading:
            seq = await seq_of(reading, owner, test_id)
            rows = await reading.rows(
                select(*_SHOWN).where(packages.c.test_seq == seq).order_by(packages.c.target)
            )
            now = reading.now
        return tuple(_info(test_id, row, now) for row in rows)

    async def package(self, owner: str, test_id: str, target: Target) -> bytes:
        """The archive. NotFound when it was not made."""
        async with self._database.reading() as reading:
            seq = await seq_of(reading, owner, test_id)
            row = await reading.row(
                select(packages.c.content).where(
                    packages.c.test_seq == seq, packages.c.target == target
                )
            )
        if row is None:
            raise NotFound(
                f"No package for {target} was made of this test.",
                hint=f"Make it: seatrial package {test_id} --target {target}",
            )
        return bytes(row.content)

    @repeated
    async def claim_rehearsal(self, *, lease_seconds: float) -> RehearsalClaim | None:
        """A package that nobody tried out or does now; None when there is none."""
        # Workers ask often, and there is hardly ever one: looking takes no turn of a writer.
        async with self._database.reading() as reading:
            if await reading.row(_to_rehearse(reading.now)) is None:
                return None
        async with self._database.writing(lock=Lock.CLAIM, durable=False) as writing:
            row = await writing.row(_to_rehearse(writing.now))
            if row is None:
                return None
            until = writing.now + timedelta(seconds=lease_seconds)
            taken = update(packages).where(
                packages.c.test_seq == row.test_seq, packages.c.target == row.target
            )
            await writing.execute(taken.values(rehearse_until=until), {})
        return RehearsalClaim(row.owner, row.id, row.target, row.sha256, bytes(row.content))

    @repeated
    async def hold_rehearsal(self, claim: RehearsalClaim, *, lease_seconds: float) -> None:
        """Keep others from it for so long from now. Does nothing when the package is gone."""
        async with self._database.writing(durable=False) as writing:
            until = writing.now + timedelta(seconds=lease_seconds)
            await writing.execute(_claimed(claim).values(rehearse_until=until), {})

    @repeated
    async def rehearsed(self, claim: RehearsalClaim, checks: Sequence[Check]) -> None:
        """Keep what came out, unless the package was made anew meanwhile or is gone."""
        told = json.dumps([check.model_dump() for check in checks])
        async with self._database.writing(durable=False) as writing:
            await writing.execute(_claimed(claim).values(checks=told), {})


def _past_turn(old: Row[Any] | None, now: datetime) -> datetime | None:
    """When the package that is replaced was verified last; nothing that holds the new one."""
    turn = None if old is None else old.rehearse_until
    return None if turn is None else min(turn, now)


def _claimed(claim: RehearsalClaim) -> Update:
    """An update of the package that was claimed; of none when it was made anew or is gone."""
    seq = select(tests.c.seq).where(tests.c.id == claim.test_id).scalar_subquery()
    return update(packages).where(
        packages.c.test_seq == seq,
        packages.c.target == claim.target,
        packages.c.sha256 == claim.sha256,
    )


def _to_rehearse(now: datetime) -> Select[Any]:
    """The oldest unverified package of the owner whose turn was longest ago."""
    free = or_(packages.c.rehearse_until.is_(None), packages.c.rehearse_until <= now)
    others, others_tests = packages.alias(), tests.alias()
    # A lease stays written when its package was verified.
    turn = (
        select(func.coalesce(func.max(type_coerce(others.c.rehearse_until, BigInteger)), 0))
        .join(others_tests, others_tests.c.seq == others.c.test_seq)
        .where(others_tests.c.owner == tests.c.owner)
        .correlate(tests)
        .scalar_subquery()
    )
    return (
        select(packages, tests.c.id, tests.c.owner)
        .join(tests, tests.c.seq == packages.c.test_seq)
        .where(UNTRIED, free)
        .order_by(turn, packages.c.made_at)
        .limit(1)
    )


async def keep_build(writing: Writing, seq: int, data: bytes) -> None:
    """Keep what the attempt that holds the test runs on, in place of an earlier one's."""
    old = await writing.row(select(builds.c.data).where(builds.c.test_seq == seq))
    await writing.execute(delete(builds).where(builds.c.test_seq == seq), {})
    await writing.execute(insert(builds), {"test_seq": seq, "data": data})
    await _grow(writing, seq, len(data) - (len(old.data) if old else 0))


async def _grow(writing: Writing, seq: int, more: int) -> None:
    grown = update(tests).where(tests.c.seq == seq).values(size=tests.c.size + more)
    await writing.execute(grown, {})


def _info(test_id: str, row: Row[Any], now: datetime) -> PackageInfo:
    facts = json.loads(row.facts)
    return PackageInfo(
        target=row.target,
        file_name=row.file_name,
        size_bytes=row.size,
        sha256=row.sha256,
        files=tuple(facts["files"]),
        notes=tuple(facts["notes"]),
        made_at=row.made_at,
        download=f"/api/v1/tests/{test_id}/packages/{row.target}.zip",
        rehearsal=_rehearsal(row, now),
    )


def _rehearsal(row: Row[Any], now: datetime) -> Rehearsal:
    if row.checks is None:
        held = row.rehearse_until is not None and row.rehearse_until > now
        return Rehearsal(state="running" if held else "waiting")
    checks = tuple(Check.model_validate(one) for one in json.loads(row.checks))
    results = {check.result for check in checks}
    if "failed" in results:
        return Rehearsal(state="failed", checks=checks)
    return Rehearsal(state="passed" if "passed" in results else "skipped", checks=checks)
