"""When a package loads its agent: ahead of the query, unless the agent reads it while loading."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from tests.support.growth import assert_linear
from tests.support.package_images import free_port
from tests.support.tested import succeeded

from seatrial.domain.requests import TestRequest
from seatrial.packages.image import image_files
from seatrial.packages.loading import reads_arguments

PRINTS = """
import sys

def ask(query):
    return f"asked {query}, loaded with {LOADED}"

LOADED = sys.argv[1]
print(ask(LOADED))
"""
GUARDED = """
import sys

def ask(query):
    return f"asked {query}, loaded with {LOADED}"

LOADED = "nothing"
if __name__ == "__main__":
    print(ask(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        (PRINTS, True),
        (GUARDED, False),
        ("from sys import argv\n", True),
        ("import argparse\nasked = argparse.ArgumentParser().parse_args()\n", True),
        ("def run(query): return query\n", False),
        ("def broken(:", False),
        ("text = f\"{__import__('sys').argv}\"\n", True),
        ('text = "argv"  # argv\n', False),
        ('if "__main__" == __name__: run(sys.argv)\n', False),
        ("if __name__ == '__main__':\n    run()\nelse:\n    parse_args()\n", False),
        ("if __name__ == '__main__':\n    run()\n\nasked = parser.parse_args()\n", True),
        ("if debug:\n    print(sys.argv)\n", True),
    ],
)
def test_what_reads_its_arguments_while_it_is_loaded_is_known(source: str, reads: bool) -> None:
    assert reads_arguments(source) is reads


@pytest.mark.parametrize("shape", ["import argv{}\n", 'f"{{argv}}{}"\n', "argv{}\n", "({}argv\n"])
@pytest.mark.parametrize("piece", [".a", "{a}", "[0]", "(", "\n", " "])
def test_a_source_is_read_in_linear_time(shape: str, piece: str) -> None:
    assert_linear(lambda size: reads_arguments(shape.format(piece * size)), f"{shape!r} {piece!r}")


@pytest.mark.spec("SC-008")
@pytest.mark.parametrize(
    ("source", "loaded"), [(PRINTS, "the sea"), (GUARDED, "nothing")], ids=["prints", "guarded"]
)
def test_a_package_loads_its_agent_as_the_test_did(
    source: str, loaded: str, tmp_path: Path
) -> None:
    request = TestRequest(files={"agent.py": source}, query="q", model="none")
    tested = succeeded(request=request, entry_point="agent.py:ask")
    for path, data in image_files(tested, concurrency=1).items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    config = tmp_path / "server" / "agent.json"
    told = json.loads(config.read_text())
    config.write_text(json.dumps({**told, "root": str(tmp_path / "app")}))
    assert asked(tmp_path / "server" / "agent_server", "the sea") == {
        "response": f"asked the sea, loaded with {loaded}"
    }


def asked(server: Path, query: str) -> object:
    """What the package's server answers."""
    port = free_port()
    environment = {**os.environ, "PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, str(server)], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        assert "Listening" in process.stderr.readline()
        body = json.dumps({"prompt": query}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())
    finally:
        process.terminate()
        process.communicate()
