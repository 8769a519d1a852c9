"""AWS on loopback, as far as packages need it: emulated calls, a real registry, real containers.

ministack answers the calls. What it cannot do is put before it here: the registry that it names
is a real one which asks for the password that it gave, and a function that is invoked is a
container of the image in that registry, with the function's own variables.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import boto3

from tests.support import aws_shell
from tests.support.cloud_tools import CloudTools
from tests.support.lambda_runtime import lambda_runtime
from tests.support.package_images import Engine, running

REGION = "eu-central-1"

KEYS = {"AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST", "AWS_SECRET_ACCESS_KEY": "not-a-real-one"}

_ECR = re.compile(rb"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com")
_INVOKE = re.compile(r"/2015-03-31/functions/([^/]+)/invocations$")
# The password is the one that ministack gives to everybody.
_HTPASSWD = "AWS:$2b$04$evJ6W/74bKoxTlIO89NLk.PtM1oeU3B5gHeVjqnqXJ6tpBBpLTvna\n"
_OURS = ("AWS_", "DOCKER_", "CDK_")
_READY_SECONDS = 120


@dataclass
class Cloud:
    """Where it is, and which images were invoked. `settings` are those of a user's shell."""

    tools: CloudTools
    engine: Engine
    emulator: str
    registry: str
    home: Path
    url: str = ""
    invoked: list[str] = field(default_factory=list[str])
    told: list[Any] = field(default_factory=list[Any])
    """What the functions were configured with, each time one was invoked."""

    @property
    def settings(self) -> dict[str, str]:
        """Variables with which the AWS command line and Docker find it."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
        return {
            **kept,
            **KEYS,
            "HOME": str(self.home),
            "PATH": f"{self.home / 'bin'}:{self.tools.programs}:{os.environ['PATH']}",
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "DOCKER_HOST": self.engine.url,
            "DOCKER_BUILDKIT": "0",
        }

    def ask(self, service: str) -> Any:
        """The SDK's client for one service."""
        return client(service, self.url)

    def invoke(self, function: str, event: object) -> tuple[int, Any]:
        """Ask a container of the function's image, as Lambda would run it."""
        found = self.ask("lambda").get_function(FunctionName=function)
        image = found["Code"]["ImageUri"]
        self.engine.run("pull", "--quiet", image, config=self.home / ".docker")
        self.invoked.append(image)
        self.told.append(found["Configuration"])
        with lambda_runtime() as runtime:
            variables = {
                **found["Configuration"].get("Environment", {}).get("Variables", {}),
                **KEYS,
                "AWS_LAMBDA_RUNTIME_API": runtime.address,
                "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.emulator,
            }
            with running(self.engine, image, variables):
                return 200, runtime.invoke(event)


def client(service: str, url: str) -> Any:
    """The SDK's client for one service, at that address."""
    return boto3.client(  # pyright: ignore
        service,  # pyright: ignore
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )


@contextlib.contextmanager
def cloud(tools: CloudTools, engine: Engine, folder: Path) -> Generator[Cloud]:
    """A cloud of one's own, with a home for its user, while the block runs."""
    home = folder / "home"
    (home / "bin").mkdir(parents=True)
    with (
        emulated(tools, folder) as emulator,
        _registry(folder) as registry,
        _command_line(tools, folder) as socket,
    ):
        _write_docker(home / "bin" / "docker")
        aws_shell.write_aws(home / "bin" / "aws", socket)
        found = Cloud(tools, engine, emulator, registry, home)
        server = ThreadingHTTPServer(("127.0.0.1", 0), _front(found))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _front(cloud: Cloud) -> type[BaseHTTPRequestHandler]:
    class Front(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if invoked := _INVOKE.match(self.path):
                status, said = cloud.invoke(unquote(invoked.group(1)), json.loads(body))
                self._send(status, json.dumps(said).encode(), "application/json")
                return
            request = urllib.request.Request(
                cloud.emulator + self.path, body or None, dict(self.headers), method=self.command
            )
            try:
                answer = urllib.request.urlopen(request, timeout=_READY_SECONDS)
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                data, kind = answer.read(), answer.headers.get_content_type()
            self._send(answer.status or 502, _ECR.sub(cloud.registry.encode(), data), kind)

        def _send(self, status: int, data: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the server's words

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Front


@contextlib.contextmanager
def emulated(tools: CloudTools, folder: Path, engine: Engine | None = None) -> Generator[str]:
    """The url of ministack, which holds everything in memory, and runs containers on the engine."""
    command = [str(tools.programs / "hypercorn"), "ministack.app:app", "--bind", "127.0.0.1:0"]
    name = f"emulator-{uuid.uuid4().hex[:12]}"
    told = {"MINISTACK_HOSTNAME": name, "DOCKER_HOST": engine.url if engine else "unix:///none"}
    try:
        with _program(command, r"Running on (http://\S+)", folder, told) as url:
            yield url
    finally:
        if engine:
            by_name = ("--filter", f"label=ministack.instance={name}:4566")
            left = engine.run("ps", "--all", "--quiet", *by_name).stdout.split()
            for one in left:
                engine.run("rm", "--force", "--volumes", one, check=False)


@contextlib.contextmanager
def _command_line(tools: CloudTools, folder: Path) -> Generator[Path]:
    """Where the command line of AWS listens."""
    socket = Path(tempfile.mkdtemp(prefix="aws-")) / "s"  # a socket's path must be short
    command = [str(tools.programs / "python"), aws_shell.__file__, str(socket)]
    try:
        with _program(command, "(ready)", folder):
            yield socket
    finally:
        shutil.rmtree(socket.parent)


@contextlib.contextmanager
def _registry(folder: Path) -> Generator[str]:
    """The address of a registry that asks for a password."""
    (folder / "htpasswd").write_text(_HTPASSWD)
    config = folder / "registry.yml"
    config.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/registry}}}}\n"
        "http: {addr: '127.0.0.1:0'}\n"
        f"auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n"
    )
    command = ["docker-registry", "serve", str(config)]
    with _program(command, r"listening on ([0-9.:]+)", folder) as address:
        yield address


@contextlib.contextmanager
def _program(
    command: list[str], ready: str, folder: Path, told: Mapping[str, str] | None = None
) -> Generator[str]:
    """What a program says when it is ready; it is ended with the block."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **(told or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if found := re.search(ready, line):
                break
        else:
            raise AssertionError(f"{command[0]} did not start: {''.join(said)[-3000:]}")
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield found.group(1)
    finally:
        process.terminate()
        process.wait()


def _write_docker(path: Path) -> None:
    """The test engines have no network of their own, so what a build fetches goes by the host's."""
    path.write_text(
        "#!/bin/sh\nPATH=${PATH#*:}\n"
        '[ "$1" != build ] || { shift; set -- build --network=host "$@"; }\n'
        'exec docker "$@"\n'
    )
    path.chmod(0o755)
