"""What a replayed attempt runs with, read from the recording alone: no provider is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace

from seatrial.domain.aws import AwsKeys
from seatrial.domain.errors import FailureError, NotFound
from seatrial.domain.events import NoticeEvent
from seatrial.domain.failures import failure
from seatrial.domain.ports import ResolvedModel, Upstream
from seatrial.domain.recording_ports import Recordings
from seatrial.domain.recordings import (
    RecordedCall,
    RecordedUpstream,
    RecordingInfo,
    RecordingSetup,
    Replay,
)
from seatrial.domain.requests import ModelRef, TestRequest

from .journal import patiently

NOWHERE = "replayed:"
"""The address of a service that is never asked."""

_PAGE = 50


@dataclass(frozen=True)
class Replayed:
    """The model of the recorded test, and what its calls are answered from."""

    resolved: ResolvedModel
    replay: Replay


async def replayed_model(
    recordings: Recordings, owner: str, request: TestRequest, used: frozenset[int]
) -> Replayed:
    """The recording that the request names. FailureError when it is not there or not whole.

    `used` are the numbers of the calls that a former worker of the attempt has answered.
    """
    test_id = request.replay_of or ""
    try:
        info = await patiently(lambda: recordings.recording(owner, test_id))
        if info.problem is not None:
            raise _missing(info.problem)
        calls = await _calls(recordings, owner, info)
    except NotFound as error:
        raise _missing(error.message) from None
    named = request.model is not None
    resolved = replace(resolved_of(info.setup, named_by_request=named), replay_of=test_id)
    return Replayed(resolved, Replay(calls, used))


def replay_notice(resolved: ResolvedModel) -> NoticeEvent:
    """What the journal says at the start of a replay."""
    message = f"Model calls are answered from the recording of {resolved.replay_of}."
    return NoticeEvent(code="model.replayed", message=message)


def resolved_of(setup: RecordingSetup, *, named_by_request: bool) -> ResolvedModel:
    """The model of the recorded test, at services that lead nowhere."""
    return ResolvedModel(
        ref=ModelRef.parse(setup.model) if setup.model else None,
        upstreams=tuple(_upstream(one) for one in setup.upstreams),
        named_by_request=named_by_request,
        fallback=setup.fallback,
    )


def _upstream(recorded: RecordedUpstream) -> Upstream:
    # Keys without a value: only their region is looked at, from which SDKs derive model names.
    keys = AwsKeys("", "", recorded.region) if recorded.region else None
    return Upstream(recorded.provider, NOWHERE, frozenset(recorded.models), credential=keys)


async def _calls(
    recordings: Recordings, owner: str, info: RecordingInfo
) -> tuple[RecordedCall, ...]:
    calls: list[RecordedCall] = []

    async def page() -> list[RecordedCall]:
        after = calls[-1].number if calls else 0
        return list(await recordings.recorded_calls(owner, info.test_id, after=after, limit=_PAGE))

    while more := await patiently(page):
        calls += more
    return tuple(calls)


def _missing(why: str) -> FailureError:
    return FailureError(failure("model.recording_missing", why))
