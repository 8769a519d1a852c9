"""Processes that stop inside a write transaction of the store, each in another kind of one.

As a program (`python -m tests.support.frozen_store STATE KIND=URL…`) it starts one process per
kind. Each does what its kind does, stops itself before the commit (SIGSTOP), and when it is
continued reports how that ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from seatrial.domain.builds import Build
from seatrial.domain.credentials import GatewayKey, SealedCredential
from seatrial.domain.errors import SeatrialError
from seatrial.domain.events import LogEvent
from seatrial.domain.packages import NewPackage, RehearsalClaim
from seatrial.domain.phases import Outcome
from seatrial.domain.recordings import RecordedUpstream, RecordingSetup
from seatrial.domain.tests import Completion
from seatrial.domain.webhooks import Delivery
from seatrial.store import SqlStore, database, open_store

from .databases import OWNER, a_request
from .stopping import end_with_parent

WORKER = "frozen"
LATE = "written late"
"""The text of everything that a stopped process writes, and that must not come in late."""

_AT_ONE_TIME = 6
"""More would wait for each other's share of the machine, and not for locks."""

_HOOK = "https://back.end/hook"
_KEY = GatewayKey("key", bytes(32))
_SETUP = RecordingSetup(
    model="ollama:x", upstreams=(RecordedUpstream(provider="ollama", models=("x",)),)
)
_BUILD = Build(python="3.11", architecture="x86_64", image="sha256:1", lock="")


@dataclass(frozen=True)
class State:
    """What the database of every kind holds at first."""

    queued: str
    """A test that waits."""

    running: str
    """A test in its first attempt, held by `WORKER`, with a recording."""

    ended: str
    """A test that has ended, with a package and a webhook that is due."""

    user: str


async def prepare(store: SqlStore) -> State:
    """Make that state in an empty database."""
    user = await store.ensure_user("known")
    await store.add_token(user.id, "hash", "label")
    await store.set_gateway_key(_KEY, instead_of=None)
    await store.put_credential(_CREDENTIAL)
    told = a_request().model_copy(update={"webhook": _HOOK})
    ended = await store.submit(OWNER, told, max_queued=99)
    await _claim(store)
    await store.complete(ended.id, 1, Completion(outcome=Outcome.SUCCEEDED), [])
    await store.keep_package(OWNER, ended.id, _PACKAGE)
    running = await store.submit(OWNER, a_request(), max_queued=99)
    await _claim(store)
    await store.start_recording(running.id, 1, _SETUP)
    queued = await store.submit(OWNER, a_request(), max_queued=99)
    return State(queued=queued.id, running=running.id, ended=ended.id, user=user.id)


async def _claim(store: SqlStore) -> object:
    return await store.claim(WORKER, lease_seconds=20, max_per_user=0, max_total=0, count=1)


_CREDENTIAL = SealedCredential("ann", "work", "openai", "key", "box")
_PACKAGE = NewPackage(
    target="lambda", file_name="a.zip", sha256="00", files=("a",), notes=(), content=b"x"
)
_LATE_EVENTS = [LogEvent(stream="stdout", text=LATE)]
_DONE = Completion(outcome=Outcome.SUCCEEDED)


def _rehearsal(state: State) -> RehearsalClaim:
    return RehearsalClaim(OWNER, state.ended, "lambda", "00", b"x")


def _delivery(state: State) -> Delivery:
    return Delivery(state.ended, OWNER, _HOOK, 0)


Call = Callable[[SqlStore, State], Awaitable[object]]

KINDS: dict[str, Call] = {
    "SqlTests.submit": lambda store, _: store.submit(
        OWNER, a_request(name=LATE), idempotency_key="once", max_queued=99
    ),
    "SqlTests.cancel": lambda store, at: store.cancel(OWNER, at.queued),
    "SqlHistory.delete": lambda store, at: store.delete(OWNER, at.ended),
    "SqlHistory._remove_batch": lambda store, _: store.clear(OWNER),
    "SqlUsers.ensure_user": lambda store, _: store.ensure_user("new"),
    "SqlUsers.add_token": lambda store, at: store.add_token(at.user, "other", "label"),
    "SqlUsers.remove_token": lambda store, at: store.remove_token(at.user, "label"),
    "SqlUsers._note_use": lambda store, _: store.user_of_token("hash"),
    "SqlCredentials.put_credential": lambda store, _: store.put_credential(_CREDENTIAL),
    "SqlCredentials.delete_credential": lambda store, _: store.delete_credential("ann", "work"),
    "SqlCredentials.replace_sealed": lambda store, _: store.replace_sealed(
        _CREDENTIAL, "key", "box 2"
    ),
    "SqlCredentials.set_gateway_key": lambda store, _: store.set_gateway_key(
        replace(_KEY, id="next"), instead_of="key"
    ),
    "SqlQueue.claim": lambda store, _: _claim(store),
    "SqlQueue.renew": lambda store, at: store.renew(
        WORKER, [(at.running, 1)], lease_seconds=20, slots=1
    ),
    "SqlQueue.append": lambda store, at: store.append(at.running, 1, _LATE_EVENTS, after=2),
    "SqlQueue.start_running": lambda store, at: store.start_running(
        at.running, 1, environment=None, build=_BUILD
    ),
    "SqlQueue.complete": lambda store, at: store.complete(at.running, 1, _DONE, _LATE_EVENTS),
    "SqlQueue.requeue": lambda store, at: store.requeue(at.running, 1, reason=LATE),
    "SqlQueue.adopt": lambda store, at: store.adopt(at.running, 1, WORKER, lease_seconds=20),
    "SqlQueue.refresh_places": lambda store, _: store.refresh_places(),
    "SqlRecordings.start_recording": lambda store, at: store.start_recording(at.running, 1, _SETUP),
    "SqlRecordings.continue_recording": lambda store, at: store.continue_recording(
        at.running, 1, LATE
    ),
    "SqlRecordings.add_recorded": lambda store, at: store.add_recorded(
        at.running, 1, [], problem=LATE
    ),
    "SqlWebhooks.due_webhooks": lambda store, _: store.due_webhooks(limit=9, hold_seconds=1),
    "SqlWebhooks.webhook_delivered": lambda store, at: store.webhook_delivered(
        _delivery(at), status=200
    ),
    "SqlWebhooks.webhook_failed": lambda store, at: store.webhook_failed(
        _delivery(at), LATE, again_in=None
    ),
    "SqlPackages.keep_package": lambda store, at: store.keep_package(
        OWNER, at.ended, replace(_PACKAGE, sha256="01")
    ),
    "SqlPackages.claim_rehearsal": lambda store, _: store.claim_rehearsal(lease_seconds=9),
    "SqlPackages.hold_rehearsal": lambda store, at: store.hold_rehearsal(
        _rehearsal(at), lease_seconds=9
    ),
    "SqlPackages.rehearsed": lambda store, at: store.rehearsed(_rehearsal(at), []),
}
"""One call for each method that has a write transaction, by its class and name."""


def _stop_once(name: str) -> None:
    """Have the next transaction of this process stop it before the commit."""
    real: Callable[..., AbstractAsyncContextManager[None]] = database._changing  # pyright: ignore
    left = [name]

    @asynccontextmanager
    async def stopping(*arguments: Any) -> AsyncGenerator[None]:
        async with real(*arguments):
            yield
            if left:
                _say(stopped=left.pop(), pid=os.getpid())
                os.kill(os.getpid(), signal.SIGSTOP)

    database._changing = stopping  # pyright: ignore


def _say(**what: object) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


async def _do(name: str, url: str, state: State) -> None:
    store = open_store(url)
    try:
        await KINDS[name](store, state)
        _say(ended=name, how="done")
    except SeatrialError as error:
        _say(ended=name, how=type(error).__name__)
    finally:
        await store.aclose()


def main() -> None:
    """One process per kind, a few at one time, which end with this one."""
    end_with_parent()
    state = State(**json.loads(sys.argv[1]))
    running = 0
    for argument in sys.argv[2:]:
        if running == _AT_ONE_TIME:
            os.wait()
            running -= 1
        name, _, url = argument.partition("=")
        if os.fork() == 0:
            end_with_parent()
            _stop_once(name)
            asyncio.run(_do(name, url, state))
            os._exit(0)
        running += 1
    while running:
        os.wait()
        running -= 1


def arguments(state: State, urls: dict[str, str]) -> list[str]:
    """The command that starts them."""
    pairs = [f"{name}={url}" for name, url in urls.items()]
    return [sys.executable, "-m", "tests.support.frozen_store", json.dumps(asdict(state)), *pairs]


if __name__ == "__main__":
    main()
