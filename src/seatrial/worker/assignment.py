"""From a claimed test to what its slot and its harness are told."""

from __future__ import annotations

from collections.abc import Mapping

from seatrial.domain.door_limits import DoorLimits, DoorUse
from seatrial.domain.ports import ContainerLimits, Environment, Mount, ResolvedModel
from seatrial.domain.recording_ports import Recorder
from seatrial.domain.recordings import Replay
from seatrial.domain.redaction import Known
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Claim
from seatrial.environments import ENVIRONMENT_LABEL
from seatrial.harness.protocol import Assign
from seatrial.harness.sdk_env import sdk_environment
from seatrial.settings import Settings
from seatrial.slots import SlotSpec

GRACE_SECONDS = 0.5
"""Between SIGTERM and SIGKILL of an agent whose time is over."""
CANCEL_GRACE_SECONDS = 0.3
"""The same of one that was cancelled: its container shall be gone within a second."""

_OWN_PROCESSES = 24
"""Room for the harness and its forwarder on top of the agent's process limit."""
_FILE_MB = 256


def slot_name(claim: Claim) -> str:
    """The name of the attempt's container and of its slot."""
    return f"seatrial-{claim.test_id}-{claim.attempt}"


def slot_spec(
    claim: Claim,
    environment: Environment,
    resolved: ResolvedModel,
    settings: Settings,
    *,
    known: Known | None = None,
    used: DoorUse = DoorUse(),  # noqa: B008 - a frozen value
    recorder: Recorder | None = None,
    replay: Replay | None = None,
    secrets: Mapping[str, str] | None = None,
    received_ids: tuple[str, ...] = (),
) -> SlotSpec:
    """The container of an attempt. `used` is what a former worker let through its door.

    `known` are the secrets that nothing may bring into the container, `secrets` those that the
    agent has, by variable, `received_ids` what providers gave to the test before.
    """
    request = claim.request
    mounts: tuple[Mount, ...] = ()
    if environment.path and environment.mount_path:
        mounts = (Mount(environment.path, environment.mount_path),)
    return SlotSpec(
        name=slot_name(claim),
        test_id=claim.test_id,
        attempt=claim.attempt,
        image=environment.image,
        limits=ContainerLimits(
            memory_mb=request.limits.memory_mb,
            cpus=request.limits.cpus,
            processes=request.limits.processes + _OWN_PROCESSES,
            open_files=request.limits.open_files,
            # A disk that is full must be found full: no file may meet its own limit before.
            file_mb=max(_FILE_MB, request.limits.disk_mb + 1),
        ),
        disk_mb=request.limits.disk_mb,
        upstreams=resolved.upstreams,
        egress=frozenset(_host_and_port(entry) for entry in request.egress),
        egress_may_be_private=settings.private_egress,
        door_limits=_door_limits(request, settings, used),
        mounts=mounts,
        recorder=recorder,
        replay=replay,
        labels={ENVIRONMENT_LABEL: environment.key},
        known=known,
        allow=request.allow,
        secrets=dict(secrets or {}),
        received_ids=received_ids,
    )


def _door_limits(request: TestRequest, settings: Settings, used: DoorUse) -> DoorLimits:
    limits = request.limits
    return DoorLimits(
        calls=limits.model_calls,
        tokens=limits.model_tokens or settings.max_model_tokens,
        bytes=limits.traffic_mb * 2**20,
        calls_at_once=limits.concurrent_calls,
        seconds=float(request.timeout_seconds),
        used=used,
    )


def assignment(
    request: TestRequest,
    environment: Environment,
    resolved: ResolvedModel,
    *,
    uid: int,
    secrets: Mapping[str, str] | None = None,
    orphan_seconds: float,
) -> Assign:
    """The agent's work, as the user `uid`.

    `secrets` are the values of the stored secrets that the agent itself gets, by variable.
    """
    ref = resolved.ref
    return Assign(
        mode="agent",
        argv=[],
        files=dict(request.files),
        entry_point=request.entry_point,
        query=request.query,
        env={
            **sdk_environment(
                model=ref.name if ref else None,
                provider=ref.provider if ref else None,
                region=_region(resolved),
            ),
            **request.env,
        },
        secrets=dict(secrets or {}),
        uid=uid,
        python=environment.python,
        deadline_seconds=float(request.timeout_seconds),
        log_bytes=request.limits.log_kb * 1024,
        response_bytes=request.limits.response_kb * 1024,
        collect=[],
        grace_seconds=GRACE_SECONDS,
        orphan_seconds=orphan_seconds,
        workdir="/agent",
    )


def _region(resolved: ResolvedModel) -> str | None:
    """The AWS region of the test's models: SDKs derive model names from it."""
    keys = (upstream.credential for upstream in resolved.upstreams)
    return next((found.region for found in keys if found is not None), None)


def _host_and_port(entry: str) -> tuple[str, int]:
    host, _, port = entry.rpartition(":")
    return host.lower(), int(port)
