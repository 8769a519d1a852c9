"""What every provider must do behind the gateway, as one suite that all of them run.

Subclass `ProviderConformance` in a test module and give it a fixture `case`:

    class TestMyProvider(ProviderConformance):
        @pytest.fixture
        async def case(self) -> AsyncGenerator[ProviderCase]:
            async with ScriptedThing() as service:
                yield MyCase(service, Upstream("thing", service.url, ...), secrets=(KEY,))
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from seatrial.domain.door_limits import DoorLimits
from seatrial.domain.events import NoticeEvent
from seatrial.domain.ports import Upstream
from seatrial.gateway.gateway import SocketGateway

from .doors import Container, Recorded, container
from .providers import INPUT_TOKENS, OUTPUT_TOKENS, TEXT, Mode, ScriptedProvider

OTHER = "not-of-this-test"
"""A model that the test does not offer."""


@dataclass
class ProviderCase(ABC):
    """One official client and the scripted service that it talks to.

    `secrets` are what the container's side must never see. `url` is the gateway's address
    inside the container, without a path. The error types are those of the client itself, as it
    raises them when nothing is tried again.
    """

    service: ScriptedProvider
    upstream: Upstream
    secrets: Sequence[str] = ()

    refused: ClassVar[type[Exception]]
    """For a model that is not allowed (403)."""
    unauthorized: ClassVar[type[Exception]]
    limited: ClassVar[type[Exception]]

    @property
    def model(self) -> str:
        """A model that the test offers."""
        return min(self.upstream.models)

    @abstractmethod
    async def ask(self, url: str, model: str) -> str:
        """The text of one answer."""

    @abstractmethod
    async def stream(self, url: str, model: str) -> Sequence[str]:
        """The texts of a streamed answer, piece by piece."""

    @abstractmethod
    def raw(self, host: str) -> tuple[str, dict[str, str], bytes]:
        """Path, headers and body of a streamed call as the client would send it to the host."""

    def raw_request(self, **planted: str) -> bytes:
        """That call as HTTP, after which the connection is closed; with `planted` fields."""
        path, headers, body = self.raw("gw")
        if planted:
            body = json.dumps({**json.loads(body), **planted}).encode()
        given = {"Host": "gw", "Connection": "close", "Content-Length": str(len(body)), **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


class ProviderConformance:
    """The suite. Every test runs through a real door with its socket and its own gateway."""

    @pytest.fixture
    async def box(self, case: ProviderCase) -> AsyncGenerator[Container]:
        """The container's side; afterwards nothing secret may have come to it."""
        gateway = SocketGateway()
        with tempfile.TemporaryDirectory(prefix="st-") as folder:
            async with container(gateway, Path(folder), case.upstream) as inside:
                yield inside
                await inside.door.close()
                for secret in case.secrets:
                    assert secret.encode() not in inside.got
                    assert secret not in repr(inside.reports.all)
        await gateway.aclose()

    async def test_an_answer_arrives_with_its_usage(
        self, case: ProviderCase, box: Container
    ) -> None:
        """One call, whole."""
        assert await case.ask(box.url, case.model) == "".join(TEXT)
        event = await box.reports.call()
        assert (event.provider, event.model) == (case.upstream.provider, case.model)
        assert (event.status, event.error) == (200, None)
        assert (event.input_tokens, event.output_tokens) == (INPUT_TOKENS, OUTPUT_TOKENS)

    async def test_a_stream_arrives_in_its_pieces(self, case: ProviderCase, box: Container) -> None:
        """One call, streamed."""
        assert tuple(text for text in await case.stream(box.url, case.model) if text) == TEXT
        event = await box.reports.call()
        assert (event.status, event.error) == (200, None)
        assert (event.input_tokens, event.output_tokens) == (INPUT_TOKENS, OUTPUT_TOKENS)

    async def test_another_model_is_refused_once_in_the_clients_own_error(
        self, case: ProviderCase, box: Container
    ) -> None:
        """Nothing reaches the service, and the client does not try again."""
        with pytest.raises(case.refused) as caught:
            await case.ask(box.url, OTHER)
        assert f"--model {case.upstream.provider}:{OTHER}" in str(caught.value)
        event = await box.reports.call()
        assert (event.error, event.model, event.status) == ("model.not_allowed", OTHER, 403)
        await box.door.close()
        assert len(box.reports.calls) == 1
        assert case.service.requests == []

    async def test_a_call_that_reaches_beyond_the_model_does_not_arrive(
        self, case: ProviderCase, box: Container
    ) -> None:
        """Refused by the closed description of the operation's body, which each provider has."""
        answer = await box.ask(case.raw_request(server_url="https://elsewhere.invalid/"))
        assert answer.startswith(b"HTTP/1.1 403 ")
        assert b"--allow urls=elsewhere.invalid" in answer
        event = await box.reports.call()
        assert (event.error, event.sent_bytes) == ("agent.reach_not_allowed", 0)
        assert case.service.requests == []

    async def test_a_call_over_the_budget_is_refused_once_in_the_clients_own_error(
        self, case: ProviderCase
    ) -> None:
        """The client does not try again, and the journal says what was used and allowed."""
        gateway, limits = SocketGateway(), DoorLimits(calls=1)
        with tempfile.TemporaryDirectory(prefix="st-") as folder:
            async with container(gateway, Path(folder), case.upstream, limits=limits) as box:
                await case.ask(box.url, case.model)
                with pytest.raises(case.refused, match="1 of the 1 model calls allowed"):
                    await case.ask(box.url, case.model)
                await box.door.close()
        await gateway.aclose()
        assert len(case.service.requests) == 1
        made = [(call.status, call.error) for call in box.reports.calls]
        assert made == [(200, None), (403, "limit.model_calls")]
        notice = await box.reports.notice()
        assert (notice.code, notice.data) == ("limit.model_calls", {"used": 1, "allowed": 1})

    async def test_a_refused_key_is_told_as_such(self, case: ProviderCase, box: Container) -> None:
        """The service's own answer passes."""
        case.service.mode = Mode.UNAUTHORIZED
        with pytest.raises(case.unauthorized):
            await case.ask(box.url, case.model)
        assert (await box.reports.call()).error == "model.auth_failed"

    async def test_a_rate_limit_passes_as_it_is(self, case: ProviderCase, box: Container) -> None:
        """429, and each attempt of the client is one at the service."""
        case.service.mode = Mode.RATE_LIMITED
        with pytest.raises(case.limited):
            await case.ask(box.url, case.model)
        event = await box.reports.call()
        assert (event.status, event.error) == (429, "model.rate_limited")
        await box.door.close()
        assert len(box.reports.calls) == len(case.service.requests)

    @pytest.mark.parametrize("mode", [Mode.CUT, Mode.RESET, Mode.UNFINISHED])
    async def test_a_stream_that_is_cut_does_not_look_whole(
        self, case: ProviderCase, box: Container, mode: Mode
    ) -> None:
        """Neither HTTP's end nor the protocol's is made up."""
        case.service.mode = mode
        answer = await box.ask(case.raw_request())
        assert answer.startswith(b"HTTP/1.1 200")
        assert not answer.endswith(b"0\r\n\r\n")
        event = await box.reports.call()
        assert (event.status, event.error) == (200, "model.lost_mid_stream")

    async def test_a_client_that_goes_away_ends_the_call_at_the_service(
        self, case: ProviderCase, box: Container
    ) -> None:
        """So that nobody pays for an answer that nobody reads."""
        case.service.mode = Mode.HANG
        _, writer = await box.connect()
        writer.write(case.raw_request())
        async with asyncio.timeout(10):
            await case.service.arrived.wait()
            writer.close()
            await case.service.abandoned.wait()
        assert "agent closed" in (await box.reports.call()).message

    async def test_recorded_calls_are_answered_the_same_without_the_service(
        self, case: ProviderCase
    ) -> None:
        """Whole, streamed, rate-limited and cut, by the unmodified client; keys are not kept."""
        recorded = Recorded()
        gateway = SocketGateway()
        try:
            with tempfile.TemporaryDirectory(prefix="st-") as folder:
                async with container(
                    gateway, Path(folder), case.upstream, recorder=recorded
                ) as box:
                    live = await _everything(case, box)
                arrived = len(case.service.requests)
                gone = replace(case.upstream, base_url="replayed:", key=None, credential=None)
                async with container(gateway, Path(folder), gone, replay=recorded.replay) as box:
                    again = await _everything(case, box)
        finally:
            await gateway.aclose()
        assert again == live
        assert len(case.service.requests) == arrived == len(recorded.calls)
        told = [event for event in box.reports.all if isinstance(event, NoticeEvent)]
        assert (told, recorded.problems) == ([], [])
        for secret in case.secrets:
            assert secret not in repr(recorded.calls)

    @pytest.mark.parametrize("mode", [Mode.ECHO, Mode.REDIRECT])
    async def test_a_service_that_tells_the_key_is_not_heard(
        self, case: ProviderCase, box: Container, mode: Mode
    ) -> None:
        """The service had the key, the container's side gets stars; see the fixture `box`."""
        case.service.mode = mode
        assert await box.ask(case.raw_request())
        sent = repr([dict(seen.headers) for seen in case.service.requests])
        assert not case.secrets or any(secret in sent for secret in case.secrets)


async def _everything(case: ProviderCase, box: Container) -> list[object]:
    """What the client makes of a number of calls, and what the door told of each."""
    seen: list[object] = [await case.ask(box.url, case.model)]
    seen.append([text for text in await case.stream(box.url, case.model) if text])
    case.service.mode = Mode.RATE_LIMITED
    with pytest.raises(case.limited) as caught:
        await case.ask(box.url, case.model)
    seen.append(type(caught.value))
    case.service.mode = Mode.CUT
    answer = await box.ask(case.raw_request())
    seen += [answer.partition(b"\r\n")[0], b"Scripted" in answer, answer.endswith(b"0\r\n\r\n")]
    case.service.mode = Mode.OK
    await box.door.close()
    for call in box.reports.calls:
        tokens = (call.input_tokens, call.output_tokens)
        seen.append((call.operation, call.model, call.status, tokens, call.error, call.message))
    return seen
