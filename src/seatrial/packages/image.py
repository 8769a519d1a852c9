"""The folder `agent/`: the tested files, the server around them, the Dockerfile. Pure."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from .loading import reads_arguments
from .render import render
from .tested import Tested

_REGISTRY = "public.ecr.aws/docker/library"
"""The official Python images, from where pulling them needs no account.

Named when the test ran on an image that no registry has."""

_OFFICIAL = "the official image of the tested Python version"

_IMPORT = re.compile(r"^from seatrial\.harness\.", re.MULTILINE)


def image_files(tested: Tested, *, concurrency: int) -> dict[str, bytes]:
    """Every file of the build context, by path below `agent/`."""
    request = tested.test.request
    files = {f"app/{path}": text.encode("utf-8") for path, text in request.files.items()}
    files |= {f"server/agent_server/{path}": data for path, data in server_files().items()}
    files["server/agent.json"] = _json(agent_config(tested, concurrency))
    files["requirements.txt"] = tested.build.lock.encode("utf-8")
    files["Dockerfile"] = dockerfile(tested).encode("utf-8")
    files[".dockerignore"] = render("dockerignore").encode("utf-8")
    return files


@cache
def server_files() -> dict[str, bytes]:
    """The server, with the harness's own code that finds and calls an agent."""
    package = resources.files("seatrial.packages") / "inside"
    harness = resources.files("seatrial.harness")
    found = {item.name: item for item in package.iterdir() if item.name.endswith(".py")}
    found |= {name: harness / name for name in ("detect.py", "modules.py", "serving.py")}
    for item in (harness / "frameworks").iterdir():
        if item.name.endswith(".py"):
            found[f"frameworks/{item.name}"] = item
    return {path: _own_imports(item) for path, item in sorted(found.items())}


def agent_config(tested: Tested, concurrency: int) -> dict[str, object]:
    """What the server is told of its agent."""
    file, _, name = tested.result.entry_point.partition(":")
    request = tested.test.request
    return {
        "root": "/agent",
        "file": file,
        "name": name,
        "timeout_seconds": request.timeout_seconds,
        "response_bytes": request.limits.response_kb * 1024,
        "concurrency": concurrency,
        "env": tested.variables,
        "secrets": [*tested.secrets, *tested.addresses],
        "openai_by_ollama": tested.openai_by_ollama,
        "query_first": bool(name) and reads_arguments(request.files.get(file, "")),
    }


def dockerfile(tested: Tested) -> str:
    """The Dockerfile for the tested Python version."""
    if not tested.build.lock.strip():
        install = "install_nothing"
    else:
        install = "install_source" if tested.build.from_source else "install"
    base = "the very image that it was tested on" if tested.build.published else _OFFICIAL
    values = {"PYTHON_IMAGE": base_image(tested), "BASE": base, "INSTALL": render(install)}
    return render("Dockerfile", values)


def base_image(tested: Tested) -> str:
    """The tested image by its digest; else the official slim one of the tested Python version."""
    return tested.build.published or f"{_REGISTRY}/python:{tested.build.python}-slim"


def _own_imports(item: Traversable) -> bytes:
    """In a package, what was the harness's stands beside the server."""
    return _IMPORT.sub("from .", item.read_text("utf-8")).encode("utf-8")


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8")
