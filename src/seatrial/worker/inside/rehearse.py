"""Tries a package's server out in its own container: it boots, answers and stops.

Run as `python -c SOURCE [QUERY]`; writes one JSON object to standard output. Standard library
only, Python 3.9+.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any, Optional

_BOOT_SECONDS = 60.0
_STOP_SECONDS = 20.0
_URL = "http://127.0.0.1:8080"


def main() -> None:
    """Do it, and tell."""
    server = subprocess.Popen([sys.executable, "/serve/agent_server"], stdout=sys.stderr)
    told: dict[str, Any] = {"uid": os.getuid(), "read_only": _is_read_only()}
    try:
        told["ping"] = _ping(server)
        if told["ping"] == 200 and len(sys.argv) > 1:
            told["status"], told["answer"] = _ask(sys.argv[1])
    finally:
        server.terminate()
        try:
            told["exit"] = server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
    print(json.dumps(told))  # noqa: T201 - this is how it tells


def _ping(server: "subprocess.Popen[bytes]") -> Optional[int]:
    end = time.monotonic() + _BOOT_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{_URL}/ping", timeout=5) as answer:  # noqa: S310
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            time.sleep(0.05)
    return None


def _ask(query: str) -> "tuple[int, dict[str, Any]]":
    body = json.dumps({"prompt": query}).encode()
    request = urllib.request.Request(f"{_URL}/invocations", body)  # noqa: S310
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def _is_read_only() -> bool:
    try:
        with open("/serve/new", "w", encoding="ascii"):
            return False
    except OSError:
        return True


if __name__ == "__main__":
    main()
