"""Starts the server, or Lambda's loop, and ends it on SIGTERM."""

import os
import signal
import sys
import threading
from typing import Any

from . import aws_lambda
from .aws_secrets import SecretUnavailable
from .config import read_config
from .environment import MissingVariables, agent_environment
from .http_server import Server
from .main import port
from .runs import Runs

STOP_SECONDS = 8.0
"""How long a query under way may go on after SIGTERM: engines kill after ten seconds."""

_NOT_CONFIGURED = 78
"""EX_CONFIG: what must be set is not."""


def serve() -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    config = read_config()
    try:
        environment = agent_environment(config, dict(os.environ))
    except (MissingVariables, SecretUnavailable) as error:
        sys.stderr.write(f"{error}\n")
        if aws_lambda.is_here():
            aws_lambda.failed_to_start(str(error))
        return _NOT_CONFIGURED
    runs = Runs(config, environment)
    runs.load()
    if aws_lambda.is_here():
        aws_lambda.work(runs)
        return 0
    return _serve_http(runs)


def _serve_http(runs: Runs) -> int:
    server = Server(port(), runs)
    stopping = threading.Event()

    def on_signal(_: int, __: Any) -> None:
        stopping.set()
        server.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    sys.stderr.write(f"Listening on port {port()}.\n")
    server.serve_forever(poll_interval=0.1)
    runs.close(STOP_SECONDS)
    server.server_close()
    return 0
