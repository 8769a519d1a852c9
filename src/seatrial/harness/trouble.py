"""An exception of the agent, as a frame: without the runner's own part of the traceback."""

import os
import traceback
from collections.abc import Iterator
from typing import Literal, Optional

from .causes import cause_of
from .facts import Facts
from .frameworks.answers import valid
from .protocol import ErrorFrame

MESSAGE_CHARACTERS = 8192
TRACEBACK_CHARACTERS = 65536
_HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")
_HIDDEN = (_HERE, "<frozen importlib", "<frozen runpy")

Stage = Literal["load", "call", "detect", "exit"]


def describe(
    error: BaseException, stage: Stage, root: str, facts: Optional[Facts] = None
) -> ErrorFrame:
    """The frame of an exception. `file` and `line` are the last place in the agent's own files.

    With `facts` it names the cause where one is recognized.
    """
    shown = traceback.TracebackException.from_exception(error)
    for part in _chain(shown):
        part.stack[:] = [frame for frame in part.stack if not frame.filename.startswith(_HIDDEN)]
    file, line = _place(error, shown, root)
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    cause, subject = _cause(error, root, facts)
    return ErrorFrame(
        stage=stage,
        type=valid(type(error).__name__),
        message=valid(_message(error))[:MESSAGE_CHARACTERS],
        traceback=valid("".join(shown.format()))[-TRACEBACK_CHARACTERS:],
        file=file,
        line=line,
        module=valid(missing.partition(".")[0]) if missing else None,
        cause=cause,
        subject=valid(subject),
    )


def _cause(error: BaseException, root: str, facts: Optional[Facts]) -> tuple[str, str]:
    try:
        return (cause_of(error, facts, root) if facts else None) or ("", "")
    except Exception:  # noqa: BLE001 - the agent's classes run here; the exception itself counts
        return "", ""


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001 - the agent's own class may raise anything here
        return f"<no message: {type(second).__name__}>"


def _chain(shown: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    waiting: list[Optional[traceback.TracebackException]] = [shown]
    seen: set[int] = set()
    while waiting:
        part = waiting.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        waiting += [part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or [])]


def _place(
    error: BaseException, shown: traceback.TracebackException, root: str
) -> tuple[Optional[str], Optional[int]]:
    own = os.path.join(root, "")
    places = [(frame.filename, frame.lineno) for frame in shown.stack]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno))
    for file, line in reversed(places):
        if file.startswith(own):
            return valid(file[len(own) :]), line
    return None, None
