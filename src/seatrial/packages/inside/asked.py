"""From what a caller sent to the query, and from the answer to what the caller gets."""

import json
from typing import Any, Callable

from .runs import AgentFailed, Busy, Response, Runs, TooSlow

QUERY_KEYS = ("prompt", "query", "input", "message")
"""Where the query may stand in a JSON object, in the order of looking."""


class BadQuestion(Exception):
    """The body holds no query; the message says what is expected."""


def query_of(body: bytes) -> str:
    """The query of a request: a JSON object's, a JSON text, or plain text. BadQuestion."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadQuestion("The body is not UTF-8.") from error
    try:
        found = json.loads(text)
    except ValueError:
        found = text
    return query_in(found)


def query_in(found: Any) -> str:
    """The query in parsed JSON. BadQuestion."""
    if isinstance(found, dict):
        found = next((found[key] for key in QUERY_KEYS if key in found), None)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(found, str) and found.strip():
        return found
    raise BadQuestion('Send {"prompt": "your query"} as JSON.')


def answered(runs: Runs, query: str, emit: Callable[[str], None]) -> "tuple[int, dict[str, Any]]":
    """HTTP status and JSON body that a query is answered with."""
    try:
        response = runs.answer(query, emit)
    except AgentFailed as error:
        return 500, {"error": str(error), "code": "agent.failed"}
    except TooSlow:
        return 504, {"error": "The agent did not answer in time.", "code": "agent.timeout"}
    except Busy:
        return 503, {"error": "Too many queries at one time.", "code": "agent.busy"}
    return 200, _body(response)


def _body(response: Response) -> "dict[str, Any]":
    body: dict[str, Any] = {"response": response.text}
    if response.value is not None:
        body["value"] = response.value
    return body
