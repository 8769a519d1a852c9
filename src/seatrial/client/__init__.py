"""The typed SDK: `AsyncClient` is the source, `Client` runs it for code without an event loop."""

from .aio import AsyncClient
from .errors import ServerUnreachable
from .sync import Client

__all__ = ["AsyncClient", "Client", "ServerUnreachable"]
