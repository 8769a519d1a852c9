"""Seatrial: test a Python AI agent in a real container, then ship what was tested.

    from seatrial import Client

    with Client() as client:  # seatrial serve
        test = client.submit(files={"agent.py": "def run(query): return query"}, query="hello")
        print(client.wait(test.id).result.response)

The names below are loaded when they are first used, so `import seatrial` itself costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import AsyncClient, Client
    from .domain.credentials import Credential
    from .domain.errors import SeatrialError
    from .domain.events import Event
    from .domain.requests import Limits, TestRequest
    from .domain.tests import Test

__all__ = [
    "AsyncClient",
    "Client",
    "Credential",
    "Event",
    "Limits",
    "SeatrialError",
    "Test",
    "TestRequest",
]

_HOMES = {
    "AsyncClient": "client",
    "Client": "client",
    "Credential": "domain.credentials",
    "Event": "domain.events",
    "Limits": "domain.requests",
    "SeatrialError": "domain.errors",
    "Test": "domain.tests",
    "TestRequest": "domain.requests",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
