#!/usr/bin/env python3
"""Put into an image in the place of Ollama's program: serve, list, pull, as a task uses them.

Knows a model only after it was pulled, as Ollama does; what it answers is no model's.
"""

import http.server
import json
import os
import sys
import urllib.request

MODELS: "list[str]" = []


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.say(200, {"models": [{"name": name} for name in MODELS]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/pull":
            MODELS.append(asked["model"])
            self.say(200, {"status": "success"})
        elif asked["model"] in MODELS:
            said = f"{asked['model']} heard {asked['messages'][-1]['content']}"
            self.say(200, {"message": {"role": "assistant", "content": said}, "done": True})
        else:
            self.say(404, {"error": f"model '{asked['model']}' not found"})

    def say(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def address() -> "tuple[str, int]":
    host, _, port = os.environ["OLLAMA_HOST"].partition(":")
    return host, int(port)


def ask(path: str, body: object = None) -> None:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(
        "http://{}:{}{}".format(*address(), path), data, timeout=5
    ) as answer:
        print(answer.read().decode())


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        http.server.ThreadingHTTPServer(address(), Server).serve_forever()
    elif sys.argv[1:] == ["list"]:
        ask("/api/tags")
    else:
        assert sys.argv[1] == "pull"
        ask("/api/pull", {"model": sys.argv[2], "stream": False})
