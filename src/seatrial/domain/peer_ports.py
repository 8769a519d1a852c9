"""Who may use a socket of one container."""

from __future__ import annotations

from typing import Any, Protocol


class Peers(Protocol):
    """Which processes may use a socket of one container."""

    def admits(self, connection: Any, /) -> bool:
        """Whether this connection comes from where it may. Cheap: asked for each one, in the loop.

        `connection` has a socket's `getsockopt`.
        """
        ...
