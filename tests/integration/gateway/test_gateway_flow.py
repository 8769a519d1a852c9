"""Bytes flow at once, ends are told apart, and nobody waits for somebody who has gone."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from gateway_doors import KEY, Container, Reports, container
from yarl import URL

from seatrial.domain.door_limits import DoorLimits
from seatrial.domain.errors import SetupFailed
from seatrial.domain.ports import DoorSpec, Upstream
from seatrial.gateway.gateway import SocketGateway
from seatrial.gateway.intake import MAX_BODY
from seatrial.testing.providers import Mode, ScriptedOllama, ScriptedOpenAI

AT_ONCE = DoorLimits().calls_at_once
CHAT: dict[str, Any] = {"model": "scripted", "messages": [], "stream": True}


def call(path: str = "/ollama/api/chat", value: object = CHAT, extra: str = "") -> bytes:
    """One HTTP request as bytes, after which the agent wants the connection closed."""
    body = json.dumps(value).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n{extra}\r\n"
    )
    return head.encode() + body


async def test_a_piece_reaches_the_agent_before_the_service_makes_the_next(
    inside: Container, ollama_service: ScriptedOllama
) -> None:
    ollama_service.mode = Mode.GATED
    reader, writer = await inside.connect()
    writer.write(call())
    async with asyncio.timeout(60):
        assert b'"Scripted"' in await reader.readuntil(b"}\n")
        ollama_service.release.release()
        assert b'" answer"' in await reader.readuntil(b"}\n")
        ollama_service.release.release()
        assert b'"done": true' in await reader.read(-1)
    writer.close()


async def test_what_the_agent_sends_and_gets_is_what_the_other_side_got_and_sent(
    inside: Container, ollama_service: ScriptedOllama
) -> None:
    body = b'{ "model":"scripted",  "stream" :false, "x": 1.50, "messages":[]}\n'
    async with aiohttp.ClientSession() as session:
        url = URL(f"{inside.ollama}/api/chat?a=%2F&b=c+d", encoded=True)
        headers = {"User-Agent": "sdk/1", "X-Own": "yes", "Accept-Encoding": "gzip"}
        async with session.post(url, data=body, headers=headers) as answer:
            through = await answer.read()
            assert answer.headers["X-Seatrial-Scripted"] == "yes"
        async with session.post(f"{ollama_service.url}/api/chat", data=body) as answer:
            assert await answer.read() == through
    seen = ollama_service.requests[0]
    assert seen.target == "/api/chat?a=%2F&b=c+d"
    assert seen.body == body
    assert (seen.headers["User-Agent"], seen.headers["X-Own"]) == ("sdk/1", "yes")
    assert seen.headers["Accept-Encoding"] == "identity"
    assert seen.headers["Host"] == ollama_service.url.removeprefix("http://")


@pytest.mark.spec("edge-7")
@pytest.mark.parametrize("mode", [Mode.CUT, Mode.UNFINISHED])
@pytest.mark.parametrize("path", ["/ollama/api/chat", "/openai/v1/chat/completions"])
async def test_an_answer_that_was_lost_in_the_middle_does_not_look_whole(
    inside: Container,
    ollama_service: ScriptedOllama,
    openai_service: ScriptedOpenAI,
    mode: Mode,
    path: str,
) -> None:
    ollama_service.mode = openai_service.mode = mode
    answer = await inside.ask(call(path))
    assert b"Scripted" in answer
    assert not answer.endswith(b"0\r\n\r\n")
    event = await inside.reports.call()
    assert (event.status, event.error) == (200, "model.lost_mid_stream")


async def test_an_error_within_a_stream_is_named_and_passes(
    inside: Container, ollama_service: ScriptedOllama
) -> None:
    ollama_service.mode = Mode.STREAM_ERROR
    assert (await inside.ask(call())).endswith(b"0\r\n\r\n")
    event = await inside.reports.call()
    assert event.error == "model.server_error"
    assert event.message == "the runner has terminated"


async def test_an_agent_that_goes_away_ends_the_call_at_the_service(
    inside: Container, ollama_service: ScriptedOllama
) -> None:
    ollama_service.mode = Mode.HANG
    _, writer = await inside.connect()
    writer.write(call())
    async with asyncio.timeout(60):
        await ollama_service.arrived.wait()
        writer.close()
        await ollama_service.abandoned.wait()
    event = await inside.reports.call()
    assert (event.status, event.error) == (None, None)
    assert "agent closed" in event.message


async def test_an_agent_that_leaves_in_mid_stream_ends_it_at_the_service(
    inside: Container, ollama_service: ScriptedOllama
) -> None:
    ollama_service.mode = Mode.GATED
    reader, writer = await inside.connect()
    writer.write(call())
    async with asyncio.timeout(60):
        await reader.readuntil(b"}\n")
        writer.close()
        await ollama_service.abandoned.wait()
    assert (await inside.reports.call()).status == 200


@pytest.mark.parametrize("mode", [Mode.DROP, Mode.COMPRESSED])
async def test_a_service_that_does_not_answer_is_a_502_in_its_own_shape(
    inside: Container, openai_service: ScriptedOpenAI, mode: Mode
) -> None:
    openai_service.mode = mode
    answer = await inside.ask(call("/openai/v1/chat/completions"))
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "model_unreachable"
    event = await inside.reports.call()
    assert (event.status, event.error) == (502, "model.unreachable")


@pytest.mark.parametrize("host", ["127.0.0.1:9", "name.invalid:1"])
async def test_a_service_that_is_not_there_is_named(
    gateway: SocketGateway, tmp_path: Path, host: str
) -> None:
    upstream = Upstream("ollama", f"http://user:password-1@{host}", frozenset({"scripted"}))
    async with container(gateway, tmp_path, upstream) as inside:
        answer = await inside.ask(call("/api/chat"))
        event = await inside.reports.call()
    assert event.error == "model.unreachable"
    assert f"http://{host}" in event.message
    assert b"password-1" not in answer
    assert "password-1" not in event.message


@pytest.mark.spec("FR-008")
@pytest.mark.parametrize("mode", [Mode.ECHO, Mode.REDIRECT])
async def test_a_service_that_gives_the_key_away_gives_it_to_nobody(
    inside: Container, openai_service: ScriptedOpenAI, mode: Mode
) -> None:
    openai_service.mode = mode
    sent = call("/openai/v1/chat/completions", extra="Authorization: Bearer dummy\r\n")
    answer = await inside.ask(sent)
    assert openai_service.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    assert KEY.encode() not in answer
    assert b"*" * len(KEY) in answer
    assert b"Set-Cookie" not in answer


async def test_a_redirect_is_passed_on_and_not_followed(
    inside: Container, ollama_service: ScriptedOllama
) -> None:
    ollama_service.mode = Mode.REDIRECT
    answer = await inside.ask(call())
    assert answer.startswith(b"HTTP/1.1 307 ")
    assert b"Location: https://elsewhere.test/?key=none\r\n" in answer


async def test_more_calls_than_places_wait_for_their_turn(
    inside: Container, ollama_service: ScriptedOllama
) -> None:
    ollama_service.mode = Mode.GATED
    answers = [asyncio.create_task(inside.ask(call())) for _ in range(2 * AT_ONCE + 3)]
    for _ in range(2 * len(answers)):
        ollama_service.release.release()
    assert all(answer.endswith(b"0\r\n\r\n") for answer in await asyncio.gather(*answers))
    assert ollama_service.most_at_once <= AT_ONCE


async def test_one_connection_serves_many_calls(inside: Container) -> None:
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(connector=connector) as session:
        for _ in range(5):
            async with session.post(f"{inside.ollama}/api/chat", json=CHAT) as answer:
                assert (await answer.read()).endswith(b"}\n")
    assert len([await inside.reports.call() for _ in range(5)]) == 5


async def test_a_call_with_a_large_body_passes_and_one_too_large_does_not(
    inside: Container, ollama_service: ScriptedOllama
) -> None:
    large = {**CHAT, "x": "y" * (MAX_BODY - 1000)}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{inside.ollama}/api/chat", json=large) as answer:
            assert answer.status == 200
        async with session.post(f"{inside.ollama}/api/chat", json={**large, "z": "y" * 2000}) as a:
            assert a.status == 413
    assert len(ollama_service.requests[0].body) > MAX_BODY - 1000
    assert len(ollama_service.requests) == 1


async def test_a_compressed_call_is_refused_because_it_cannot_be_checked(
    inside: Container, ollama_service: ScriptedOllama
) -> None:
    body = gzip.compress(json.dumps(CHAT).encode())
    head = f"POST /api/chat HTTP/1.1\r\nHost: g\r\nContent-Length: {len(body)}\r\n"
    sent = f"{head}Content-Encoding: gzip\r\nConnection: close\r\n\r\n".encode() + body
    assert (await inside.ask(sent)).startswith(b"HTTP/1.1 415 ")
    assert ollama_service.requests == []


async def test_a_client_that_asks_before_it_sends_is_told_to_go_on(inside: Container) -> None:
    answer = await inside.ask(call(extra="Expect: 100-continue\r\n"))
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")


async def test_a_door_without_upstreams_leads_to_no_model(
    gateway: SocketGateway, tmp_path: Path
) -> None:
    async with container(gateway, tmp_path) as inside:
        assert b"This test offers no model" in await inside.ask(call())
        assert (await inside.reports.call()).error == "model.not_allowed"


@pytest.mark.parametrize(
    "request_line", [b"GET http://example.com/ HTTP/1.1", b"GET https://example.com/ HTTP/1.1"]
)
async def test_plain_http_through_the_proxy_is_refused_with_a_notice(
    inside: Container, request_line: bytes
) -> None:
    answer = await inside.ask(request_line + b"\r\nHost: example.com\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 ")
    notice = await inside.reports.notice()
    assert notice.code == "egress_refused"
    assert "only https" in notice.message


async def test_closing_a_door_cuts_what_runs_reports_it_and_removes_the_socket(
    inside: Container, ollama_service: ScriptedOllama
) -> None:
    ollama_service.mode = Mode.HANG
    reader, writer = await inside.connect()
    writer.write(call())
    idle_reader, idle_writer = await inside.connect()
    async with asyncio.timeout(60):
        await ollama_service.arrived.wait()
        await inside.door.close()
        assert await _rest(reader) == await _rest(idle_reader) == b""
        await ollama_service.abandoned.wait()
    assert not Path(inside.door.spec.socket_path).exists()
    assert [event.message for event in inside.reports.calls] == [
        "The door was closed before the answer ended."
    ]
    assert list(inside.door.calls) == inside.reports.calls
    try:
        later, _ = await inside.connect()
    except FileNotFoundError:
        return
    # Only a relay's own socket is still there: it leads nowhere.
    assert inside.socket_path != inside.door.spec.socket_path
    assert await _rest(later) == b""
    await inside.door.close()
    writer.close()
    idle_writer.close()


async def test_a_slow_reader_of_reports_holds_up_no_call_and_gets_them_in_order(
    gateway: SocketGateway, ollama_service: ScriptedOllama, tmp_path: Path
) -> None:
    gate, seen = asyncio.Event(), list[str]()

    async def report(event: Any) -> None:
        await gate.wait()
        seen.append(event.model)

    names = frozenset({"a", "b", "c"})
    spec = DoorSpec("t", str(tmp_path / "s"), (Upstream("ollama", ollama_service.url, names),))
    door = await gateway.open(spec, report)
    inside = Container(door, Reports(), spec.socket_path)
    for name in ("a", "b", "c"):
        assert b" 200 " in await inside.ask(call(value={**CHAT, "model": name}))
    assert seen == []
    gate.set()
    await door.close()
    assert seen == ["a", "b", "c"]


async def test_every_uid_may_connect_and_a_stale_socket_is_replaced(
    gateway: SocketGateway, tmp_path: Path
) -> None:
    spec = DoorSpec("t", str(tmp_path / "s"))

    async def report(_: object) -> None: ...

    await gateway.open(spec, report)
    assert Path(spec.socket_path).stat().st_mode & 0o777 == 0o666
    again = await gateway.open(spec, report)
    _, writer = await asyncio.open_unix_connection(spec.socket_path)
    writer.close()
    await again.close()


async def test_a_socket_that_cannot_be_made_says_so(gateway: SocketGateway, tmp_path: Path) -> None:
    async def report(_: object) -> None: ...

    with pytest.raises(SetupFailed, match="could not be made"):
        await gateway.open(DoorSpec("t", str(tmp_path / ("x" * 120))), report)


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(-1)
    except ConnectionResetError:
        return b""
