"""Images of packages on real engines: built with the Dockerfile as shipped, run as deployed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seatrial.engines.docker import debian
from seatrial.packages.image import base_image
from seatrial.packages.tested import Tested

BOOT_SECONDS = 60.0


_TRIES_AGAIN = 4


@dataclass(frozen=True)
class Engine:
    """A running engine, spoken to by Docker's own command line."""

    url: str

    def run(
        self,
        *arguments: str,
        check: bool = True,
        config: Path | None = None,
        given: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """One command, `given` its input; its output on failure.

        `config` is a folder with logins to registries.
        """
        known = ["--config", str(config)] if config else []
        command = ["docker", *known, "--host", self.url, *arguments]
        done = _ran(command, given)
        for _ in range(_TRIES_AGAIN):
            # Podman fails so when another test removes an image at that moment.
            if "checking if cached image exists" not in done.stderr:
                break
            done = _ran(command, given)
        if check and done.returncode:
            raise AssertionError(f"{arguments}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done


def _ran(command: list[str], given: str | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
    )


async def prepare_base(engine: Engine, images: Path, tested: Tested) -> None:
    """Give the engine the base image of that test's package."""
    await name_base(engine, images, tested.build.python, base_image(tested))


async def name_base(engine: Engine, images: Path, python: str, name: str) -> None:
    """Give the engine the base image under the name that the Dockerfile has.

    No registry is asked: it is the image that tests run on, with this machine's certificates and
    package index, as behind a company's proxy.
    """
    known = engine.run("image", "inspect", name, check=False)
    if known.returncode == 0:
        return
    archive = await debian.archive(python, images, print, because="a test")
    engine.run("load", "--input", str(archive))
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        certificates = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
        shutil.copy(os.environ.get("SSL_CERT_FILE", certificates), context / "certificates.crt")
        index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple")
        (context / "pip.conf").write_text(
            f"[global]\ncert = /etc/ssl/certs/ca-certificates.crt\nindex-url = {index}\n"
        )
        (context / "Dockerfile").write_text(
            f"FROM {debian.reference(python)}\n"
            "COPY certificates.crt /etc/ssl/certs/ca-certificates.crt\n"
            "COPY pip.conf /etc/pip.conf\n"
        )
        engine.run("build", "--network=host", "--tag", name, folder)


def build(engine: Engine, folder: Path) -> str:
    """Build the image of an unpacked package; its id."""
    done = engine.run("build", "--network=host", "--quiet", str(folder / "agent"))
    return done.stdout.split()[-1]


@dataclass(frozen=True)
class Running:
    """A container of a package."""

    engine: Engine
    id: str
    url: str

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a GET."""
        return _ask(urllib.request.Request(self.url + path))

    def ask(self, query: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a query."""
        body = json.dumps({"prompt": query}).encode()
        headers = {"Content-Type": "application/json"}
        return _ask(urllib.request.Request(f"{self.url}/invocations", body, headers))

    def stream(self, query: str) -> str:
        """The event stream of a query."""
        request = urllib.request.Request(
            f"{self.url}/invocations", query.encode(), {"Accept": "text/event-stream"}
        )
        with urllib.request.urlopen(request, timeout=BOOT_SECONDS) as answer:
            return answer.read().decode()

    def evidence(self) -> str:
        """What it was told to run, what it has, and what it wrote: for a failed assertion."""
        look = "cat /serve/agent.json /agent/*.py"
        done = self.engine.run("exec", self.id, "sh", "-c", look, check=False)
        return f"{done.stdout}{done.stderr}{self.log()}"

    def log(self) -> str:
        """What it wrote."""
        done = self.engine.run("logs", self.id)
        return done.stdout + done.stderr


@contextlib.contextmanager
def running(
    engine: Engine, image: str, environment: Mapping[str, str] | None = None
) -> Generator[Running]:
    """The container as it is deployed: read-only, without capabilities, as the image's user."""
    port = free_port()
    given = {"PORT": str(port), **(environment or {})}
    variables = [f"--env={name}={value}" for name, value in given.items()]
    hardening = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
    spaces = ["--tmpfs=/tmp:mode=1777", "--tmpfs=/home/agent:mode=1777"]
    started = engine.run(
        "run", "--detach", "--network=host", *hardening, *spaces, *variables, image
    )
    container = started.stdout.strip()
    try:
        yield Running(engine, container, f"http://127.0.0.1:{port}")
    finally:
        engine.run("rm", "--force", "--volumes", container, check=False)


def free_port() -> int:
    """A port of the loopback address that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_until_up(container: Running) -> dict[str, Any]:
    """What /ping says once the server listens; its log when the container ends before."""
    waited = container.engine.run(
        "exec",
        container.id,
        "python",
        "-c",
        "import os, socket, sys, time\n"
        "end = time.monotonic() + 60\n"
        "while time.monotonic() < end:\n"
        "    try:\n"
        "        socket.create_connection(('127.0.0.1', int(os.environ['PORT']))).close()\n"
        "        sys.exit(0)\n"
        "    except OSError:\n"
        "        time.sleep(0.05)\n"
        "sys.exit(1)\n",
        check=False,
    )
    if waited.returncode:
        raise AssertionError(f"It does not listen: {container.log()}")
    return container.get("/ping")[1]


def _ask(request: urllib.request.Request) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(request, timeout=BOOT_SECONDS) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
