"""One run of the agent, in its own process: load, find the entry point, call it, report."""

import fcntl
import inspect
import io
import json
import os
import runpy
import struct
import sys
import termios
import time
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Optional

from . import aws_profiles
from .child import CONFIG_FD, REPORT_FD
from .claims import NO_ENTRY_POINT, RAN_ON_IMPORT
from .detect import Found, NoEntryPoint, candidates, find, find_named, is_guarded
from .facts import Facts, InputEnded
from .frameworks.answers import Answer, write
from .frameworks.function import BadSignature
from .modules import import_paths, load, module_name, script_folder
from .protocol import Entry, ErrorFrame, ResultFrame
from .reporter import Reporter
from .serving import Watch, hand_over
from .trouble import Stage, describe

SETTLE_SECONDS = 5.0


@dataclass(frozen=True)
class Config:
    """What the supervisor says about this run."""

    query: str
    entry_point: Optional[str]
    response_bytes: int
    root: str
    secrets: dict[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def file(self) -> str:
        """The agent's file, relative to the root."""
        return (self.entry_point or "").partition(":")[0] or "agent.py"

    @property
    def name(self) -> str:
        """The name in that file that was asked for; empty when it shall be detected."""
        return (self.entry_point or "").partition(":")[2]


def main() -> int:
    """Run the agent as the supervisor's config says; the exit code of its process."""
    with os.fdopen(CONFIG_FD, "rb") as pipe:
        config = Config(**json.loads(pipe.read()))
    os.environ.update(config.secrets)
    return Play(config, Reporter(REPORT_FD, config.response_bytes)).run()


class Play:
    """Carries the run out and reports every way in which it can go."""

    def __init__(self, config: Config, reporter: Reporter) -> None:
        self._config, self._reporter = config, reporter
        self._path = os.path.join(config.root, config.file)
        self._stage: Stage = "load"
        lines = config.query.count("\n") + 1
        self._facts = Facts(config.root, lines, Watch(self._serves).begin)

    def run(self) -> int:
        """Load, find, call; an exception of the agent becomes an error frame and exit code 1."""
        sys.argv = [self._config.file, self._config.query]
        sys.path[:0] = import_paths(self._config.root, self._config.file)
        sys.path.append(script_folder(self._config.root, self._config.file))
        aws_profiles.write(self._config.root, os.environ)
        self._facts.install()
        hand_over()
        _forbid_getpass()
        try:
            self._play()
        except SystemExit as request:
            code = self._exit_code(request)
            if code:
                self._report_exit(request)
            return code
        except BaseException as error:  # noqa: BLE001 - whatever foreign code raises is the news
            self._report(error)
            if isinstance(error, (EOFError, InputEnded)) and self._stage in ("load", "call"):
                self._printed(RAN_ON_IMPORT)  # what it answered before is kept
            return 1
        return 0

    def _serves(self, server: str) -> None:
        """End a program that serves requests: it would not answer the query."""
        message = f"The program serves requests with {server}, so it does not answer the query."
        frame = ErrorFrame(
            self._stage, "WebServer", message, "", None, None, None, "server", server
        )
        sys.stderr.write(f"{message}\n")
        _flush()
        self._reporter.send(frame)
        os._exit(1)

    def _play(self) -> None:
        module = self._load()
        if module is None:
            self._printed(RAN_ON_IMPORT)
            return
        self._stage = "detect"
        guarded = is_guarded(_source(self._path))
        found = self._find(module, guarded)
        self._stage = "call"
        if found is not None:
            self._call(found)
        elif guarded:
            self._run_script()
        else:
            self._printed(RAN_ON_IMPORT, candidates(module, self._config.root))

    def _load(self) -> Optional[ModuleType]:
        """The agent's module; None when it ended itself as a script does, with code 0."""
        file = self._config.file
        if not os.path.isfile(self._path):
            raise NoEntryPoint(f"There is no file {file}.")
        try:
            module = load(self._config.root, file)
        except SystemExit as request:
            if request.code in (None, 0):
                return None
            raise
        if module is None:
            raise NoEntryPoint(f"{file} is no Python file.")
        return module

    def _find(self, module: ModuleType, guarded: bool) -> Optional[Found]:
        if self._config.name:
            return find_named(module, self._config.name)
        return find(module, self._config.root, guarded)

    def _call(self, found: Found) -> None:
        self._announce(Entry(f"{self._config.file}:{found.name}", found.adapter.name, found.how))
        _close_stdin()
        try:
            answer: Any = found.adapter.call(found.value, self._config.query, self._reporter.emit)
            if inspect.isawaitable(answer):
                answer = _wait_for(answer)
        except BadSignature as error:
            self._stage = "detect"
            raise NoEntryPoint(str(error)) from None
        except SystemExit as request:
            if request.code not in (None, 0):
                raise
            answer = Answer()
        self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        written = write(answer)
        _flush()
        if written.response is None:
            self._reporter.result(ResultFrame("", None, written.usage, None, from_stdout=True))
            return
        texts = (written.response, written.value_json or "")
        size = max(len(text.encode("utf-8")) for text in texts)
        if size > self._config.response_bytes:
            self._reporter.result(ResultFrame("", None, written.usage, size))
            return
        result = ResultFrame(written.response, written.value_json, written.usage, None)
        self._reporter.result(result)

    def _run_script(self) -> None:
        """Run the file once more, as a program; what it prints from here on is its response."""
        self._announce(Entry(self._config.file, "script", "script"))
        try:
            self._run_as_main()
        except SystemExit as request:
            if request.code not in (None, 0):
                raise
        _flush()
        self._reporter.result(ResultFrame("", None, {}, None, from_stdout=True))

    def _run_as_main(self) -> None:
        """As `python file.py` does, or as `python -m` where the file belongs to a package."""
        name = module_name(self._config.root, self._config.file)
        if "." not in name:
            runpy.run_path(self._path, run_name="__main__")
            return
        sys.modules.pop(name, None)
        runpy.run_module(name, run_name="__main__", alter_sys=True)

    def _printed(self, how: str, others: Sequence[str] = ()) -> None:
        """The file was a script and has run: what it printed is its response."""
        _flush()
        self._reporter.send(Entry(self._config.file, "script", how, list(others)))
        self._reporter.result(ResultFrame("", None, {}, None, from_stdout=True))

    def _announce(self, entry: Entry) -> None:
        """Say what is called now. What was printed before is no part of the response."""
        _settle_stdout()
        self._reporter.send(entry)

    def _exit_code(self, request: SystemExit) -> int:
        _flush()
        if request.code is None:
            return 0
        if isinstance(request.code, int):
            return request.code & 0xFF
        sys.stderr.write(f"{request.code}\n")
        return 1

    def _report_exit(self, request: SystemExit) -> None:
        """Why the agent gave up, where that is recognized."""
        frame = describe(request, "exit", self._config.root, self._facts)
        if frame.cause:
            self._reporter.send(frame)

    def _report(self, error: BaseException) -> None:
        _flush()
        if isinstance(error, NoEntryPoint):
            message = str(error) or NO_ENTRY_POINT
            frame = ErrorFrame("detect", "NoEntryPoint", message, "", None, None, None)
        else:
            frame = describe(error, self._stage, self._config.root, self._facts)
        sys.stderr.write(frame.traceback or f"{frame.message}\n")
        _flush()
        self._reporter.send(frame)


def _wait_for(answer: Any) -> Answer:
    """Run an event loop; its library is loaded for those only who need it."""
    import asyncio

    async def awaited() -> Answer:
        return await answer

    return asyncio.run(awaited())


def _close_stdin() -> None:
    """A function gets the query as its argument: to read it as input would be a surprise."""
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - the process's own


def _forbid_getpass() -> None:
    """Without a terminal getpass would take the query for the secret."""
    import getpass

    def refuse(prompt: str = "Password: ", stream: object = None) -> str:
        raise EOFError(f"getpass: there is no terminal ({prompt.strip()})")

    refuse.__name__ = refuse.__qualname__ = "getpass"
    refuse.__code__ = refuse.__code__.replace(co_name="getpass")
    getpass.getpass = refuse


def _source(path: str) -> str:
    with open(path, "rb") as file:
        data = file.read()
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding, "replace")


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue


def _settle_stdout() -> None:
    """Wait until the supervisor has read what was printed so far, so that it can tell it apart."""
    _flush()
    end = time.monotonic() + SETTLE_SECONDS
    try:
        while time.monotonic() < end:
            waiting = fcntl.ioctl(1, termios.FIONREAD, struct.pack("i", 0))
            if not struct.unpack("i", waiting)[0]:
                return
            time.sleep(0.0002)
    except OSError:
        return
