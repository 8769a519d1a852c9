"""The HTTP side: GET /ping and POST /invocations, whole or as a stream of events."""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Optional

from .asked import BadQuestion, answered, query_of
from .runs import Runs

MAX_BODY_BYTES = 6 * 1024 * 1024
_BODY_SECONDS = 30


class Server(ThreadingHTTPServer):
    """Listens on all addresses of the container."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, runs: Runs) -> None:
        """Bind the port. OSError when it is taken."""
        self.runs = runs
        super().__init__(("0.0.0.0", port), Handler)  # noqa: S104 - its container's own network

    def stop(self) -> None:
        """Take no more requests; `serve_forever` returns. From any thread."""
        threading.Thread(target=self.shutdown, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = _BODY_SECONDS
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        """Tell how it is."""
        if self.path.partition("?")[0] != "/ping":
            self._json(404, {"error": "Only GET /ping and POST /invocations are here."})
            return
        status, body = health(self.server.runs)
        self._json(status, body)

    def do_POST(self) -> None:
        """Ask the agent."""
        body = self._read()
        if body is None:
            return
        if self.path.partition("?")[0] != "/invocations":
            self._json(404, {"error": "Only GET /ping and POST /invocations are here."})
            return
        try:
            query = query_of(body)
        except BadQuestion as error:
            self._json(400, {"error": str(error), "code": "request.malformed"})
            return
        if "text/event-stream" in self.headers.get("Accept", ""):
            self._stream(query)
        else:
            status, answer = answered(self.server.runs, query, _ignore)
            self._json(status, answer)

    def log_message(self, format: str, *args: Any) -> None:
        """One line per request that failed; queries and answers are never logged."""
        if len(args) > 1 and str(args[1]) >= "400":
            sys.stderr.write(f"{self.command} {self.path.partition('?')[0]} {args[1]}\n")

    def _read(self) -> Optional[bytes]:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self._refuse(411, "Send a Content-Length.")
            return None
        if int(length) > MAX_BODY_BYTES:
            self._refuse(413, f"The body may have {MAX_BODY_BYTES} bytes.")
            return None
        return self.rfile.read(int(length))

    def _refuse(self, status: int, why: str) -> None:
        self.close_connection = True
        self._json(status, {"error": why, "code": "request.malformed"})

    def _json(self, status: int, body: "dict[str, Any]") -> None:
        data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, query: str) -> None:
        """Pieces as they come, then one event `result` or `error` with the whole."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Connection", "close")
        self.end_headers()
        status, answer = answered(self.server.runs, query, lambda piece: self._event("", piece))
        self._event("result" if status == 200 else "error", answer)

    def _event(self, name: str, data: Any) -> None:
        head = f"event: {name}\n" if name else ""
        text = f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n"
        self.wfile.write(text.encode("utf-8", "replace"))


def health(runs: Runs) -> "tuple[int, dict[str, Any]]":
    """The answer to /ping: as AgentCore asks for it, and 503 while the agent can't be loaded."""
    if runs.problem:
        return 503, {"status": "Unhealthy", "reason": runs.problem}
    status = "HealthyBusy" if runs.busy else "Healthy"
    return 200, {"status": status, "time_of_last_update": int(time.time())}


def _ignore(_: str) -> None:
    """Whoever wants the whole answer does not want its pieces."""
