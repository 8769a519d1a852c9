"""Packages and builds of tests: kept, read, and counted in the size of their test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from seatrial.domain.builds import Build, unpacked
from seatrial.domain.errors import NotFound
from seatrial.domain.packages import NewPackage, PackageInfo, Target

from .database import Writing
from .part import Part, seq_of
from .tables import builds, packages, tests

_SHOWN = (
    packages.c.target,
    packages.c.file_name,
    packages.c.sha256,
    packages.c.facts,
    packages.c.size,
    packages.c.made_at,
)


class SqlPackages(Part):
    """Fulfils the port `Packages`."""

    async def build_of(self, owner: str, test_id: str) -> Build | None:
        """What the test's last attempt ran on; None for tests that never ran."""
        async with self._database.reading() as reading:
            seq = await seq_of(reading, owner, test_id)
            row = await reading.row(select(builds.c.data).where(builds.c.test_seq == seq))
        return None if row is None else unpacked(row.data)

    async def keep_package(self, owner: str, test_id: str, package: NewPackage) -> PackageInfo:
        """Keep it, in place of an earlier one for the same target."""
        facts = {"files": package.files, "notes": package.notes}
        async with self._database.writing() as writing:
            seq = await seq_of(writing, owner, test_id)
            same = (packages.c.test_seq == seq, packages.c.target == package.target)
            old = await writing.row(select(packages.c.size).where(*same))
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
            }
            await writing.execute(insert(packages), row)
            await _grow(writing, seq, len(package.content) - (old.size if old else 0))
            kept = await writing.row(select(*_SHOWN).where(*same))
        assert kept is not None  # just written
        return _info(test_id, kept)

    async def packages(self, owner: str, test_id: str) -> Sequence[PackageInfo]:
        """The packages that were made of the test, by target."""
        async with self._database.reading() as reading:
            seq = await seq_of(reading, owner, test_id)
            rows = await reading.rows(
                select(*_SHOWN).where(packages.c.test_seq == seq).order_by(packages.c.target)
            )
        return tuple(_info(test_id, row) for row in rows)

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


async def keep_build(writing: Writing, seq: int, data: bytes) -> None:
    """Keep what the attempt that holds the test runs on, in place of an earlier one's."""
    old = await writing.row(select(builds.c.data).where(builds.c.test_seq == seq))
    await writing.execute(delete(builds).where(builds.c.test_seq == seq), {})
    await writing.execute(insert(builds), {"test_seq": seq, "data": data})
    await _grow(writing, seq, len(data) - (len(old.data) if old else 0))


async def _grow(writing: Writing, seq: int, more: int) -> None:
    grown = update(tests).where(tests.c.seq == seq).values(size=tests.c.size + more)
    await writing.execute(grown, {})


def _info(test_id: str, row: Row[Any]) -> PackageInfo:
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
    )
