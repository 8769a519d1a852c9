"""A real `seatrial serve` in a process and data folder of its own, and the CLI beside it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatrial.client import Client

_START_SECONDS = 180.0


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(**settings: str) -> dict[str, str]:
    """This environment without any Seatrial setting or model service, plus the settings."""
    unwanted = ("SEATRIAL_", "OLLAMA_", "OPENAI_", "ANTHROPIC_", "AWS_", "DOCKER_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    named = {f"SEATRIAL_{name.upper()}": value for name, value in settings.items()}
    return {**kept, "OLLAMA_HOST": "127.0.0.1:9", **named}


@dataclass
class Serving:
    """One data folder and the process that serves it; it can be killed and started again."""

    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    arguments: Sequence[str] = ()
    data_dir: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="st-")))
    port: int = field(default_factory=free_port)
    python: str = sys.executable
    process: subprocess.Popen[bytes] | None = None
    extra_environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Variables besides the settings, such as where its model services are."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str | None:
        """The local token, which the port asks for; None where a test sets something else."""
        if "require_token" in self.settings:
            return None
        file = self.data_dir / "local.token"  # made when the server first starts
        return file.read_text().strip() if file.exists() else None

    @property
    def page_url(self) -> str:
        """The address that a person opens: it contains the token."""
        return f"{self.url}/#token={self.token}" if self.token else self.url

    @property
    def headers(self) -> dict[str, str]:
        """What a request to the port has to bring."""
        return {"authorization": f"Bearer {self.token}"} if self.token else {}

    @property
    def log(self) -> str:
        return (self.data_dir / "test-serve.log").read_text(errors="replace")

    @property
    def environment(self) -> dict[str, str]:
        clean = clean_environment(
            **{"data_dir": str(self.data_dir), "port": str(self.port), **self.settings}
        )
        return {**clean, **self.extra_environment}

    @property
    def client_environment(self) -> dict[str, str]:
        """The environment of a client of this server, which it knows by its address alone."""
        token = {"SEATRIAL_TOKEN": self.token} if self.token else {}
        return {**self.environment, "SEATRIAL_URL": self.url, **token}

    def start(self) -> Serving:
        self.data_dir.chmod(0o711)
        with (self.data_dir / "test-serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.python, "-m", "seatrial", "serve", *self.arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait_until_ready()
        return self

    def kill(self) -> None:
        """SIGKILL: nothing is tidied up by the process itself."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(60)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def client(self, token: str | None = None) -> Client:
        return Client(self.url, token=token or self.token)

    def cli(
        self, *arguments: str, stdin: str = "", timeout: float = 200
    ) -> subprocess.CompletedProcess[str]:
        """Run the real command line against this server, as a user without a terminal does."""
        return subprocess.run(
            [sys.executable, "-m", "seatrial", *arguments],
            env=self.client_environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def cli_json(self, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
        """Exit code and the JSON lines of stdout."""
        done = self.cli(*arguments)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"serve ended: {self.log[-3000:]}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if time.monotonic() > deadline:
                raise AssertionError(f"serve did not come up: {self.log[-3000:]}")
            time.sleep(0.05)
