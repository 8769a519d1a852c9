"""Builds and packages in the database: replaced, counted in their test's size, gone with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from tests.support.databases import OTHER, OWNER, Clock, a_request

from seatrial.domain.builds import Build
from seatrial.domain.errors import NotFound
from seatrial.domain.packages import Check, NewPackage
from seatrial.domain.phases import Outcome
from seatrial.domain.tests import Completion
from seatrial.store import SqlStore
from seatrial.store.tables import builds, packages, tests

BUILD = Build(python="3.11", architecture="x86_64", image="sha256:1", lock="six==1.17.0\n")


def a_package(content: bytes) -> NewPackage:
    return NewPackage(
        target="lambda",
        file_name="a.zip",
        sha256="00",
        files=("a", "b"),
        notes=("note",),
        content=content,
    )


async def ended(store: SqlStore) -> str:
    test = await store.submit(OWNER, a_request(), max_queued=10)
    await store.claim("w", lease_seconds=20, max_per_user=9, max_total=9, count=1)
    await store.start_running(test.id, 1, environment=None, build=BUILD)
    await store.complete(test.id, 1, Completion(outcome=Outcome.SUCCEEDED), [])
    return test.id


async def number(url: str, statement: Select[Any]) -> int:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        found = await connection.execute(statement)
        return int(found.scalar_one())


async def test_a_build_comes_back_as_it_was_and_belongs_to_its_owner(store: SqlStore) -> None:
    test_id = await ended(store)
    assert await store.build_of(OWNER, test_id) == BUILD
    with pytest.raises(NotFound):
        await store.build_of(OTHER, test_id)


async def test_the_build_is_that_of_the_last_attempt(store: SqlStore) -> None:
    test = await store.submit(OWNER, a_request(), max_queued=10)
    for attempt, python in ((1, "3.11"), (2, "3.12")):
        await store.claim("w", lease_seconds=20, max_per_user=9, max_total=9, count=1)
        build = BUILD.model_copy(update={"python": python})
        await store.start_running(test.id, attempt, environment=None, build=build)
        if attempt == 1:
            await store.requeue(test.id, 1, reason="again")
    found = await store.build_of(OWNER, test.id)
    assert found is not None
    assert found.python == "3.12"


async def test_a_package_replaces_that_of_its_target_and_counts_in_the_tests_size(
    store: SqlStore, url: str
) -> None:
    test_id = await ended(store)
    size = select(tests.c.size).where(tests.c.id == test_id)
    before = await number(url, size)
    await store.keep_package(OWNER, test_id, a_package(b"x" * 1000))
    info = await store.keep_package(OWNER, test_id, replace(a_package(b"y" * 600), sha256="11"))
    assert await store.keep_package(OWNER, test_id, replace(a_package(b""), sha256="11")) == info
    assert await store.packages(OWNER, test_id) == (info,)
    assert await store.package(OWNER, test_id, "lambda") == b"y" * 600
    assert (info.size_bytes, info.files, info.notes) == (600, ("a", "b"), ("note",))
    assert await number(url, size) == before + 600
    with pytest.raises(NotFound, match="compose"):
        await store.package(OWNER, test_id, "compose")
    for call in (store.packages(OTHER, test_id), store.package(OTHER, test_id, "lambda")):
        with pytest.raises(NotFound):
            await call


async def test_a_package_is_tried_out_once_and_again_when_its_worker_is_lost(
    store: SqlStore, clock: Clock
) -> None:
    test_id = await ended(store)
    assert await store.claim_rehearsal(lease_seconds=60) is None
    await store.keep_package(OWNER, test_id, a_package(b"x"))
    claim = await store.claim_rehearsal(lease_seconds=60)
    assert claim is not None
    assert (claim.owner, claim.test_id, claim.target, claim.content) == (
        *(OWNER, test_id, "lambda", b"x"),
    )
    [held] = await store.packages(OWNER, test_id)
    assert held.rehearsal.state == "running"
    assert await store.claim_rehearsal(lease_seconds=60) is None
    clock.forward(50)
    await store.hold_rehearsal(claim, lease_seconds=60)
    clock.forward(50)
    assert await store.claim_rehearsal(lease_seconds=60) is None
    clock.forward(11)
    assert await store.claim_rehearsal(lease_seconds=60) == claim
    checks = [Check(name="a", result="passed"), Check(name="b", result="skipped", detail="why")]
    await store.rehearsed(claim, checks)
    [told] = await store.packages(OWNER, test_id)
    assert (told.rehearsal.state, list(told.rehearsal.checks)) == ("passed", checks)
    clock.forward(61)
    assert await store.claim_rehearsal(lease_seconds=60) is None


async def test_what_came_out_of_a_package_that_was_made_anew_is_dropped(store: SqlStore) -> None:
    test_id = await ended(store)
    await store.keep_package(OWNER, test_id, a_package(b"x"))
    claim = await store.claim_rehearsal(lease_seconds=60)
    assert claim is not None
    await store.keep_package(OWNER, test_id, replace(a_package(b"y"), sha256="11"))
    await store.rehearsed(claim, [Check(name="a", result="failed")])
    [info] = await store.packages(OWNER, test_id)
    assert info.rehearsal.state == "waiting"
    await store.delete(OWNER, test_id)
    await store.rehearsed(claim, [])


async def test_both_are_gone_with_their_test(store: SqlStore, url: str) -> None:
    test_id = await ended(store)
    await store.keep_package(OWNER, test_id, a_package(b"x"))
    await store.delete(OWNER, test_id)
    for table in (builds, packages):
        assert await number(url, select(func.count()).select_from(table)) == 0
