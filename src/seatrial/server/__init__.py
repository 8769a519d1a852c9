"""The API over HTTP: routes, event streams, authentication, problem answers."""

from .app import create_app
from .deps import ServerDeps

__all__ = ["ServerDeps", "create_app"]
