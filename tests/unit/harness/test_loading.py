"""Loading an agent's file: once, under its own name, without the server that it starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SERVER = """
import socket
def run():
    socket.socket().bind(("127.0.0.1", 0))
    raise SystemExit("the server ran")
"""
AGENT = """
from bedrock_agentcore import runtime
handler = "kept"
runtime.run()
handler = "lost"
"""
PROGRAM = """
import sys
from seatrial.harness.modules import import_paths, load
from seatrial.harness.serving import hand_over
root, file = sys.argv[1:]
sys.path[:0] = import_paths(root, file)
hand_over()
print(load(root, file).handler)
"""


def loaded(root: Path, file: str, **files: str) -> subprocess.CompletedProcess[str]:
    """Load it in a process of its own: what audits a process cannot be taken away again."""
    files = {
        "bedrock_agentcore/__init__.py": "",
        "bedrock_agentcore/runtime.py": SERVER,
        file: AGENT,
        **files,
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    command = [sys.executable, "-c", PROGRAM, str(root), file]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("file", "files"),
    [
        ("agent.py", {}),
        ("app/agent.py", {"app/__init__.py": ""}),
        ("app/deep/agent.py", {"app/__init__.py": "", "app/deep/__init__.py": ""}),
        ("src/app/agent.py", {"src/app/__init__.py": ""}),
    ],
)
def test_a_server_that_hands_over_is_not_started(
    tmp_path: Path, file: str, files: dict[str, str]
) -> None:
    done = loaded(tmp_path, file, **files)
    assert (done.stdout, done.returncode) == ("kept\n", 0), done.stderr


def test_a_module_that_its_package_imports_is_loaded_once(tmp_path: Path) -> None:
    counting = "print('loaded')\nhandler = 'kept'\n"
    files = {"app/__init__.py": "from . import agent", "app/agent.py": counting}
    done = loaded(tmp_path, "app/agent.py", **files)
    assert done.stdout == "loaded\nkept\n", done.stderr


def test_a_package_that_another_one_hides_is_said_to_be_missing(tmp_path: Path) -> None:
    done = loaded(tmp_path, "importlib/agent.py", **{"importlib/__init__.py": ""})
    assert "ModuleNotFoundError: No module named 'importlib.agent'" in done.stderr
