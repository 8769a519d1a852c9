"""Decides whether a call may pass. Pure: a call and a door's upstreams in, a verdict out."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from seatrial.domain.ports import Upstream

from . import bodies
from .providers.base import Operation, Provider

NOT_ALLOWED = "model.not_allowed"
BAD_REQUEST = "model.bad_request"


@dataclass(frozen=True)
class Refusal:
    """Why a call does not pass. None of the statuses is one that SDKs try again.

    `error` is the catalogue entry to blame, None when it is no model call.
    """

    status: int
    code: str
    message: str
    error: str | None = None
    model: str = ""


@dataclass(frozen=True)
class Body:
    """What a call's body says of its model.

    `fields` are the members of its top level that name a model in any spelling, in order and
    with doubled ones: the name as written, and the value or None when it is no string.
    `problem` is why the body cannot be read.
    """

    fields: tuple[tuple[str, str | None], ...] = ()
    problem: str = ""


class ModelFields:
    """Collects what a body says of its model while it is read; see `bodies.Turns.visit`."""

    def __init__(self, operation: Operation) -> None:
        self._wanted = frozenset(operation.model_fields)
        self._fields: list[tuple[str, str | None]] = []

    def visit(self, path: bodies.Path, value: bodies.Value) -> None:
        """Take one member."""
        if len(path) != 1:
            return
        name = str(path[0])
        if name.casefold() in self._wanted:
            text = value.beginning if isinstance(value, bodies.LongText) else value
            self._fields.append((name, text if isinstance(text, str) else None))

    @property
    def body(self) -> Body:
        """What was collected."""
        return Body(tuple(self._fields))


def asked_models(operation: Operation, body: Body) -> tuple[str, ...] | None:
    """Every model that the call names; None when servers might read it differently.

    Decoders written in Go match names without regard to case and take the last of doubled
    ones, so a body that says `model` twice in any spelling has no single meaning.
    """
    if operation.path_model is not None:
        return (operation.path_model,)
    for field in operation.model_fields:
        spellings = [name for name, _ in body.fields if name.casefold() == field]
        if spellings not in ([], [field]):
            return None
    values = dict(body.fields)
    asked = [values[field] for field in operation.model_fields if field in values]
    return None if None in asked else tuple(model for model in asked if model is not None)


def allows(provider: Provider, upstream: Upstream) -> Callable[[str], bool]:
    """Whether the upstream may be asked for a model of that name, in any of its spellings."""
    allowed = {provider.canonical(model) for model in upstream.models}
    return lambda model: provider.canonical(model) in allowed


def no_upstream(provider: Provider, upstreams: Collection[Upstream], asked: str) -> Refusal:
    """The test names no model of this provider."""
    if not upstreams:
        message = "This test offers no model. Run it with --model provider:model."
    else:
        message = (
            f"This test offers no model of {provider.name}; it may use {_offer(upstreams)}. "
            f"Run it with --model {provider.name}:{asked or 'MODEL'}, or change the agent."
        )
    return Refusal(403, "model_not_allowed", message, NOT_ALLOWED, asked)


def no_operation(provider: Provider, method: str, path: str) -> Refusal:
    """The path is none that an agent may use."""
    message = (
        f"{method} {shown(path)} of {provider.name} is not available to agents: "
        "a test may call its model and nothing else of the service."
    )
    return Refusal(403, "endpoint_not_allowed", message)


def check_models(
    provider: Provider, upstream: Upstream, operation: Operation, body: Body
) -> tuple[Refusal | None, str]:
    """Hold a call to the test's models: the refusal or None, and the model it names."""
    if operation.path_model is None and not operation.model_fields:
        return None, ""
    if body.problem:
        return _bad(body.problem), ""
    asked = asked_models(operation, body)
    if not asked:
        return _bad("The call must name its model, exactly once and as a text."), ""
    may = allows(provider, upstream)
    for model in asked:
        if not may(model):
            return _wrong_model(provider, upstream, model), shown(model)
    return None, shown(asked[0])


def asked_name(operation: Operation, body: Body) -> str:
    """The model that a call names, for a message; empty when it names none clearly."""
    asked = asked_models(operation, body)
    return shown(asked[0]) if asked else ""


def shown(text: str, limit: int = 200) -> str:
    """Foreign text made fit for a journal: short, without control characters."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:limit])


def _bad(message: str) -> Refusal:
    return Refusal(400, "invalid_request", message, BAD_REQUEST)


def _wrong_model(provider: Provider, upstream: Upstream, model: str) -> Refusal:
    name = shown(model)
    allowed = ", ".join(sorted(upstream.models))
    message = (
        f"The agent asked for the model {name!r}; this test may use {allowed}. "
        f"Run it with --model {provider.name}:{name}, or change the agent."
    )
    return Refusal(403, "model_not_allowed", message, NOT_ALLOWED, name)


def _offer(upstreams: Collection[Upstream]) -> str:
    names = {f"{u.provider}:{model}" for u in upstreams for model in u.models}
    return ", ".join(sorted(names))
