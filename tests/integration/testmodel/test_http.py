"""What the server answers to requests that no official client would send."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

BAD_BODIES: list[tuple[str, bytes]] = [
    ("/api/chat", b"{"),
    ("/api/chat", b""),
    ("/api/chat", b"[]"),
    ("/api/chat", b'{"messages": []}'),
    ("/api/chat", b'{"model": "smollm2", "messages": [{"content": "hi"}]}'),
    ("/api/chat", b'{"model": "smollm2", "messages": [{"role": "wizard", "content": "hi"}]}'),
    ("/api/generate", b'{"model": "smollm2", "prompt": 3}'),
    ("/api/generate", b'{"model": "smollm2", "prompt": "x", "options": {"top_k": "x"}}'),
    ("/api/generate", b'{"model": "smollm2", "prompt": "x", "format": "xml"}'),
    ("/api/generate", b'{"model": "smollm2", "prompt": "x", "format": {"type": "nonsense"}}'),
    ("/api/generate", b'{"model": "smollm2", "prompt": "x", "think": true}'),
    ("/api/generate", b'{"model": "smollm2", "prompt": "x", "images": ["AAAA"]}'),
    ("/api/embed", b'{"model": "smollm2"}'),
    ("/api/embed", b'{"model": "smollm2", "input": []}'),
    ("/api/show", b"{}"),
    ("/api/pull", b"null"),
]


@pytest.mark.parametrize(("path", "body"), BAD_BODIES)
async def test_a_bad_body_is_a_bad_request_in_ollamas_shape(
    model_url: str, path: str, body: bytes
) -> None:
    async with httpx.AsyncClient(base_url=model_url) as client:
        answer = await client.post(path, content=body)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert answer.json()["error"]


async def test_every_answer_says_that_this_is_the_test_model(model_url: str) -> None:
    async with httpx.AsyncClient(base_url=model_url) as client:
        for path in ("/", "/api/version", "/nowhere"):
            answer = await client.get(path)
            assert answer.headers["X-Seatrial-Test-Model"] == "1"


async def test_the_version_is_one(model_url: str) -> None:
    async with httpx.AsyncClient(base_url=model_url) as client:
        answer = await client.get("/api/version")
        assert answer.json()["version"].split(".")[0].isdigit()
        assert (await client.head("/")).status_code == 200


async def test_a_body_over_8_mb_is_refused(model_url: str) -> None:
    body: dict[str, Any] = {"model": "smollm2", "prompt": "x" * (8 * 1024 * 1024)}
    async with httpx.AsyncClient(base_url=model_url) as client:
        answer = await client.post("/api/generate", json=body)
    assert answer.status_code == 413
    assert "error" in answer.json()


async def test_asking_to_load_the_model_generates_nothing(model_url: str) -> None:
    async with httpx.AsyncClient(base_url=model_url) as client:
        for path in ("/api/chat", "/api/generate"):
            answer = (await client.post(path, json={"model": "smollm2"})).json()
            assert answer["done_reason"] == "load"
            assert "eval_count" not in answer


async def test_changing_the_models_is_refused(model_url: str) -> None:
    async with httpx.AsyncClient(base_url=model_url) as client:
        answer = await client.post("/api/create", json={"model": "mine", "from": "smollm2"})
        assert answer.status_code == 501
        assert "error" in answer.json()
