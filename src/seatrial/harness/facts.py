"""What the agent's process did shortly before it failed: audit events and variables that it read.

Only facts that explain an exception are kept, few of each. They are claims of the agent's own
process: its author reads them, nothing is decided by them.
"""

import inspect
import os
import sys
from collections import deque
from typing import Any, Callable, Optional, cast

_KEPT = 24
_TEXT = 300

Place = tuple[str, str]
"""A file and the name of the function in it, of a line of the agent's own."""


_INPUTS_TOO_MANY = 10


class InputEnded(BaseException):
    """Raised where a program goes on asking for input though there was none many times."""


class Facts:
    """Listens to the process. `install` starts it; it cannot be stopped (PEP 578).

    `inputs` is the number of lines that `input()` can return; `bound` is called when a port is
    bound.
    """

    def __init__(self, root: str, inputs: int = 1, bound: Callable[[], object] = bool) -> None:
        self._root = os.path.join(root, "")
        self._inputs_left = inputs + _INPUTS_TOO_MANY
        self._bound = bound
        self.variables: dict[str, Optional[Place]] = {}
        self.addresses: "deque[tuple[str, int]]" = deque(maxlen=_KEPT)
        self.names: "deque[tuple[str, int]]" = deque(maxlen=_KEPT)
        self.databases: "deque[str]" = deque(maxlen=_KEPT)
        self.prompts: "deque[str]" = deque(maxlen=_KEPT)
        self._handlers: dict[str, Callable[[tuple[Any, ...]], None]] = {
            "socket.connect": self._connect,
            "socket.getaddrinfo": self._resolve,
            "sqlite3.connect": self._open_database,
            "socket.bind": self._bind,
            "builtins.input": self._ask,
        }

    def install(self) -> None:
        """Hear audit events and misses of `os.environ` from now on."""
        sys.addaudithook(self._hear)
        _watch(self._missed)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        handler = self._handlers.get(event)
        if handler is None:
            return
        try:
            handler(arguments)
        except Exception:  # noqa: BLE001 - an error here would become the agent's own
            return

    def _connect(self, arguments: tuple[Any, ...]) -> None:
        if not isinstance(arguments[1], tuple):
            return  # a Unix socket
        host, port = cast("tuple[Any, ...]", arguments[1])[:2]
        self.addresses.append((str(host)[:_TEXT], int(port)))

    def _resolve(self, arguments: tuple[Any, ...]) -> None:
        host, port = arguments[0], arguments[1]
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
        self.names.append((name[:_TEXT], int(port) if str(port).isdigit() else 0))

    def _open_database(self, arguments: tuple[Any, ...]) -> None:
        self.databases.append(os.fsdecode(arguments[0])[:_TEXT])

    def _ask(self, arguments: tuple[Any, ...]) -> None:
        self.prompts.append(str(arguments[0])[:_TEXT])
        self._inputs_left -= 1
        if self._inputs_left < 0:
            raise InputEnded

    def _bind(self, arguments: tuple[Any, ...]) -> None:
        if isinstance(arguments[1], tuple):
            self._bound()

    def _missed(self, name: str) -> None:
        """A variable was read that is not there; the first reader of each is kept."""
        if len(self.variables) < 20 * _KEPT:
            self.variables.setdefault(name[:_TEXT], self._own_place())

    def _own_place(self) -> Optional[Place]:
        """The agent's own line that reads it; None where a library does."""
        frame = inspect.currentframe()
        while frame is not None and frame.f_code.co_filename.startswith(_BETWEEN):
            frame = frame.f_back
        if frame is None or not frame.f_code.co_filename.startswith(self._root):
            return None
        return frame.f_code.co_filename, frame.f_code.co_name


_BETWEEN = (os.__file__, os.path.dirname(os.path.abspath(__file__)), "<frozen")


def _watch(missed: Callable[[str], None]) -> None:
    """Have `os.environ` report each name that is read and is not there."""
    kind = type(os.environ)

    class Environment(kind):
        """The environment as it is, and a listener for its misses."""

        def __getitem__(self, key: Any) -> Any:
            try:
                return super().__getitem__(key)
            except KeyError:
                _report(key)
                raise

        def get(self, key: Any, default: Any = None) -> Any:
            """A default that is not empty is the agent's own answer to a miss."""
            try:
                return super().__getitem__(key)
            except KeyError:
                if default is None or default == "":
                    _report(key)
                return default

        def __contains__(self, key: object) -> bool:
            found = super().__contains__(key)
            if not found:
                _report(key)
            return found

    Environment.__name__ = Environment.__qualname__ = kind.__name__

    def _report(key: object) -> None:
        if isinstance(key, str):
            missed(key)

    os.environ.__class__ = Environment
