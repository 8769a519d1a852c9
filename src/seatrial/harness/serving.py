"""Web servers in the agent's process: a program that serves requests never answers a query."""

import inspect
import os
import sys
import threading
import time
from types import FrameType
from typing import Any, Callable, Optional

SERVERS = {
    "aiohttp": "aiohttp",
    "bottle": "Bottle",
    "chainlit": "Chainlit",
    "cherrypy": "CherryPy",
    "dash": "Dash",
    "flask": "Flask",
    "gradio": "Gradio",
    "gunicorn": "Gunicorn",
    "hypercorn": "Hypercorn",
    "nicegui": "NiceGUI",
    "sanic": "Sanic",
    "socketserver": "http.server",
    "streamlit": "Streamlit",
    "tornado": "Tornado",
    "twisted": "Twisted",
    "uvicorn": "Uvicorn",
    "waitress": "Waitress",
    "werkzeug": "Flask",
    "wsgiref": "wsgiref",
}
"""Modules that serve requests until they are stopped, and what people call them."""

_EVERY_SECONDS = 0.5
_SIGHTINGS = 4
"""As often in a row the main thread is seen in a server before that is what the program does."""
_LONGEST_SECONDS = 120.0

_HANDS_OVER = "bedrock_agentcore.runtime"
"""A server whose handler is called without it: `app.run()` of such a file need not be guarded."""


class HandsOver(BaseException):
    """Raised in place of the start of a server whose handler is called directly."""


def hand_over() -> None:
    """Let `app.run()` of an AgentCore application raise HandsOver from now on."""
    sys.addaudithook(_stop_at_bind)


def _stop_at_bind(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.bind" and _is_in_run(inspect.currentframe(), _HANDS_OVER):
        raise HandsOver


def _is_in_run(frame: Optional[FrameType], module: str) -> bool:
    """Whether `run` of that module is under way: to import it may bind a port as well."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if frame.f_code.co_name == "run" and name.startswith(module):
            return True
        frame = frame.f_back
    return False


class Watch:
    """Looks whether the main thread serves requests, from the first bound port on.

    `found` is called with the server's name, in a thread of the watch, once at most.
    """

    def __init__(self, found: Callable[[str], None]) -> None:
        self._found = found
        self._begun = False
        self._pid = os.getpid()

    def begin(self) -> None:
        """Start watching; idempotent. A forked process is not watched."""
        if not self._begun and os.getpid() == self._pid:
            self._begun = True
            threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        end, seen = time.monotonic() + _LONGEST_SECONDS, 0
        while time.monotonic() < end:
            time.sleep(_EVERY_SECONDS)
            name = _server_of_main_thread()
            seen = seen + 1 if name else 0
            if seen >= _SIGHTINGS:
                self._found(name)
                return


def _server_of_main_thread() -> str:
    main = threading.main_thread().ident
    frame = sys._current_frames().get(main or 0)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - documented in sys
    while frame is not None:
        module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if module in SERVERS:
            return SERVERS[module]
        frame = frame.f_back
    return ""
