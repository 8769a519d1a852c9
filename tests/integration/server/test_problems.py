"""Whatever is wrong with a request, the answer is a problem document that says what."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from seatrial.store import SqlStore

from .running import GOOD, Running

TESTS = "/api/v1/tests"


def checked(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """The problem document, which has the shape that every one has."""
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == status
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"urn:seatrial:{code}"
    assert problem["title"]
    assert problem["detail"]
    return problem


async def test_an_unknown_path_is_a_404(client: httpx.AsyncClient) -> None:
    checked(await client.get("/api/v1/nothing"), 404, "not_found")


async def test_another_method_is_a_405_with_those_that_are_allowed(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.put(TESTS, json={})
    checked(answer, 405, "method_not_allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize("test_id", ["t00000000000000000000", "x", "%00", "a%2Fb", "é", "x" * 999])
async def test_a_test_that_does_not_exist_is_a_404(client: httpx.AsyncClient, test_id: str) -> None:
    for path in ("", "/events", "/cancel"):
        method = "POST" if path == "/cancel" else "GET"
        checked(await client.request(method, f"{TESTS}/{test_id}{path}"), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "files"),
        ({**GOOD, "files": ["agent.py"]}, "files"),
        ({**GOOD, "files": {"agent.py": 1}}, "files"),
        ({**GOOD, "query": None}, "query"),
        ({**GOOD, "timeout_seconds": "soon"}, "timeout_seconds"),
        ({**GOOD, "limits": {"memory_mb": "much"}}, "limits.memory_mb"),
        ({**GOOD, "limits": {"memory_mb": 10**9}}, "limits.memory_mb"),
        ({**GOOD, "egress": [1]}, "egress[0]"),
        ({**GOOD, "unknown": 1}, "unknown"),
        ([], "body"),
        ("text", "body"),
    ],
)
async def test_a_field_of_the_wrong_kind_is_named(
    client: httpx.AsyncClient, body: object, field: str
) -> None:
    problem = checked(await client.post(TESTS, json=body), 422, "request.invalid")
    errors = problem["errors"]
    assert isinstance(errors, list)
    assert errors[0]["field"] == field
    assert errors[0]["message"]


async def test_a_body_that_is_no_json_is_named_with_line_and_column(
    client: httpx.AsyncClient,
) -> None:
    headers = {"content-type": "application/json"}
    answer = await client.post(TESTS, content=b'{\n  "query": oops\n}', headers=headers)
    (error,) = checked(answer, 422, "request.invalid")["errors"]  # pyright: ignore
    assert (error["code"], error["line"], error["column"]) == ("json_invalid", 2, 12)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"query": "\\ud800", "files": {"\\udc00.py": "\\ud800", "agent.py": ""}}',
        b'{"query": "x", "files": {"agent.py": ""}, "limits": {"cpus": NaN}}',
        b'{"query": "x", "files": {"agent.py": ""}, "timeout_seconds": 1e999}',
        b'{"query": "x", "files": {"agent.py": ""}, "timeout_seconds": ' + b"9" * 5000 + b"}",
        b"null",
        b"",
    ],
)
async def test_a_body_that_breaks_a_parser_is_refused_and_no_defect(
    client: httpx.AsyncClient, content: bytes
) -> None:
    headers = {"content-type": "application/json"}
    for path in ("/api/v1/validate", TESTS):
        answer = await client.post(path, content=content, headers=headers)
        assert answer.status_code in {400, 413, 422}
        assert answer.headers["content-type"] == "application/problem+json"


async def test_another_content_type_is_refused(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "text/plain"}
    answer = await client.post(TESTS, content=json.dumps(GOOD).encode(), headers=headers)
    checked(answer, 422, "request.invalid")


async def _chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b" " * 100_000


async def test_a_body_beyond_4_mb_is_a_413_however_it_is_sent(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json"}
    whole = await client.post(TESTS, content=b" " * 4_000_001, headers=headers)
    checked(whole, 413, "request.too_large")
    chunked = await client.post(TESTS, content=_chunks(41), headers=headers)
    checked(chunked, 413, "request.too_large")


async def test_code_of_the_greatest_size_fits_into_a_body(client: httpx.AsyncClient) -> None:
    files = {**GOOD["files"], "data.txt": "é" * 490_000}
    assert (await client.post(TESTS, json={**GOOD, "files": files})).status_code == 201


async def test_a_defect_is_a_500_with_an_incident_and_without_a_trace(
    server: Running, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(SqlStore):
        async def state(self) -> None:  # type: ignore[override]
            raise ZeroDivisionError("a secret of the server")

    server.store.__class__ = Broken
    answer = await client.get("/api/v1/queue")
    problem = checked(answer, 500, "platform.internal")
    assert "secret" not in answer.text
    assert str(problem["incident"]) in caplog.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/healthz", TESTS, "/nothing", "/api/v1/openapi.json"])
async def test_no_answer_is_kept_or_guessed_at_by_a_browser(
    client: httpx.AsyncClient, path: str
) -> None:
    headers = (await client.get(path)).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers
