"""P11, of packages: what a test installed is not run to verify the package that is made of it.

Every wheel here runs code as soon as anything imports or starts what it holds. Its code may run in
the agent's own process, and nowhere else: elsewhere it reports to a listener on the host, leaves
its name in the output, and ends the process that it runs in, so that the verification fails.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uv

from seatrial.domain.packages import Rehearsal
from seatrial.domain.phases import Outcome
from seatrial.engines.docker import debian
from tests.support.local_index import LocalIndex, wheel
from tests.support.package_images import Engine
from tests.support.rehearsals import tried_out
from tests.support.serving import Serving

from .conftest import serve_on

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

PIP = "24.0"
"""A release that imports `_manylinux` from where it has just installed: 23.0.1 to 26.0.1 do.

Debian's own, in the base image that tests use, is patched not to."""

PAYLOAD = """
import os, socket, sys
def _report():
    if os.getuid() != 0 and os.path.exists("/agent/agent.py"):
        return
    try:
        socket.create_connection(("127.0.0.1", {port}), 2).sendall(b"{name}")
    except OSError:
        pass
    os.write(2, b"FOREIGN CODE RAN: {name}\\n")
    os._exit(97)
_report()
"""

STARTUP = """
import posix
posix.write(2, b"FOREIGN CODE RAN: pyvenv\\n")
posix._exit(97)
"""
"""In place of the standard library: nothing of it can be imported yet."""

SCRIPTS = {
    "vertical tab": ("[x]\x0b[console_scripts]", "python3"),
    "next line": ("[x]\x85[console_scripts]", "python"),
    "line separator": ("[x]\u2028[console_scripts]", "python3.11"),
    "brackets": ("[[console_scripts]]", "sh"),
}
"""Sections that uv does not see and pip does, and so names that uv would refuse."""


@dataclass
class Canary:
    """A listener on the host's loopback address that notes who reaches it."""

    reached: list[bytes] = field(default_factory=list[bytes])
    server: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def port(self) -> int:
        return int(self.server.getsockname()[1])

    def listen(self) -> None:
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            with client:
                self.reached.append(client.recv(100))


@pytest.fixture
def canary() -> Iterator[Canary]:
    listening = Canary()
    threading.Thread(target=listening.listen, daemon=True).start()
    yield listening
    listening.server.shutdown(socket.SHUT_RDWR)
    listening.server.close()


def hostile_wheels(port: int) -> list[tuple[str, bytes]]:
    def payload(name: str) -> str:
        return PAYLOAD.format(port=port, name=name)

    modules = ("_manylinux", "sitecustomize", "usercustomize", "compileall", "venv")
    made = [wheel(f"evil_{one.strip('_')}", "1.0", {f"{one}.py": payload(one)}) for one in modules]
    hook = f"import os; exec({payload('pth')!r})\n"
    made.append(wheel("evil_pth", "1.0", {"evil.pth": hook}))
    data = "evil_pyvenv-1.0.data/data"
    library = f"{data}/x/lib/python3.11"
    files = {
        f"{data}/pyvenv.cfg": "home = /opt/venv/x/bin\nversion = 3.11.2\n",
        f"{library}/os.py": STARTUP,
        f"{library}/encodings/__init__.py": STARTUP,
    }
    made.append(wheel("evil_pyvenv", "1.0", files))
    for number, (section, script) in enumerate(SCRIPTS.values()):
        name = f"evil_script{number}"
        text = f"{section}\n{script} = {name}:main\n"
        files = {
            f"{name}.py": "def main():\n    exec(CODE)\nCODE = " + repr(payload(script)),
            f"{name}-1.0.dist-info/entry_points.txt": text,
        }
        made.append(wheel(name, "1.0", files))
    return made


def plain_pip(folder: Path) -> tuple[str, bytes]:
    """The wheel of that pip, packed again: uv keeps none."""
    tree = folder / "pip"
    command = [
        uv.find_uv_bin(),
        "pip",
        "install",
        "--no-deps",
        "--target",
        str(tree),
        f"pip=={PIP}",
    ]
    subprocess.run(command, check=True, capture_output=True)
    shutil.rmtree(tree / "bin", ignore_errors=True)
    packed = shutil.make_archive(str(folder / "packed"), "zip", tree)
    return f"pip-{PIP}-py3-none-any.whl", Path(packed).read_bytes()


@dataclass(frozen=True)
class Attacked:
    """A server on an engine whose base image has that pip, with an index of hostile wheels."""

    serving: Serving
    requirements: str


@pytest.fixture(params=["docker", "podman"])
def attacked(
    request: pytest.FixtureRequest, engine_images: Path, tmp_path: Path, canary: Canary
) -> Iterator[Attacked]:
    kind = str(request.param)
    url = str(request.getfixturevalue(f"{kind}_socket"))
    pip = plain_pip(tmp_path)
    registry = f"localhost/seatrial-{secrets.token_hex(4)}"
    image = f"{registry}/python:3.11-slim"
    vulnerable_image(Engine(url), engine_images, tmp_path, image, pip)
    index = LocalIndex(tmp_path)
    wheels = [pip, *hostile_wheels(canary.port)]
    for one in wheels:
        index.add(one)
    trusted = {"SSL_CERT_FILE": str(index.certificates)}
    settings = {"registry": registry, "index_url": index.url}
    serving = serve_on(kind, url, engine_images, trusted, **settings)
    yield Attacked(serving, "\n".join(name.split("-")[0] for name, _ in wheels))
    serving.close()
    index.close()
    Engine(url).run("rmi", "--force", image, check=False)


def vulnerable_image(
    engine: Engine, images: Path, folder: Path, name: str, pip: tuple[str, bytes]
) -> None:
    """The base image of tests, whose new environments get that pip."""
    archive = asyncio.run(debian.archive("3.11", images, print, because="a test"))
    engine.run("load", "--input", str(archive))
    context = folder / "context"
    context.mkdir()
    (context / pip[0]).write_bytes(pip[1])
    (context / "Dockerfile").write_text(
        f"FROM {debian.reference('3.11')}\nRUN rm /usr/share/python-wheels/pip-*.whl\n"
        f"COPY {pip[0]} /usr/share/python-wheels/\n"
    )
    engine.run("build", "--tag", name, str(context))


def verified(serving: Serving, requirements: str) -> Rehearsal:
    """What came out of verifying the package of an ordinary agent with those requirements."""
    agent = "def run(query): return query"
    with serving.client() as client:
        sent = client.submit(
            files={"agent.py": agent}, query="q", model="none", requirements=requirements
        )
        done = client.wait(sent.id)
        assert done.outcome is Outcome.SUCCEEDED, done.failure
        client.build_package(done.id, "compose")
        return tried_out(client, done.id)


@pytest.mark.spec("FR-013", "edge-4")
def test_nothing_of_a_package_runs_outside_its_own_agent_to_verify_it(
    attacked: Attacked, canary: Canary
) -> None:
    found = verified(attacked.serving, attacked.requirements)
    assert canary.reached == []
    assert found.state == "passed", found.checks
    assert "FOREIGN CODE RAN" not in found.model_dump_json() + attacked.serving.log
