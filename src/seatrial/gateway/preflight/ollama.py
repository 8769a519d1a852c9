"""Asks Ollama whether it has a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seatrial.domain.fixes import PULL_MODEL
from seatrial.domain.ports import Upstream
from seatrial.domain.pulls import pull_problem
from seatrial.gateway import blame
from seatrial.gateway.asking import Answer, NoAnswer, ask
from seatrial.gateway.listing import names
from seatrial.gateway.places import Places
from seatrial.gateway.providers import ollama
from seatrial.gateway.providers.base import parse_object
from seatrial.gateway.relay import without_secrets

from .verdicts import SECONDS, refusal

_UNKNOWN_THERE = frozenset({404, 405, 501})
"""What a service without the question answers."""


class OllamaCheck:
    """The check of one installation, whose own Ollama can be had to pull what it has not."""

    def __init__(self, places: Places) -> None:
        """`places` says where that one is."""
        self._places = places

    async def check(self, upstream: Upstream, model: str) -> None:
        """FailureError unless it is listed or can be shown. A service without a list passes."""
        there = await _models(upstream, model)
        if there is None:
            return
        message = (
            f"Ollama at {without_secrets(upstream.base_url)} has no model {model!r}; "
            f"it has: {', '.join(there) or 'none'}."
        )
        if upstream.base_url != self._places.ollama or pull_problem(model) is not None:
            raise refusal("model.not_found", upstream, model, message)
        to_do = f"Pull it (`seatrial providers pull {model}` or `ollama pull {model}`), then retry."
        fix: dict[str, str | int] = {PULL_MODEL: model}
        raise refusal("model.not_found", upstream, model, message, to_do=to_do, fix=fix)


async def _models(upstream: Upstream, model: str) -> tuple[str, ...] | None:
    """What it has, where this model is not among it; None where it is or that is not told."""
    listed = await _ask(upstream, model, "/api/tags")
    listing = parse_object(listed.body) if listed.status == 200 else None
    if listing is None:
        return None
    there = names(listing.get("models"), "name")
    if ollama.canonical(model) in {ollama.canonical(name) for name in there}:
        return None
    # A name may have more spellings than the list: the service's own word decides.
    found = await _ask(upstream, model, "/api/show", {"model": model})
    return there if found.status == 404 else None


async def _ask(
    upstream: Upstream, model: str, path: str, json: dict[str, Any] | None = None
) -> Answer:
    headers: Mapping[str, str] = ollama.key_headers(upstream.key) if upstream.key else {}
    shown = without_secrets(upstream.base_url)
    try:
        answer = await ask(
            upstream.base_url,
            path,
            headers=headers,
            json=json,
            seconds=SECONDS,
            may_be_private=upstream.may_be_private,
        )
    except NoAnswer as error:
        message = f"Ollama does not answer at {shown}: {error}"
        raise refusal("model.unreachable", upstream, model, message) from None
    if answer.status == 401:
        message = f"{shown} refused the credential."
        said = blame.message_of(answer.status, answer.body)
        raise refusal("model.auth_failed", upstream, model, message, said=said)
    if answer.status >= 500 and answer.status not in _UNKNOWN_THERE:
        message = f"Ollama does not answer at {shown}: it answered {answer.status}"
        raise refusal("model.unreachable", upstream, model, message)
    return answer
