"""A host application, in the standard library: its page shows tests that run in Seatrial.

    export SEATRIAL_TOKEN=$(seatrial serve --show-token)
    python examples/embed/app.py --seatrial http://127.0.0.1:8710 --port 8800

Then open http://localhost:8800. The back end submits the test and makes the token that the page
shows it with; the browser never sees the API token.
"""

from __future__ import annotations

import argparse
import json
import os
import urllib.error
import urllib.request
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/app.css": ("app.css", "text/css; charset=utf-8"),
}
AGENT = (HERE / "agent.py").read_text()


class Seatrial:
    """The calls of the REST API that a host application needs."""

    def __init__(self, server: str, token: str | None) -> None:
        self.server = server.rstrip("/")
        self._token = token

    def check(self) -> None:
        """SystemExit with what to do, unless the server answers to this token."""
        try:
            self._ask("/api/v1/session")
        except urllib.error.HTTPError as error:
            problem = json.load(error)
            raise SystemExit(f"{problem['detail']} {problem['hint']}") from error
        except urllib.error.URLError as error:
            raise SystemExit(f"Nothing answers at {self.server}: {error.reason}") from error

    def submit(self, query: str) -> str:
        """Queue a test of our agent; its id."""
        request = {"files": {"agent.py": AGENT}, "model": "none", "query": query}
        return self._ask("/api/v1/tests", request)["id"]

    def embed_token(self, test_id: str, origin: str) -> str:
        """What one page of ours may show that one test with, for an hour."""
        return self._ask(f"/api/v1/tests/{test_id}/embed", {"origins": [origin]})["token"]

    def _ask(self, path: str, body: object = None) -> Any:
        """GET, or POST of a body."""
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        content = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.server + path, content, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


class Handler(BaseHTTPRequestHandler):
    """The page, `POST /tests` and `POST /tests/ID/token`."""

    seatrial: Seatrial
    origin: str
    ours: set[str] = set()
    """Tests that this application submitted. A real one asks: may this user see that test?"""

    def do_GET(self) -> None:
        if self.path == "/server":
            return self._json({"server": self.seatrial.server})
        name, kind = FILES.get(self.path, ("", ""))
        if not name:
            return self.send_error(HTTPStatus.NOT_FOUND)
        return self._answer((HERE / name).read_bytes(), kind)

    def do_POST(self) -> None:
        # A browser says which page asks; pages of others may not use our API token.
        if self.headers.get("Origin") != self.origin:
            return self.send_error(HTTPStatus.FORBIDDEN)
        try:
            return self._posted()
        except urllib.error.HTTPError as error:
            return self._answer(error.read(), "application/problem+json", error.code)
        except urllib.error.URLError:
            return self.send_error(HTTPStatus.BAD_GATEWAY, "Seatrial cannot be reached")

    def _posted(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        parts = self.path.strip("/").split("/")
        if parts == ["tests"]:
            test = self.seatrial.submit(str(body["query"]))
            self.ours.add(test)
        elif len(parts) == 3 and parts[::2] == ["tests", "token"] and parts[1] in self.ours:
            test = parts[1]
        else:
            return self.send_error(HTTPStatus.NOT_FOUND)
        return self._json({"test": test, "token": self.seatrial.embed_token(test, self.origin)})

    def _json(self, value: object) -> None:
        self._answer(json.dumps(value).encode(), "application/json")

    def _answer(self, content: bytes, kind: str, status: int = HTTPStatus.OK) -> None:
        server = self.seatrial.server
        policy = (
            f"default-src 'self'; script-src 'self' {server}; connect-src 'self' {server}; "
            "img-src data:"
        )
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of every request."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seatrial", default="http://127.0.0.1:8710", metavar="ADDRESS")
    options.add_argument("--port", type=int, default=8800)
    given = options.parse_args()
    Handler.seatrial = Seatrial(given.seatrial, os.environ.get("SEATRIAL_TOKEN"))
    Handler.seatrial.check()
    with ThreadingHTTPServer(("127.0.0.1", given.port), Handler) as server:
        Handler.origin = f"http://localhost:{server.server_port}"
        print(f"Open {Handler.origin}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
