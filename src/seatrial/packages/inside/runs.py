"""The agent's processes: one is loaded ahead, each answers one query, none outlives its answer."""

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from typing import Any, Callable, Optional

from seatrial.harness.modules import import_paths, module_name

from .config import Config

AFTER_RESULT_SECONDS = 1.0
"""How long a process may go on after it has answered, as in the test."""

Emit = Callable[[str], None]


class AgentFailed(Exception):
    """The agent raised, ended without an answer, or could not be loaded. The message says how."""


class TooSlow(Exception):
    """The agent did not answer in time."""


class Busy(Exception):
    """As many queries are being answered as may be at one time."""


@dataclass(frozen=True)
class Response:
    """What the agent answered; `value` when it returned something structured besides text."""

    text: str
    value: Any = None


class Runs:
    """Answers queries, each in a process of its own. Any number of threads may ask."""

    def __init__(self, config: Config, environment: dict[str, str]) -> None:
        """Nothing is started yet. `environment` is that of the agent's processes, whole."""
        self._config, self._environment = config, environment
        self._turns = threading.BoundedSemaphore(config.concurrency)
        self._changed = threading.Condition()
        self._spare: Optional[Process] = None
        self._running: set[Process] = set()
        self._closed = False

    @property
    def problem(self) -> str:
        """Why the agent can't be loaded; empty as long as nothing is known of that kind."""
        spare = self._spare
        return spare.problem if spare else ""

    @property
    def busy(self) -> bool:
        """Whether a query is being answered."""
        return bool(self._running)

    def load(self) -> None:
        """Load the agent ahead of the next query, unless loading it needs one, as a script does."""
        ahead = not (self._config.is_script or self._config.query_first)
        with self._changed:
            if self._spare is None and ahead and not self._closed:
                self._spare = Process(self._config, self._environment)

    def answer(self, query: str, emit: Emit) -> Response:
        """The agent's answer; pieces of it go to `emit`. AgentFailed, TooSlow, Busy."""
        if not self._turns.acquire(timeout=self._config.timeout_seconds):
            raise Busy
        try:
            process = self._take(query)
            try:
                return process.answer(query, emit)
            finally:
                self._end(process)
        finally:
            self._turns.release()
            self.load()

    def close(self, seconds: float) -> None:
        """Let what is being answered come to its end, for so long; then end all processes."""
        with self._changed:
            self._closed = True
            spare, self._spare = self._spare, None
        if spare is not None:
            spare.end()
        with self._changed:
            self._changed.wait_for(lambda: not self._running, seconds)
            left = list(self._running)
        for process in left:
            process.end()

    def _end(self, process: "Process") -> None:
        process.end()
        with self._changed:
            self._running.discard(process)
            self._changed.notify_all()

    def _take(self, query: str) -> "Process":
        with self._changed:
            if self._closed:
                raise Busy
            spare, self._spare = self._spare, None
            if spare is not None and (spare.problem or spare.has_ended):
                spare.end()
                spare = None
            script_query = query if self._config.is_script else None
            process = spare or Process(self._config, self._environment, script_query)
            self._running.add(process)
            return process


class Process:
    """One process of the agent."""

    def __init__(
        self, config: Config, environment: dict[str, str], script_query: Optional[str] = None
    ) -> None:
        """Start it. A script gets its query at once; all others wait for theirs."""
        self._copy = _copied(config.root)
        self._config = replace(config, root=self._copy or config.root)
        self._heard: queue.Queue[Optional[dict[str, Any]]] = queue.Queue()
        self._printed = bytearray()
        self.problem = ""
        if script_query is None:
            self._start_loaded(environment)
        else:
            self._start_script(environment, script_query)

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

    def answer(self, query: str, emit: Emit) -> Response:
        """Give it the query and wait for the answer. AgentFailed, TooSlow."""
        end = time.monotonic() + self._config.timeout_seconds
        self._feed(query)
        while True:
            told = self._next(end)
            if told is None:
                return self._ended(end)
            if told["kind"] == "piece":
                emit(told["text"])
            elif told["kind"] == "error":
                raise AgentFailed(f"{told['type']}: {told['message']}")
            elif told["kind"] == "result":
                return self._result(told)

    def end(self) -> None:
        """End it and everything that it started."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(AFTER_RESULT_SECONDS if self._answered else 0)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._close_pipes()
        if self._copy:
            shutil.rmtree(self._copy, ignore_errors=True)

    # --- starting

    _answered = False

    def _start_loaded(self, environment: dict[str, str]) -> None:
        query, report, answer = os.pipe(), os.pipe(), os.pipe()
        given = (query[0], report[1], answer[1])
        folder = os.path.dirname(os.path.abspath(__file__))
        command = [sys.executable, folder, "run", *map(str, given)]
        self._process = self._popen(command, environment, given, stdout=None)
        for descriptor in given:
            os.close(descriptor)
        self._query: Optional[int] = query[1]
        self._listen(report[0], self._hear)
        self._printing = self._listen(answer[0], self._print)

    def _start_script(self, environment: dict[str, str], query: str) -> None:
        config = self._config
        known = environment.get("PYTHONPATH")
        paths = [*import_paths(config.root, config.file), *([known] if known else [])]
        command = [sys.executable, *_program(config), query]
        variables = {**environment, "PYTHONPATH": os.pathsep.join(paths)}
        self._process = self._popen(command, variables, (), stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._query = None
        self._printing = self._listen(os.dup(self._process.stdout.fileno()), self._print)
        self._process.stdout.close()
        self._heard.put(None)

    def _popen(
        self,
        command: list[str],
        environment: dict[str, str],
        given: tuple[int, ...],
        stdout: Optional[int],
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - the command is this file's own
            command,
            stdin=subprocess.PIPE,
            stdout=stdout,
            env=environment,
            cwd=self._config.root,
            pass_fds=given,
            start_new_session=True,
        )

    def _feed(self, query: str) -> None:
        """Hand over the query: on stdin as in the test, and as JSON to what waits for it."""
        for descriptor, text in ((self._stdin(), query), (self._query, json.dumps(query))):
            if descriptor is None:
                continue
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as pipe:
                    pipe.write(text)
            except BrokenPipeError:
                continue  # it reads no query, or has failed: what it says tells
        self._query = None

    def _stdin(self) -> Optional[int]:
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            return None
        descriptor = os.dup(pipe.fileno())
        pipe.close()
        return descriptor

    # --- listening

    def _listen(self, descriptor: int, take: Callable[[Any], None]) -> threading.Thread:
        thread = threading.Thread(target=take, args=(descriptor,), daemon=True)
        thread.start()
        return thread

    def _hear(self, descriptor: int) -> None:
        with os.fdopen(descriptor, encoding="utf-8", errors="replace") as pipe:
            for line in pipe:
                try:
                    told = json.loads(line)
                except ValueError:
                    continue  # the agent wrote into the pipe: it is not ours to read
                if told.get("kind") == "error":
                    self.problem = f"{told['type']}: {told['message']}"
                if told.get("kind") != "ready":
                    self._heard.put(told)
        self._heard.put(None)

    def _print(self, descriptor: int) -> None:
        """Pass on what is printed, and keep it as far as it may be a response."""
        with os.fdopen(descriptor, "rb", buffering=0) as pipe:
            while data := pipe.read(65536):
                left = self._config.response_bytes + 1 - len(self._printed)
                self._printed += data[: max(0, left)]
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()

    def _next(self, end: float) -> Optional[dict[str, Any]]:
        try:
            return self._heard.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            raise TooSlow from None

    # --- the answer

    def _ended(self, end: float) -> Response:
        """It ended without a word: the way of scripts, whose answer is what they printed."""
        try:
            code = self._process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise TooSlow from None
        if code != 0 or not self._config.is_script:
            raise AgentFailed(f"The agent's process ended with exit code {code}.")
        return self._checked(self._all_printed())

    def _result(self, told: dict[str, Any]) -> Response:
        self._answered = True
        value = None if told["value_json"] is None else json.loads(told["value_json"])
        if told["response"] is None:
            # It was printed: the end of the process closes the pipe that it was printed to.
            self.end()
            return self._checked(self._all_printed())
        return self._checked(told["response"], value)

    def _all_printed(self) -> str:
        self._printing.join(AFTER_RESULT_SECONDS)
        return bytes(self._printed).decode("utf-8", "replace").rstrip("\r\n")

    def _checked(self, text: str, value: Any = None) -> Response:
        if len(text.encode("utf-8")) > self._config.response_bytes:
            raise AgentFailed(f"The response is larger than {self._config.response_bytes} bytes.")
        if not text.strip():
            raise AgentFailed("The agent ended without a response.")
        return Response(text, value)

    def _close_pipes(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        if self._query is not None:
            os.close(self._query)
            self._query = None


def _copied(root: str) -> Optional[str]:
    """A private copy to work in, as in the test; None where there is no room for one."""
    folder = None
    try:
        folder = tempfile.mkdtemp(prefix="agent-")
        return shutil.copytree(root, folder, dirs_exist_ok=True)
    except OSError:  # shutil.Error is one, too
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        return None


def _program(config: Config) -> list[str]:
    """The file, or its module where it belongs to a package, as in the test."""
    name = module_name(config.root, config.file)
    return ["-m", name] if "." in name else [os.path.join(config.root, config.file)]
