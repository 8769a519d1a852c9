"""The container's side of a door, as `seatrial.testing` ships it."""

from __future__ import annotations

from seatrial.testing.doors import KEY, Container, Recorded, Reports, container

__all__ = ["KEY", "Container", "Recorded", "Reports", "container"]
