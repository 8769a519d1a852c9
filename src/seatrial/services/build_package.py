"""Make a deployment package of a succeeded test, and read the packages that were made."""

from __future__ import annotations

import asyncio

from seatrial.domain.errors import PackageRefused
from seatrial.domain.events import Event, ModelCallEvent, NoticeEvent, PhaseEvent
from seatrial.domain.packages import PackageInfo, PackageList, Target
from seatrial.domain.phases import Phase
from seatrial.domain.ports import Store
from seatrial.domain.tests import Test
from seatrial.packages import Tested, choices, default_target, make_package, refusal

from .read_test import read_test

_PAGE = 5000


async def build_package(
    store: Store, owner: str, test_id: str, target: Target | None = None
) -> PackageInfo:
    """Make the package and keep it with the test, in place of one for the same target.

    The test itself is never changed, so that whatever fails may be tried again. NotFound;
    PackageRefused with the reason when the test has not succeeded, a secret stands in what would
    be packed, the target can't run it, or the archive would be too large.
    """
    tested = await _tested(store, await read_test(store, owner, test_id))
    chosen = target or default_target(tested)
    made = await asyncio.to_thread(make_package, tested, chosen)
    return await store.keep_package(owner, tested.test.id, made)


async def list_packages(store: Store, owner: str, test_id: str) -> PackageList:
    """What was made of the test and what could be. NotFound."""
    test = await read_test(store, owner, test_id)
    made = tuple(await store.packages(owner, test.id))
    try:
        tested = await _tested(store, test)
    except PackageRefused as error:
        return PackageList(refused=error.message, packages=made)
    return PackageList(targets=choices(tested), packages=made)


async def read_package(store: Store, owner: str, test_id: str, target: Target) -> bytes:
    """The archive that was made for the target. NotFound."""
    return await store.package(owner, (await read_test(store, owner, test_id)).id, target)


async def _tested(store: Store, test: Test) -> Tested:
    """The test with what its journal and its worker know of it. PackageRefused."""
    if reason := refusal(test):
        raise PackageRefused(reason)
    build = await store.build_of(test.owner, test.id)
    if build is None:
        raise PackageRefused(
            "What this test ran on was not kept: it is older than packages are.",
            hint=f"Run it again: seatrial tests retry {test.id}",
        )
    calls: list[ModelCallEvent] = []
    hosts: set[str] = set()
    after = 0
    while page := await store.events(test.owner, test.id, after=after, limit=_PAGE):
        after = page[-1].number
        for event in page:
            _note(event, calls, hosts)
    return Tested(test=test, build=build, calls=tuple(calls), hosts=tuple(sorted(hosts)))


def _note(event: Event, calls: list[ModelCallEvent], hosts: set[str]) -> None:
    """What the last attempt called and reached; an earlier one's is forgotten."""
    match event.data:
        case PhaseEvent(phase=Phase.BUILDING):
            calls.clear()
            hosts.clear()
        case ModelCallEvent():
            calls.append(event.data)
        case NoticeEvent(code="egress_used"):
            hosts.add(f"{event.data.data['host']}:{event.data.data['port']}")
        case _:
            pass
