"""The options that stand before the command."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Globals:
    """What `seatrial --url …` was given.

    The token comes by SEATRIAL_TOKEN only: other users of the machine can read arguments.
    """

    url: str | None = None
