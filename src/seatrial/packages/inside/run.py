"""One call of the agent in its own process: load it, wait for the query, call it, report.

Every call has a fresh process, as in the test: no conversation of one caller is seen by another.
The agent is loaded before the query is there, so that callers do not wait for its imports; but
one that reads its arguments while it is loaded gets the query first, as in the test.
"""

import inspect
import json
import os
import sys
import traceback
from dataclasses import replace
from typing import Any, Optional

from seatrial.harness.detect import find_named
from seatrial.harness.frameworks.answers import Answer, write
from seatrial.harness.modules import import_paths, load, script_folder
from seatrial.harness.serving import hand_over

from .config import Config, read_config


def main(query_fd: int, report_fd: int, answer_fd: int) -> int:
    """Serve one query; the exit code of the process.

    The query comes as JSON over `query_fd`; what is done goes as JSON lines to `report_fd`. From
    the call on, what is printed goes to `answer_fd`: it is the response of an agent that returns
    none.
    """
    # The server started this process in a copy of the files that is its own.
    config = replace(read_config(), root=os.getcwd())
    report = os.fdopen(report_fd, "w", encoding="utf-8", errors="replace")
    sys.path[:1] = import_paths(config.root, config.file)
    sys.path.append(script_folder(config.root, config.file))
    sys.argv = [config.file]
    try:
        query = _wait_for_query(config, query_fd) if config.query_first else None
        value = find_named(_load(config), config.name)
        _tell(report, kind="ready")
        if not config.query_first:
            query = _wait_for_query(config, query_fd)
        if query is None:
            return 0  # the server has ended
        _flush()
        os.dup2(answer_fd, 1)
        emit = _Emitter(report)
        answer: Any = value.adapter.call(value.value, query, emit.emit)
        if inspect.isawaitable(answer):
            answer = _wait_for(answer)
        _tell_answer(report, answer)
    except BaseException as error:  # noqa: BLE001 - whatever foreign code raises is the answer
        return _tell_error(report, error)
    return 0


def _wait_for_query(config: Config, query_fd: int) -> Optional[str]:
    """The query, which is among the arguments from then on; None when there will be none."""
    with os.fdopen(query_fd, encoding="utf-8") as pipe:
        given = pipe.read()
    if not given:
        return None
    query: str = json.loads(given)
    sys.argv = [config.file, query]
    return query


class _Emitter:
    def __init__(self, report: Any) -> None:
        self._report = report

    def emit(self, text: str) -> None:
        _tell(self._report, kind="piece", text=text)


def _load(config: Config) -> Any:
    """The agent's module, loaded as in the test."""
    hand_over()
    module = load(config.root, config.file)
    if module is None:
        raise ImportError(config.file)
    return module


def _wait_for(answer: Any) -> Answer:
    import asyncio

    async def awaited() -> Answer:
        return await answer

    return asyncio.run(awaited())


def _tell_answer(report: Any, answer: Answer) -> None:
    written = write(answer)
    _flush()
    _tell(report, kind="result", response=written.response, value_json=written.value_json)


def _tell_error(report: Any, error: BaseException) -> int:
    if isinstance(error, SystemExit) and error.code in (None, 0):
        _flush()
        _tell(report, kind="result", response=None, value_json=None)
        return 0
    traceback.print_exception(type(error), error, error.__traceback__)
    _flush()
    _tell(report, kind="error", type=type(error).__name__, message=str(error)[:2000])
    return 1


def _tell(report: Any, **what: Any) -> None:
    report.write(json.dumps(what) + "\n")
    report.flush()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
