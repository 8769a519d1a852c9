"""The side of Lambda that a container talks to: the runtime API, over real HTTP."""

from __future__ import annotations

import json
import queue
import threading
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_SECONDS = 60


class LambdaRuntime:
    """Hands events to one container and takes its answers. `address` is what it is told."""

    def __init__(self) -> None:
        self._events: queue.Queue[tuple[str, object]] = queue.Queue()
        self._answers: queue.Queue[tuple[str, Any]] = queue.Queue()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                request_id, event = outer._events.get()
                data = json.dumps(event).encode()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer._answers.put((self.path, json.loads(body)))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.address = f"127.0.0.1:{self._server.server_port}"

    def invoke(self, event: object) -> Any:
        """What the container answers the event with."""
        request_id = str(uuid.uuid4())
        self._events.put((request_id, event))
        path, answer = self._answers.get(timeout=_SECONDS)
        assert path == f"/2018-06-01/runtime/invocation/{request_id}/response"
        return answer

    def init_error(self) -> Any:
        """Why the container says that it cannot start."""
        path, answer = self._answers.get(timeout=_SECONDS)
        assert path == "/2018-06-01/runtime/init/error"
        return answer

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def lambda_runtime() -> Generator[LambdaRuntime]:
    """A runtime API while the block runs."""
    runtime = LambdaRuntime()
    try:
        yield runtime
    finally:
        runtime.close()


def url_event(method: str, path: str, body: object = None) -> dict[str, object]:
    """What Lambda makes of a request to the function's URL."""
    return {
        "version": "2.0",
        "rawPath": path,
        "requestContext": {"http": {"method": method, "path": path}},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
