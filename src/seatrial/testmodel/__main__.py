"""`python -m seatrial.testmodel`: the test model's server process.

Prints one JSON line, `{"url": ...}`, on standard output once it can really answer; nothing else
is ever written there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import web

from seatrial.domain.errors import SeatrialError

from .app import build_app
from .describe import read_facts
from .json_values import JsonObject
from .lifetime import stop_event
from .llama import CONTEXT_TOKENS, EngineSettings, default_threads, start_engine
from .translate import CHAT_PATH
from .upstream import Upstream
from .weights import ModelFacts, file_facts, find_weights

_LOOPBACK = "127.0.0.1"
# Answers that are still being generated are cut off after this.
_SHUTDOWN_SECONDS = 0.5
_ENGINE_END_SECONDS = 10
_SHORT_FOLDER = "/tmp"  # noqa: S108 - what is made in it is private
_ADDRESS_BYTES = 107  # unix(7): sun_path, without its closing zero


def main() -> int:
    """Run until told to stop. Returns the exit status: 0, or 1 when it could not start."""
    arguments = _parser().parse_args()
    ready_line = _private_stdout()
    try:
        asyncio.run(_serve(arguments, ready_line))
    except (SeatrialError, OSError, RuntimeError) as error:
        hint = error.hint if isinstance(error, SeatrialError) else ""
        sys.stderr.write(f"{error} {hint}".strip() + "\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m seatrial.testmodel", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--socket", type=Path, help="listen on this Unix socket")
    where.add_argument("--port", type=int, help="listen on this loopback port; 0 picks one")
    parser.add_argument(
        "--threads", type=int, default=default_threads(), help="inference threads (%(default)s)"
    )
    parser.add_argument(
        "--context", type=int, default=CONTEXT_TOKENS, help="tokens per request (%(default)s)"
    )
    parser.add_argument(
        "--exit-with-parent", action="store_true", help="end also when standard input ends"
    )
    return parser


def _private_stdout() -> int:
    """A descriptor of standard output for us alone: native code that prints goes to stderr."""
    ready_line = os.dup(1)
    os.dup2(2, 1)
    return ready_line


async def _serve(arguments: argparse.Namespace, ready_line: int) -> None:
    stop = stop_event(stdin_too=arguments.exit_with_parent)
    async with AsyncExitStack() as stack:
        settings = EngineSettings(
            find_weights(), _engine_socket(stack), arguments.threads, arguments.context
        )
        engine = await asyncio.to_thread(start_engine, settings)
        upstream = await stack.enter_async_context(Upstream(settings.socket))
        facts = await _prove(upstream, settings)
        runner = web.AppRunner(
            build_app(upstream, facts),
            handler_cancellation=True,
            access_log=None,
            shutdown_timeout=_SHUTDOWN_SECONDS,
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        url = await _listen(runner, arguments, stack)
        os.write(ready_line, json.dumps({"url": url}).encode() + b"\n")
        await stop.wait()
    # Last, when no request holds the engine any more: letting go of it waits for them all, in
    # native code that no signal handler of Python's could end. The kernel's alarm can.
    signal.alarm(_ENGINE_END_SECONDS)
    del engine


def _engine_socket(stack: AsyncExitStack) -> Path:
    """Where the engine shall listen; below another folder when TMPDIR makes the path too long."""
    for parent in (None, _SHORT_FOLDER):
        made = tempfile.TemporaryDirectory(prefix="seatrial-model-", dir=parent)
        socket = Path(stack.enter_context(made)) / "engine.sock"
        if len(os.fsencode(socket)) <= _ADDRESS_BYTES:
            break
    return socket


async def _prove(upstream: Upstream, settings: EngineSettings) -> ModelFacts:
    """Generate one token, so that "ready" means it, and read the model's facts."""
    message: JsonObject = {"role": "user", "content": "Hello"}
    await upstream.post(CHAT_PATH, {"messages": [message], "max_tokens": 1})
    return read_facts(
        await asyncio.to_thread(file_facts, settings.weights),
        await upstream.get("/v1/models"),
        await upstream.get("/props"),
        settings.context,
    )


async def _listen(
    runner: web.AppRunner, arguments: argparse.Namespace, stack: AsyncExitStack
) -> str:
    if arguments.socket is not None:
        path = Path(arguments.socket).absolute()
        await web.UnixSite(runner, str(path)).start()
        path.chmod(0o600)
        stack.callback(path.unlink, missing_ok=True)
        return f"unix://{path}"
    await web.TCPSite(runner, _LOOPBACK, arguments.port).start()
    port = runner.addresses[0][1]
    return f"http://{_LOOPBACK}:{port}"


if __name__ == "__main__":
    sys.exit(main())
