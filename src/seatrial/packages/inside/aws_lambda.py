"""The Lambda side: asks Lambda's runtime API for events and answers them, one at a time.

An event is a call of the function's URL (GET /ping, POST /invocations) or the plain object of an
`aws lambda invoke`: {"prompt": "..."}.
"""

import base64
import json
import os
import urllib.request
from typing import Any

from .asked import BadQuestion, answered, query_in, query_of
from .http_server import health
from .runs import Runs

_API = "2018-06-01/runtime"


def is_here() -> bool:
    """Whether this container runs on Lambda."""
    return "AWS_LAMBDA_RUNTIME_API" in os.environ


def work(runs: Runs) -> None:
    """Answer events for ever; Lambda ends the process."""
    base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/{_API}"
    while True:
        with urllib.request.urlopen(f"{base}/invocation/next") as answer:  # noqa: S310
            event = json.loads(answer.read())
            request_id = answer.headers["Lambda-Runtime-Aws-Request-Id"]
        _post(f"{base}/invocation/{request_id}/response", handled(runs, event))


def failed_to_start(message: str) -> None:
    """Tell Lambda why there will be no answers."""
    url = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/{_API}/init/error"
    _post(url, {"errorType": "Agent.NotStarted", "errorMessage": message})


def handled(runs: Runs, event: Any) -> "dict[str, Any]":
    """What an event is answered with."""
    if isinstance(event, dict) and "requestContext" in event:
        status, body = _from_url(runs, event)  # pyright: ignore[reportUnknownArgumentType]
        return {
            "statusCode": status,
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps(body, ensure_ascii=False),
        }
    try:
        return answered(runs, query_in(event), _ignore)[1]
    except BadQuestion as error:
        return {"error": str(error), "code": "request.malformed"}


def _from_url(runs: Runs, event: "dict[str, Any]") -> "tuple[int, dict[str, Any]]":
    if event.get("rawPath") == "/ping":
        return health(runs)
    if event.get("rawPath") not in ("/invocations", "/"):
        return 404, {"error": "Only GET /ping and POST /invocations are here."}
    body = event.get("body") or ""
    data = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode("utf-8")
    try:
        return answered(runs, query_of(data), _ignore)
    except BadQuestion as error:
        return 400, {"error": str(error), "code": "request.malformed"}


def _post(url: str, body: "dict[str, Any]") -> None:
    data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        answer.read()


def _ignore(_: str) -> None:
    """Lambda takes whole answers."""
