"""A model service that gives away the key it was called with, in every way that it can."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .written import ways


class LeakyService(ThreadingHTTPServer):
    """Speaks enough of chat completions. What an agent asks for is how the key is given away."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.keys: list[str] = []
        self.reached = threading.Event()
        self.let_go = threading.Event()

    @property
    def url(self) -> str:
        """Its base address, as an OpenAI-compatible service has one."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


@contextmanager
def leaky_service() -> Generator[LeakyService]:
    """Start one; it ends with the block."""
    service = LeakyService()
    thread = threading.Thread(target=service.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.let_go.set()
        service.shutdown()
        service.server_close()
        thread.join()


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LeakyService  # pyright: ignore[reportIncompatibleVariableOverride]

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._send(200, {"data": [{"id": "m", "object": "model"}]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.server.keys.append(key)
        how = asked["messages"][-1]["content"]
        given = ways(key)
        if how == "refuse":
            self._send(401, {"error": {"message": f"Incorrect API key: {key}", "all": given}})
        elif how == "redirect":
            self._send(307, {}, Location=f"https://elsewhere.test/?key={given['url']}")
        elif how == "trickle":
            self._trickle(f"{key} {given['base64 after 1']} {given['hex']}".encode())
        else:
            if how == "hold":
                self.server.reached.set()
                self.server.let_go.wait(100)
            echo = dict(self.headers.items())
            self._send(200, {**_answer(f"key {key}"), "headers": echo, "all": given}, X_Echo=key)

    def _send(self, status: int, body: object, **headers: str) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def _trickle(self, data: bytes) -> None:
        """One byte of the key a chunk."""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for byte in data:
            self.wfile.write(b"1\r\n" + bytes([byte]) + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


def _answer(text: str) -> dict[str, object]:
    message = {"role": "assistant", "content": text}
    return {
        "id": "c1",
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
