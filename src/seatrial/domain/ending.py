"""What a worker knows of an attempt's end besides the journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .validation.limits import Maxima

StopReason = Literal["cancelled", "deadline", "silent"]
"""Why the worker itself ended a container: asked to, time over, or process 1 went silent."""


@dataclass(frozen=True)
class Ending:
    """What the worker knows besides the journal when a container has ended.

    `stopped` is set when the worker killed it. `model_named` tells whether the request itself
    names a model. `adopted` marks an attempt whose first worker died. `maxima` are the most that
    a changed request may ask for.
    """

    container_code: int | None = None
    container_oom: bool = False
    evidence: str = ""
    stopped: StopReason | None = None
    model_named: bool = False
    adopted: bool = False
    maxima: Maxima = field(default_factory=Maxima)
