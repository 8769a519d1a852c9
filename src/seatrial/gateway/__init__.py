"""The container's one door to the outside, and the only place where provider keys exist."""

from .accounts import AccountProviders
from .discovery import LocalProviders
from .gateway import SocketGateway
from .pulls import OllamaPulls
from .secrets import TestSecrets

__all__ = ["AccountProviders", "LocalProviders", "OllamaPulls", "SocketGateway", "TestSecrets"]
