"""Asks services that describe a model at `/models/NAME`: OpenAI, Anthropic, and compatible ones.

Compatible services differ: some describe none, some list not all that they serve, some let a
key call models but not ask about them. So only an answer about the model itself counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from seatrial.domain.ports import Upstream
from seatrial.gateway import blame
from seatrial.gateway.asking import Answer, NoAnswer, ask
from seatrial.gateway.providers import anthropic, openai
from seatrial.gateway.providers.base import error_text, nested, parse_object
from seatrial.gateway.relay import without_secrets

from .verdicts import SECONDS, refusal

_NO_SUCH_QUESTION = frozenset({400, 404, 405, 501})


async def check_openai(upstream: Upstream, model: str) -> None:
    """FailureError when the service refuses the key or says that it has no such model."""
    headers: Mapping[str, str] = openai.key_headers(upstream.key) if upstream.key else {}
    await _check(upstream, model, "/models", headers)


async def check_anthropic(upstream: Upstream, model: str) -> None:
    """As for OpenAI."""
    key = anthropic.key_headers(upstream.key or "")
    await _check(upstream, model, "/v1/models", {**key, "anthropic-version": anthropic.VERSION})


async def _check(upstream: Upstream, model: str, path: str, headers: Mapping[str, str]) -> None:
    answer = await _ask(upstream, model, f"{path}/{quote(model, safe='')}", headers)
    if answer.status in {403, 404} and _is_about(model, answer):
        denied = answer.status == 403
        shown = without_secrets(upstream.base_url)
        what = "gives no access to" if denied else "has no model"
        message = f"{shown} {what} {model!r}."
        code = "model.access_denied" if denied else "model.not_found"
        raise refusal(code, upstream, model, message, said=_said(answer))
    if answer.status in _NO_SUCH_QUESTION:
        # Nothing is known of the model; the list still tells whether the key is taken.
        await _ask(upstream, model, path, headers)


async def _ask(upstream: Upstream, model: str, path: str, headers: Mapping[str, str]) -> Answer:
    shown = without_secrets(upstream.base_url)
    try:
        answer = await ask(
            upstream.base_url,
            path,
            headers=headers,
            seconds=SECONDS,
            may_be_private=upstream.may_be_private,
        )
    except NoAnswer as error:
        raise refusal("model.unreachable", upstream, model, str(error)) from None
    if answer.status == 401:
        message = f"{shown} refused the key."
        raise refusal("model.auth_failed", upstream, model, message, said=_said(answer))
    if answer.status >= 500 and answer.status != 501:
        message = f"{shown} answered {answer.status}."
        raise refusal("model.unreachable", upstream, model, message)
    return answer


def _is_about(model: str, answer: Answer) -> bool:
    """Whether an error speaks of the model, and not of a path that the service does not have."""
    body = parse_object(answer.body)
    if body is None:
        return False
    if nested(body, "error").get("code") == "model_not_found":
        return True
    said = error_text(body) or ""
    return model in said and "/models" not in said


def _said(answer: Answer) -> str:
    return blame.message_of(answer.status, answer.body)
