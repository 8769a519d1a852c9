"""Takes the HTTP requests of one door: admits or refuses them, forwards, and notes each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aiohttp import web

from seatrial.domain.ports import DoorSpec, Upstream

from . import admission, blame, sigv4
from .admission import Body, Refusal
from .bodies import Turns
from .egress import plain_http_refused
from .exchange import Call, CallRecord, own_answer
from .intake import Intake
from .journal import DoorJournal
from .providers.base import Operation, Provider
from .providers.registry import split_prefix
from .reach.judge import Judge
from .reach.policy import ReachPolicy, Sent
from .relay import Relay, off_loop
from .replay.player import Player
from .replay.tape import Reel, Tape
from .scrub import KnownSecrets
from .sessions import Sessions
from .watch import Refused, Watch

_PAUSE = "the provider had asked for a pause."


class Calls:
    """The request handler of one door."""

    def __init__(
        self,
        spec: DoorSpec,
        sessions: Sessions,
        journal: DoorJournal,
        watch: Watch,
        known: KnownSecrets,
        turns: Turns,
    ) -> None:
        """`known` are the secrets that no answer may hold; in `turns` bodies are read."""
        self._spec = spec
        self._sessions = sessions
        self._journal = journal
        self._watch = watch
        self._slots = asyncio.Semaphore(spec.limits.calls_at_once)
        self._known = known
        self._intake = Intake(turns)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = False
        self._reach = ReachPolicy(spec, journal)
        self._player = Player(spec.replay, journal, known) if spec.replay is not None else None
        self._reel = Reel(spec.recorder, known) if spec.recorder is not None else None

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request. Cancelled when the agent closes its side."""
        if request.method == "CONNECT" or not request.raw_path.startswith("/"):
            return self._not_here(request)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            async with self._slots:
                return await self._noted(request)
        finally:
            self._tasks.discard(task)

    async def close(self) -> None:
        """Cancel what runs and return when all of it is noted."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(tuple(self._tasks))
        if self._player is not None:
            self._player.end()

    def forget(self) -> None:
        """Hold no upstream and no key any more: further calls are refused."""
        self._spec = replace(self._spec, upstreams=())

    async def _noted(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        provider, path = split_prefix(path)
        record = CallRecord(provider.name)
        try:
            return await self._answer(request, provider, path, query, record)
        except asyncio.CancelledError:
            whose = "The door was closed" if self._closing else "The agent closed the connection"
            record.message = f"{whose} before the answer ended."
            record.unfinished = True
            if record.pausing:
                record.blame(blame.RATE_LIMITED, f"{whose} while the call waited: {_PAUSE}")
            raise
        finally:
            if not record.sent_bytes:
                self._watch.budget.add_refused(request.content.total_bytes)
            if record.counted or record.error:
                self._journal.add_call(record.event())

    async def _answer(
        self,
        request: web.BaseRequest,
        provider: Provider,
        path: str,
        query: str,
        record: CallRecord,
    ) -> web.StreamResponse:
        operation = provider.find(request.method, path)
        if operation is None:
            record.counted = False
            return self._no_operation(request.method, provider, path)
        record.operation, record.counted = operation.name, operation.counted
        spent = self._watch.budget.traffic_refusal()
        if spent is not None:
            return _refused(provider, operation.path, spent, record)
        try:
            async with self._intake.body(request) as body:
                return await self._admitted(request, provider, operation, query, record, body)
        except Refused as refused:
            return _refused(provider, operation.path, refused.refusal, record)

    async def _admitted(
        self,
        request: web.BaseRequest,
        provider: Provider,
        operation: Operation,
        query: str,
        record: CallRecord,
        body: bytes,
    ) -> web.StreamResponse:
        judge = self._reach.judge(operation, self._offers(provider))
        read = await self._intake.models(operation, body, judge.visit)
        refusal, record.model, upstream = self._check(provider, operation, read)
        if refusal is None:
            refusal = await self._beyond(request, provider, judge, body, record)
        if refusal is None:
            refusal = await _of_credential(request, provider, body)
        if refusal is None and upstream is not None:
            call = Call(provider, upstream, operation, query, body)
            return await self._carry(request, call, record)
        assert refusal is not None
        return _refused(provider, operation.path, refusal, record)

    def _offers(self, provider: Provider) -> Callable[[str], bool]:
        """Whether the test may use a model of the provider."""
        offered = [u for u in self._spec.upstreams if u.provider == provider.name]
        return lambda model: any(admission.allows(provider, one)(model) for one in offered)

    async def _beyond(
        self,
        request: web.BaseRequest,
        provider: Provider,
        judge: Judge,
        body: bytes,
        record: CallRecord,
    ) -> Refusal | None:
        """Why a call asks for more than an answer of its model; None when it does not."""
        path, _, query = request.raw_path.partition("?")
        sent = Sent(request.headers, path, query)
        refusal, record.secret_hits = await self._reach.verdict(provider, judge, sent, body)
        return refusal

    async def _carry(
        self, request: web.BaseRequest, call: Call, record: CallRecord
    ) -> web.StreamResponse:
        """Get an admitted call its answer, and record both if the test is recorded."""
        if self._reel is None:
            return await self._within_limits(request, call, record, None)
        tape = self._reel.start(request, call)
        try:
            response = await self._within_limits(request, call, record, tape)
        except BaseException:
            tape.end(record, None)
            raise
        tape.end(record, response)
        return response

    async def _within_limits(
        self, request: web.BaseRequest, call: Call, record: CallRecord, tape: Tape | None
    ) -> web.StreamResponse:
        """From the recording or the service, within the test's limits and its provider's pauses."""
        try:
            async with self._watch.over(call, record) as watcher:
                if self._player is not None:
                    return await self._player.answer(request, call, record, watcher)
                session = self._sessions.of(call.upstream)
                received = self._reach.received
                relay = Relay(session, call, record, watcher, self._known, received, tape)
                return await relay.run(request)
        except Refused as refused:
            return _refused(call.provider, call.operation.path, refused.refusal, record)

    def _check(
        self, provider: Provider, operation: Operation, body: Body
    ) -> tuple[Refusal | None, str, Upstream | None]:
        """The refusal or the upstream that is asked, and the model that the call names."""
        offered = [u for u in self._spec.upstreams if u.provider == provider.name]
        if not offered:
            asked = admission.asked_name(operation, body)
            return admission.no_upstream(provider, self._spec.upstreams, asked), asked, None
        for upstream in offered:
            refusal, model = admission.check_models(provider, upstream, operation, body)
            if refusal is None:
                return None, model, upstream
        every = frozenset(model for u in offered for model in u.models)
        all_of_it = replace(offered[0], models=every)
        refusal, model = admission.check_models(provider, all_of_it, operation, body)
        return refusal, model, None

    def _no_operation(self, method: str, provider: Provider, path: str) -> web.Response:
        refusal = admission.no_operation(provider, method, path)
        about = f"{method} {provider.name} {path[:200]}"
        self._journal.add_notice("endpoint_refused", about, refusal.message)
        return own_answer(provider, path, refusal.status, refusal.code, refusal.message)

    def _not_here(self, request: web.BaseRequest) -> web.Response:
        """A proxy request for plain HTTP, or a CONNECT on a connection that was used already."""
        if request.method == "CONNECT":
            text = "Send CONNECT on a connection of its own.\n"
        else:
            text = plain_http_refused(request.raw_path, self._journal)
        response = web.Response(status=403, text=text)
        response.force_close()
        return response


def _refused(provider: Provider, path: str, refusal: Refusal, record: CallRecord) -> web.Response:
    record.status = refusal.status
    record.model = refusal.model or record.model
    if refusal.error:
        record.blame(refusal.error, refusal.message)
    return own_answer(provider, path, refusal.status, refusal.code, refusal.message)


async def _of_credential(
    request: web.BaseRequest, provider: Provider, body: bytes
) -> Refusal | None:
    """Refuse a call that carries another credential than the container's."""
    sent = sigv4.Sent(request.method, request.raw_path, request.headers, body)
    problem = await off_loop(len(body), lambda: provider.check_agent(sent))
    if problem is None:
        return None
    return Refusal(403, "signature_refused", problem, "model.auth_failed")
