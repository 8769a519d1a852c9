"""Agents in folders: the package's server finds their modules as the test did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seatrial.packages.image import server_files

_ASK = (
    "import os, sys; from agent_server.config import read_config; "
    "from agent_server.runs import Runs; runs = Runs(read_config(), dict(os.environ)); "
    "print(runs.answer('hello', lambda piece: None).text)"
)
_WORD = "WORD = 'own'"
_RUN = "\ndef run(q): return WORD + ' ' + q"


def _ask(folder: Path, files: dict[str, str], file: str, name: str) -> str:
    for path, text in files.items():
        (folder / "app" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "app" / path).write_text(text)
    for path, data in server_files().items():
        (folder / "server/agent_server" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "server/agent_server" / path).write_bytes(data)
    config: dict[str, object] = {
        "root": str(folder / "app"),
        "file": file,
        "name": name,
        "timeout_seconds": 30,
        "response_bytes": 10_000,
        "secrets": [],
    }
    (folder / "server/agent.json").write_text(json.dumps(config))
    environment = {**os.environ, "PYTHONPATH": str(folder / "server")}
    done = subprocess.run(
        [sys.executable, "-c", _ASK],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


LAYOUTS = {
    "package": (
        {"app/__init__.py": "", "app/words.py": _WORD},
        ("app/agent.py", "from app.words import WORD" + _RUN, "run"),
    ),
    "src layout": (
        {"src/w/__init__.py": "", "src/w/words.py": _WORD},
        ("src/w/agent.py", "from w.words import WORD" + _RUN, "run"),
    ),
    "beside": (
        {"agents/one/words.py": _WORD},
        ("agents/one/agent.py", "from words import WORD" + _RUN, "run"),
    ),
    "module entry": (
        {"app/__init__.py": "", "app/words.py": _WORD},
        ("app/__main__.py", "import sys\nfrom .words import WORD\nprint(WORD, sys.argv[1])", ""),
    ),
    "guarded script of a package": (
        {"app/__init__.py": "", "app/words.py": _WORD},
        (
            "app/bot.py",
            "import sys\nfrom .words import WORD\nif __name__ == '__main__':\n"
            "    print(WORD, sys.argv[1])",
            "",
        ),
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_package_finds_the_modules_of_an_agent_in_a_folder(tmp_path: Path, name: str) -> None:
    files, (file, code, called) = LAYOUTS[name]
    assert _ask(tmp_path, {**files, file: code}, file, called) == "own hello"


def test_a_package_works_in_a_copy_that_the_next_query_does_not_see(tmp_path: Path) -> None:
    code = (
        "import os, pathlib\n"
        "def run(q):\n"
        "    there = os.path.exists('memory.db')\n"
        "    pathlib.Path('memory.db').write_text(q)\n"
        "    pathlib.Path(__file__).write_text('changed')\n"
        "    return f'{there} {open(\"notes.txt\").read()}'"
    )
    files = {"agent.py": code, "notes.txt": "notes"}
    for _ in range(2):
        assert _ask(tmp_path, files, "agent.py", "run") == "False notes"
    assert sorted(path.name for path in (tmp_path / "app").iterdir()) == ["agent.py", "notes.txt"]
    assert (tmp_path / "app/agent.py").read_text() == code
