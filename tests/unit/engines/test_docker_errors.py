"""Every exception of the libraries below has a place in our tree."""

from __future__ import annotations

import asyncio

import aiodocker.exceptions
import aiohttp
import pytest
from aiodocker.exceptions import DockerContainerError, DockerError, DockerStreamError

from seatrial.domain.errors import EngineRefused, EngineUnavailable, NoCapacity, PlatformError
from seatrial.engines.docker.errors import AlreadyThere, NotThere, translated


def mapped(error: BaseException) -> type[PlatformError]:
    with pytest.raises(PlatformError) as caught, translated():
        raise error
    return type(caught.value)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (DockerError(900, "Cannot connect"), EngineUnavailable),
        (DockerError(404, "no such container"), NotThere),
        (DockerError(500, "c does not exist in database: no such container"), NotThere),
        (DockerError(409, "Conflict"), AlreadyThere),
        (DockerError(500, "that name is already in use"), AlreadyThere),
        (DockerError(500, "can only kill running containers"), AlreadyThere),
        (DockerError(400, "exec: not found"), EngineRefused),
        (DockerError(500, "mkdir /x: no space left on device"), NoCapacity),
        (DockerError(500, "fork/exec: cannot allocate memory"), NoCapacity),
        (DockerContainerError(500, "boom", "c"), EngineRefused),
        (DockerStreamError("write: No space left on device"), NoCapacity),
        (aiohttp.ClientPayloadError("cut"), EngineUnavailable),
        (aiohttp.ServerDisconnectedError(), EngineUnavailable),
        (FileNotFoundError("no socket"), EngineUnavailable),
        (ConnectionRefusedError(), EngineUnavailable),
        (TimeoutError(), EngineUnavailable),
        (ValueError("no JSON"), EngineRefused),
        (KeyError("Id"), EngineRefused),
    ],
)
def test_it_becomes(error: BaseException, expected: type[PlatformError]) -> None:
    assert mapped(error) is expected


def test_every_exception_class_of_aiodocker_is_one_that_is_mapped() -> None:
    classes = [
        value
        for value in vars(aiodocker.exceptions).values()
        if isinstance(value, type) and issubclass(value, BaseException)
    ]
    assert DockerError in classes
    assert all(issubclass(known, DockerError) for known in classes)


def test_every_exception_class_of_aiohttps_client_is_one_that_is_mapped() -> None:
    import aiohttp.client_exceptions as known

    classes = [
        value
        for value in (getattr(known, name) for name in known.__all__)
        if isinstance(value, type) and issubclass(value, Exception)
    ]
    mapped_bases = (aiohttp.ClientError, OSError, TimeoutError, ValueError, TypeError)
    assert len(classes) > 10
    assert [known for known in classes if not issubclass(known, mapped_bases)] == []


async def test_a_cancellation_is_no_error_of_the_engine() -> None:
    with pytest.raises(asyncio.CancelledError), translated():
        raise asyncio.CancelledError
