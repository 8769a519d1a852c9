"""From an exception to what caused it, seen from inside: one kind and what it is about.

Each rule looks at the exceptions that led to the last one, innermost facts first, and at what
the process did before. A rule that is not sure says nothing.
"""

import errno
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Callable, Optional

from .facts import Facts, InputEnded
from .missing import Cause, of_import

_Rule = Callable[[list[BaseException], Facts, str], Optional[Cause]]

_UNWRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM}
_NOT_THERE = {
    errno.ECONNREFUSED,
    errno.EADDRNOTAVAIL,
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.EAFNOSUPPORT,
}
_LOOP = re.compile(r"event loop is (already )?running|running event loop|another loop is running")
_EMPTY = re.compile(
    r"NoneType|\bNone\b|(?i:missing|not set|not configured|required|unset|provide|specify|empty|"
    r"no \S{0,20} ?(key|token|credential|secret|password))"
)
_NOT_FOUND = re.compile(r"([A-Za-z0-9_.+-]{1,60}): (?:command )?not found")


def cause_of(error: BaseException, facts: Facts, root: str) -> Optional[Cause]:
    """What caused an exception, or None where no rule is sure."""
    chain = list(_chain(error))
    for rule in _RULES:
        cause = rule(chain, facts, root)
        if cause is not None:
            return cause
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, and those that it came from, the last one first; each once."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < 50:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = (one.__cause__, one.__context__, *getattr(one, "exceptions", ()), *_wrapped(one))
        waiting += [item for item in inner if isinstance(item, BaseException)]


def _wrapped(error: BaseException) -> Iterator[object]:
    """Exceptions that an exception carries, as urllib's and urllib3's do."""
    yield getattr(error, "reason", None)
    yield from error.args[:3]


# ------------------------------------------------------------------ variables


def _variable(chain: list[BaseException], facts: Facts, root: str) -> Optional[Cause]:
    return _named_variable(chain, facts) or _read_where_it_failed(chain[0], facts, root)


def _named_variable(chain: list[BaseException], facts: Facts) -> Optional[Cause]:
    """A variable that was missed and that the exception names."""
    for error in chain:
        text = _text(error)
        for name in sorted(facts.variables, key=len, reverse=True):
            if len(name) > 2 and _is_named(name, text):
                return "variable", name
    return None


def _is_named(name: str, text: str) -> bool:
    """Whether the text has the name as a whole word."""
    start = text.find(name)
    while start >= 0:
        around = text[max(0, start - 1) : start] + text[start + len(name) :][:1]
        if not any(character.isalnum() or character == "_" for character in around):
            return True
        start = text.find(name, start + len(name))
    return False


def _read_where_it_failed(error: BaseException, facts: Facts, root: str) -> Optional[Cause]:
    """A variable that the failing function, or its file while it was loaded, had read."""
    frame = _last_own_frame(error.__traceback__, root)
    if frame is None or not (isinstance(error, SystemExit) or _EMPTY.search(_text(error))):
        return None
    code = frame.f_code
    uses_empty = any(frame.f_globals.get(name, 1) in (None, "") for name in code.co_names)
    for name, place in reversed(list(facts.variables.items())):
        if place is None or place[0] != code.co_filename:
            continue
        if place[1] == code.co_name or (place[1] == "<module>" and uses_empty):
            return "variable", name
    return None


def _last_own_frame(trace: Optional[TracebackType], root: str) -> Optional[FrameType]:
    own, found = os.path.join(root, ""), None
    while trace is not None:
        frame = trace.tb_frame
        found = frame if frame.f_code.co_filename.startswith(own) else found
        trace = trace.tb_next
    return found


# ------------------------------------------------------------------ files and programs


def _program(chain: list[BaseException], facts: Facts, root: str) -> Optional[Cause]:
    for error in chain:
        if isinstance(error, FileNotFoundError) and "_execute_child" in _functions(error):
            name = os.fsdecode(error.filename or "")
            if not os.path.isdir(name):  # a working directory that is not there is another matter
                return "program", name
        if isinstance(error, subprocess.CalledProcessError):
            return _of_command(error)
    return None


def _of_command(error: subprocess.CalledProcessError) -> Optional[Cause]:
    words = error.cmd.split() if isinstance(error.cmd, str) else [str(w) for w in error.cmd]
    if {"pip", "install"} <= set(words) or {"pip3", "install"} <= set(words):
        names = [word for word in words[words.index("install") + 1 :] if word[:1] != "-"]
        return "pip", " ".join(names)
    if error.returncode != 127 or not words:
        return None
    said = _NOT_FOUND.search(str(error.stderr or ""))
    missing = [word for word in words if word[:1].isalpha() and shutil.which(word) is None]
    return ("program", said[1] if said else missing[0]) if said or missing else None


def _functions(error: BaseException) -> set[str]:
    found, trace = set[str](), error.__traceback__
    while trace is not None:
        found.add(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    return found


def _place(chain: list[BaseException], facts: Facts, root: str) -> Optional[Cause]:
    """A place that cannot be written, or a file that is not there."""
    for error in chain:
        if isinstance(error, OSError) and error.filename is not None:
            path = os.fsdecode(error.filename) if not isinstance(error.filename, int) else ""
            if error.errno in _UNWRITABLE and path:
                return "unwritable", path
            if error.errno == errno.ENOENT and path:
                return _absent(path)
        if type(error).__name__ == "OperationalError" and type(error).__module__ == "sqlite3":
            return _of_database(_text(error), facts)
    return None


def _absent(path: str) -> Cause:
    folder = os.path.dirname(os.path.abspath(path))
    known = os.path.isdir(folder) and os.access(folder, os.W_OK)
    return ("output_folder" if not known and _is_output(path) else "file", path)


def _is_output(path: str) -> bool:
    """Whether it is a file that programs write rather than read, judged by its suffix."""
    return path.endswith((".log", ".lock", ".tmp", ".pid"))


def _of_database(said: str, facts: Facts) -> Optional[Cause]:
    if not facts.databases or not re.search(r"unable to open|readonly", said):
        return None
    path = facts.databases[-1]
    folder = os.path.dirname(os.path.abspath(path))
    return "unwritable" if not os.access(folder, os.W_OK) else "file", path


# ------------------------------------------------------------------ network and terminal


def _address(chain: list[BaseException], facts: Facts, root: str) -> Optional[Cause]:
    for error in chain:
        if not isinstance(error, OSError):
            continue
        if error.errno in _NOT_THERE and facts.addresses:
            host, port = _as_written(facts)
            return "address", f"{host}:{port}"
        if type(error).__name__ == "gaierror" and facts.names:
            host, port = facts.names[-1]
            return "name", f"{host}:{port}" if port else host
    return None


def _as_written(facts: Facts) -> tuple[str, int]:
    """The name that was resolved to the last address, where that is what was looked up."""
    address, port = facts.addresses[-1]
    if facts.names and facts.names[-1][1] == port and not address.startswith("/"):
        return facts.names[-1][0], port
    return address, port


def _input(chain: list[BaseException], facts: Facts, root: str) -> Optional[Cause]:
    """The end of input where the agent asked; the prompt is what it asked."""
    for error in chain:
        if isinstance(error, (EOFError, InputEnded)):
            secret = _prompt_of(error, {"getpass", "unix_getpass", "fallback_getpass"})
            if secret is not None:
                return "secret_input", secret
            asked = _prompt_of(error, {"prompt", "confirm", "ask"})
            return "input", asked or (facts.prompts[-1] if facts.prompts else "")
    return None


def _prompt_of(error: BaseException, functions: set[str]) -> Optional[str]:
    trace = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code.co_name in functions:
            for name in ("prompt", "text"):
                if isinstance(frame.f_locals.get(name), str):
                    return str(frame.f_locals[name])
        trace = trace.tb_next
    return None


# ------------------------------------------------------------------ the code


def _loop(chain: list[BaseException], facts: Facts, root: str) -> Optional[Cause]:
    error = chain[0]
    return ("loop", "") if isinstance(error, RuntimeError) and _LOOP.search(_text(error)) else None


def _notebook(chain: list[BaseException], facts: Facts, root: str) -> Optional[Cause]:
    error = chain[0]
    name = getattr(error, "name", "") or ""
    if isinstance(error, NameError) and (name or _text(error)).find("get_ipython") >= 0:
        return "notebook", "get_ipython"
    return None


def _arguments(chain: list[BaseException], facts: Facts, root: str) -> Optional[Cause]:
    """Arguments that the agent's own command line requires."""
    error = chain[0]
    trace = error.__traceback__ if isinstance(error, SystemExit) else None
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code.co_name == "error" and frame.f_globals.get("__name__") == "argparse":
            return "arguments", str(frame.f_locals.get("message", ""))
        trace = trace.tb_next
    return None


def _import(chain: list[BaseException], facts: Facts, root: str) -> Optional[Cause]:
    return of_import(chain, root)


def _text(error: BaseException) -> str:
    try:
        return str(error)[:4000]
    except Exception:  # noqa: BLE001 - the agent's own class may raise anything here
        return ""


_RULES: tuple[_Rule, ...] = (
    _import,
    _notebook,
    _loop,
    _arguments,
    _input,
    _program,
    _variable,
    _place,
    _address,
)
