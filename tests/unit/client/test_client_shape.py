"""The client's surface: one source, two faces, the domain's own fields."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import threading

import pytest

import seatrial
from seatrial.client import AsyncClient, Client
from seatrial.client.answers import read_test
from seatrial.client.fields import ChangeFields, RequestFields, made
from seatrial.domain.errors import InvalidRequest
from seatrial.domain.requests import RetryChanges, TestRequest


def _public(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def test_the_sync_client_has_every_method_of_the_async_one() -> None:
    assert _public(AsyncClient) - {"aclose"} == _public(Client) - {"close"}


def test_the_sync_methods_carry_the_texts_and_signatures_of_their_source() -> None:
    for name in _public(Client) - {"close"}:
        source = getattr(AsyncClient, name)
        assert getattr(Client, name).__doc__ == source.__doc__
        assert inspect.signature(getattr(Client, name)) == inspect.signature(source)


def test_the_keyword_arguments_are_the_fields_of_a_request() -> None:
    assert set(RequestFields.__annotations__) == set(TestRequest.model_fields)
    assert set(ChangeFields.__annotations__) == set(RetryChanges.model_fields)


def test_a_request_of_the_wrong_shape_names_its_fields() -> None:
    with pytest.raises(InvalidRequest) as caught:
        made(None, {"files": {"agent.py": ""}})
    assert [problem.field for problem in caught.value.problems] == ["query"]


def test_fields_change_a_request_and_leave_the_rest() -> None:
    request = TestRequest(files={"agent.py": "x"}, query="one", timeout_seconds=5)
    changed = made(request, {"query": "two"})
    assert (changed.query, changed.timeout_seconds, changed.files) == ("two", 5, request.files)


def test_a_token_that_is_no_header_value_is_refused_before_anything_is_sent() -> None:
    for token in ("a\nb", "schlüssel", "a b"):
        with pytest.raises(InvalidRequest, match="visible ASCII"):
            AsyncClient(token=token)


def test_an_address_that_is_none_is_the_users_error() -> None:
    with pytest.raises(InvalidRequest), Client("ftp://example.org") as client:
        client.queue()
    with pytest.raises(InvalidRequest):
        Client("http://host:port")


def test_a_closed_client_says_so_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    client = Client("http://127.0.0.1:9")
    (own,) = set(threading.enumerate()) - before
    client.close()
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.queue()
    assert not own.is_alive()


def test_importing_seatrial_loads_none_of_its_libraries() -> None:
    code = (
        "import sys, seatrial; "
        "heavy = {'httpx', 'pydantic', 'asyncio', 'seatrial.client'} & set(sys.modules); "
        "assert not heavy, heavy; from seatrial import Client, AsyncClient, TestRequest"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_name_that_the_package_offers_can_be_had() -> None:
    assert [name for name in seatrial.__all__ if getattr(seatrial, name).__name__ != name] == []
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = seatrial.nothing


def test_what_a_newer_server_says_besides_is_ignored() -> None:
    said = {
        "id": "t1",
        "request": {"files": {"agent.py": ""}, "query": "q", "colour": "blue"},
        "phase": "queued",
        "created_at": "2026-01-01T00:00:00Z",
        "mood": "fine",
    }
    assert read_test(json.dumps(said).encode()).request.query == "q"
