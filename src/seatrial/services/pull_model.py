"""Have a provider pull a model."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from seatrial.domain.errors import InvalidRequest, NotAllowed, NotFound
from seatrial.domain.pulls import ModelPulls, PullProgress, pull_problem

PULLING = "ollama"
"""The provider that pulls models."""


def pull_model(
    pulls: ModelPulls | None, provider: str, model: str, *, allowed: bool
) -> AsyncGenerator[PullProgress, None]:
    """How far the pull is, until the model is there; see ModelPulls.

    Before anything is asked: NotFound where the provider pulls none, NotAllowed, InvalidRequest
    for a name that leads elsewhere than to the provider's own library.
    """
    if provider != PULLING or pulls is None:
        raise NotFound(
            "No provider of that name pulls models here.",
            hint="Ollama does, where a worker runs in the server's own process.",
        )
    if not allowed:
        raise NotAllowed(
            "This server lets no user pull models: they fill its operator's disk.",
            hint="Ask the operator for the model, or to set SEATRIAL_OLLAMA_PULL=1.",
        )
    problem = pull_problem(model)
    if problem is not None:
        raise InvalidRequest((problem,))
    return pulls.pull(model)
