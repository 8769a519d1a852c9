"""Having Ollama pull a model: which names it may be asked for, and how far it is. Pure."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from .errors import FieldProblem

_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
_NAMESPACE = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}"
# Ollama's types/model/name.go, without what leads out of its own library: host and digest.
_NAME = re.compile(rf"(?:{_NAMESPACE}/)?{_PART}(?::{_PART})?", re.ASCII)


class PullProgress(BaseModel):
    """How far a pull is.

    The bytes are those of all layers that Ollama has named so far, so their total may still grow;
    0 while none is named. `done` is true in the last one alone: the model can be used.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    status: str = Field(description="Ollama's own words for what it does now.")
    completed_bytes: int = Field(default=0, ge=0)
    total_bytes: int = Field(default=0, ge=0)
    done: bool = False


class ModelPulls(Protocol):
    """Has the operator's own Ollama pull models."""

    def pull(self, model: str) -> AsyncGenerator[PullProgress, None]:
        """How far the pull of this model is, whenever that changes, until it is done.

        Whoever asks for a model that is being pulled follows the same pull. When the last of
        them closes its generator, the pull ends; Ollama keeps what it has and goes on there
        next time. The name was checked (`pull_problem`). PullFailed.
        """
        ...


def pull_problem(model: str) -> FieldProblem | None:
    """Why this model may not be pulled by its name; None when it may.

    >>> pull_problem("hf.co/somebody/some-model").code
    'registry_not_allowed'
    """
    if _NAME.fullmatch(model):
        return None
    before, slash, _ = model.rpartition("/")
    if "@" in model or (slash and not re.fullmatch(_NAMESPACE, before, re.ASCII)):
        message = (
            "Only models of Ollama's own library are pulled, by name or namespace/name: with a "
            "host or a digest in the name, Ollama would fetch from wherever it says."
        )
        return FieldProblem("model", message, "registry_not_allowed")
    message = "A model to pull is written like llama3.2, llama3.2:1b or namespace/name:tag."
    return FieldProblem("model", message, "invalid")
