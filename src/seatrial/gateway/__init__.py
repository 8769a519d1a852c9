"""The container's one door to the outside, and the only place where provider keys exist."""

from .discovery import LocalProviders
from .gateway import SocketGateway

__all__ = ["LocalProviders", "SocketGateway"]
