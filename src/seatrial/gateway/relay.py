"""Passes one admitted call to its upstream and the answer back, byte for byte, as it comes."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from yarl import URL

from seatrial.domain.aws import AwsKeys
from seatrial.domain.errors import FailureError

from . import admission, blame, budget, headers, keys, sigv4, taps
from .budget import BudgetSpent
from .exchange import Call, CallRecord, Watcher, own_answer
from .providers.base import Facts, JsonObject, Reading, merged, parse_object
from .reach.received import ReceivedIds
from .replay.tape import Tape
from .scrub import KnownSecrets, Scrubber

MAX_LISTING = 8 * 1024 * 1024
"""Bytes of a model listing that the gateway reads to cut it down."""

_HEAD = 64 * 1024
_DIRECT_BODY = 512 * 1024
_SKIPPED = frozenset({"User-Agent", "Accept", "Accept-Encoding", "Content-Type"})


class UpstreamLost(Exception):
    """The upstream ended an answer in the middle."""


class Relay:
    """Carries one call. An object is used once."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        call: Call,
        record: CallRecord,
        watcher: Watcher,
        known: KnownSecrets,
        received: ReceivedIds,
        tape: Tape | None = None,
    ) -> None:
        """`known` are the secrets of the test; it learns those that this call is made with.

        `received` learns the ids in the answer before the agent has them. With a `tape` the
        answer is recorded as it is sent.
        """
        self._received = received
        self._early: Reading | None = None
        self._session = session
        self._tape = tape
        self._call = call
        self._record = record
        self._watcher = watcher
        self._known = known
        self._known.learn(keys.secrets(call.upstream))
        self._scrubber = Scrubber(known)

    async def run(self, request: web.BaseRequest) -> web.StreamResponse:
        """Send the call on and the answer back; the record is complete afterwards.

        Cancelling it closes the connection to the upstream at once.
        """
        try:
            answer = await self._send(request)
        except FailureError as error:
            return self._without_credential(error)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return self._unreachable(error)
        async with answer:
            if answer.status < 400:
                self._watcher.answered(answer.status, answer.headers)
            if self._scrubber.active and _compressed(answer):
                return self._failed(f"{self._address} compressed its answer although told not to.")
            listing = self._call.operation.lists_models and request.method == "GET"
            if listing and answer.status == 200:
                return await self._listing(request, answer)
            return await self._stream(request, answer)

    async def _send(self, request: web.BaseRequest) -> aiohttp.ClientResponse:
        call = self._call
        url = call.upstream.base_url.rstrip("/") + call.operation.path
        target = URL(f"{url}?{call.query}" if call.query else url, encoded=True)
        passed = headers.to_upstream(
            request.headers,
            private=call.provider.private_headers,
            key_headers=await self._key_headers(request, target),
            content_type=self._content_type,
        )
        return await self._session.request(
            request.method,
            target,
            headers=passed,
            data=_payload(call.body),
            allow_redirects=False,
            skip_auto_headers=_SKIPPED,
        )

    async def _key_headers(self, request: web.BaseRequest, target: URL) -> Mapping[str, str]:
        """The real credential's headers. From here on it is known what must never come back."""
        call = self._call
        if call.upstream.credential is None:
            key = call.upstream.key
            return call.provider.key_headers(key) if key else {}
        now: AwsKeys = await call.upstream.credential.current()
        made = await off_loop(
            len(call.body),
            lambda: sigv4.signed_headers(
                request.method, str(target), self._content_type, call.body, now
            ),
        )
        self._known.learn(keys.secrets(call.upstream, now))
        claim = sigv4.claimed(made["Authorization"])
        # Of this call alone: the test's secrets do not grow with its calls.
        signature = KnownSecrets((claim.signature,) if claim else ())
        self._scrubber = Scrubber(self._known, then=Scrubber(signature))
        return made

    async def _stream(
        self, request: web.BaseRequest, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        response = self._begin(request, answer)
        if self._tape is not None:
            self._tape.begin(response)
        await response.prepare(request)
        tap = taps.tap_for(
            answer.headers.get("Content-Type", ""),
            self._read,
            delimited=_is_delimited(answer),
        )
        head = bytearray()
        try:
            async for chunk in _chunks(answer):
                self._record.mark_first_byte()
                self._watcher.passed(len(chunk))
                if answer.status >= 400:
                    head += chunk[: _HEAD - len(head)]
                else:
                    self._look(answer, tap, chunk)
                await self._write(response, self._scrubber.feed(chunk))
        except UpstreamLost:
            self._record.reading = self._end_of(tap)
            return self._broken(request, response)
        except asyncio.CancelledError:
            self._record.reading = self._end_of(tap)
            raise
        except BudgetSpent as spent:
            self._record.blame(budget.TRAFFIC, str(spent))
            return _cut(request, response)
        await self._write(response, self._scrubber.end())
        self._judge(Facts(answer.status, answer.headers, bytes(head)), tap)
        if answer.status >= 400:
            self._watcher.answered(answer.status, answer.headers)
        if self._record.error == blame.LOST:
            return self._broken(request, response)
        await response.write_eof()
        return response

    def _look(self, answer: aiohttp.ClientResponse, tap: taps.Tap | None, chunk: bytes) -> None:
        """Read a chunk that is about to be sent: the agent may ask again as soon as it has it."""
        if tap is None:
            return
        tap.feed(chunk)
        if self._record.received_bytes == answer.content_length:
            self._early = tap.end()

    def _read(self, value: JsonObject) -> Reading:
        """Read one object of the answer, and remember the ids in it."""
        ids = tuple(self._call.operation.ids(value))
        self._received.add(ids)
        self._record.received_ids += ids
        return self._call.operation.read(value)

    def _end_of(self, tap: taps.Tap | None) -> Reading:
        """What the whole answer said."""
        if self._early is not None:
            return self._early
        return tap.end() if tap is not None else Reading()

    async def _write(self, response: web.StreamResponse, data: bytes) -> None:
        if not data:
            return
        await response.write(data)
        if self._tape is not None:
            self._tape.feed(data)

    def _begin(
        self, request: web.BaseRequest, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        response = web.StreamResponse(
            status=answer.status,
            reason=self._scrubber.text(answer.reason or ""),
            headers=headers.to_agent(answer.headers, self._scrubber),
        )
        response.headers.setdefault("Server", "seatrial")
        self._record.status = answer.status
        if answer.content_length is not None:
            response.content_length = answer.content_length
        elif request.version >= aiohttp.HttpVersion11 and _has_body(request, answer):
            response.enable_chunked_encoding()
        return response

    def _judge(self, facts: Facts, tap: taps.Tap | None) -> None:
        """Decide, from an answer that ended properly as far as HTTP goes, what it meant."""
        error = blame.of_status(facts.status, facts.head)
        if error:
            error = self._call.provider.of_answer(facts) or error
            said = self._scrubber.text(blame.message_of(facts.status, facts.head))
            self._record.blame(error, admission.shown(said, 600))
            return
        if tap is None:
            return
        beside = self._call.provider.read_headers(facts.headers)
        reading = self._record.reading = merged(beside, self._end_of(tap))
        if reading.error:
            said = self._scrubber.text(reading.error)
            code = reading.error_code or blame.SERVER_ERROR
            self._record.blame(code, admission.shown(said, 600))
        elif not reading.complete:
            self._record.error = blame.LOST

    def _broken(self, request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
        """End the agent's connection without the answer's end, so that nobody takes it as whole."""
        self._record.blame(blame.LOST, f"{self._address} closed the connection in mid-answer.")
        return _cut(request, response)

    async def _listing(
        self, request: web.BaseRequest, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        """A list of models, without those that the test may not use."""
        try:
            body = await _read_all(answer, MAX_LISTING)
        except UpstreamLost:
            return self._failed(f"{self._address} closed the connection in mid-answer.")
        listing = parse_object(body)
        if listing is None:
            return self._failed(f"{self._address} sent no list of models that could be read.")
        may = admission.allows(self._call.provider, self._call.upstream)
        kept: JsonObject = self._call.provider.keep_models(listing, may)
        self._record.status = answer.status
        text = self._scrubber.text(json.dumps(kept, separators=(",", ":")))
        return web.Response(text=text, content_type="application/json")

    def _unreachable(self, error: Exception) -> web.Response:
        return self._failed(blame.of_connection(error, self._address))

    def _without_credential(self, error: FailureError) -> web.Response:
        """403, which no SDK tries again: the credential cannot be had, and waiting helps not."""
        text = self._scrubber.text(error.failure.message)
        self._record.status = 403
        self._record.blame(error.failure.code, text)
        path = self._call.operation.path
        return own_answer(self._call.provider, path, 403, "no_credential", text)

    def _failed(self, message: str) -> web.Response:
        """502: the service cannot be used, which is no decision of ours and may be tried again."""
        text = self._scrubber.text(message)
        self._record.status = 502
        self._record.blame(blame.UNREACHABLE, text)
        path = self._call.operation.path
        return own_answer(self._call.provider, path, 502, "model_unreachable", text)

    @property
    def _content_type(self) -> str | None:
        """Every body that passes is JSON in UTF-8."""
        return "application/json" if self._call.body else None

    @property
    def _address(self) -> str:
        return without_secrets(self._call.upstream.base_url)


def _cut(request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return response


def without_secrets(base_url: str) -> str:
    """A base URL as it may be shown: without user and password."""
    parts = urlsplit(base_url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


_T = TypeVar("_T")


async def off_loop(size: int, work: Callable[[], _T]) -> _T:
    """Do the work on so many bytes here, or in a thread when it would hold the loop up."""
    return work() if size <= _DIRECT_BODY else await asyncio.to_thread(work)


def _payload(body: bytes) -> bytes | io.BytesIO | None:
    """Large bodies are sent in pieces, so that the loop is not held up."""
    if not body:
        return None
    return body if len(body) <= _DIRECT_BODY else io.BytesIO(body)


def _compressed(answer: aiohttp.ClientResponse) -> bool:
    return answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity"


def _is_delimited(answer: aiohttp.ClientResponse) -> bool:
    """Whether HTTP itself tells where the answer ends; else it ends with the connection."""
    coding = answer.headers.get("Transfer-Encoding", "").lower()
    return answer.content_length is not None or "chunked" in coding


def _has_body(request: web.BaseRequest, answer: aiohttp.ClientResponse) -> bool:
    return request.method != "HEAD" and answer.status not in {204, 304}


async def _chunks(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The body as it arrives. UpstreamLost when it ends before HTTP says so."""
    try:
        async for chunk in answer.content.iter_any():
            yield chunk
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise UpstreamLost from error


async def _read_all(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    body = bytearray()
    async for chunk in _chunks(answer):
        body += chunk
        if len(body) > limit:
            return b""
    return bytes(body)
