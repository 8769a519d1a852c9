"""The one place where what aiodocker, aiohttp and the system raise becomes our tree.

    DockerError 900, aiohttp.ClientError, OSError, a timeout -> EngineUnavailable
    DockerError that speaks of no space or no memory         -> NoCapacity
    DockerError 404, or what Podman says in its place        -> NotThere (inside only)
    DockerError 409, or what Podman says in its place        -> AlreadyThere (inside only)
    every other DockerError, an answer that makes no sense   -> EngineRefused

A 404 of an image becomes ImageUnavailable where an image was asked for: only the caller knows.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import aiohttp
from aiodocker.exceptions import DockerError

from seatrial.domain.errors import (
    EngineRefused,
    EngineUnavailable,
    NoCapacity,
    PlatformError,
)

from . import tls

_NOT_CONNECTED = 900
"""The status that aiodocker makes up when there is no connection."""
_FULL = (
    "no space left on device",
    "disk quota exceeded",
    "cannot allocate memory",
    "out of memory",
    "resource temporarily unavailable",
    "too many open files",
)
_NOT_THERE = ("no such container", "no container with name or id", "no such volume")
"""How Podman, with status 500, says that something went away while it was looked at."""
_ALREADY = ("already in use", "not running", "can only kill running", "already in progress")
"""How Podman, with status 500, says what Docker says with 409."""


class NotThere(EngineRefused):
    """The container or image that was asked for does not exist. Never leaves this folder."""


class AlreadyThere(EngineRefused):
    """The state of the container made the request pointless. Never leaves this folder."""


def from_docker(error: DockerError) -> PlatformError:
    """What an answer of the engine means."""
    text = str(error.message)
    lower = text.lower()
    if error.status == _NOT_CONNECTED:
        return unavailable(text, cause=error)
    if any(words in lower for words in _FULL):
        return NoCapacity(f"The container engine is full: {text}", hint="Free disk or memory.")
    if error.status == 404 or any(words in lower for words in _NOT_THERE):
        return NotThere(text)
    if error.status == 409 or any(words in lower for words in _ALREADY):
        return AlreadyThere(text)
    return EngineRefused(f"The container engine refused: {text}")


def unavailable(why: str, *, cause: BaseException | None = None) -> EngineUnavailable:
    """The engine did not answer; where TLS is the cause, that is the reason."""
    if cause is not None and (failed := tls.tls_failure(cause)):
        message = f"The container engine does not answer: {failed}"
        return EngineUnavailable(message, hint=tls.HINT)
    return EngineUnavailable(
        f"The container engine does not answer: {why}",
        hint="Is it running, and may this user use its socket? `seatrial doctor` tells.",
    )


@contextmanager
def translated() -> Generator[None]:
    """Let nothing of the libraries out of the block.

    aiodocker reads an engine's answer after its own try block, so every class of aiohttp can
    come through; ValueError (JSON, encoding, length of a line), KeyError, TypeError and
    AssertionError are what it raises for an answer that is none of an engine's.
    """
    try:
        yield
    except DockerError as error:
        raise from_docker(error) from error
    except TimeoutError as error:
        raise unavailable("no answer in time") from error
    except aiohttp.ClientError as error:
        raise unavailable(str(error) or type(error).__name__, cause=error) from error
    except OSError as error:
        raise unavailable(str(error), cause=error) from error
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise EngineRefused(f"The container engine's answer makes no sense: {error!r}") from error
