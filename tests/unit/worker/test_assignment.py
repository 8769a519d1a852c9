"""What a slot and its harness are told of a claimed test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from seatrial.domain.door_limits import DoorLimits, DoorUse
from seatrial.domain.ports import ContainerLimits, Environment, Mount, ResolvedModel, Upstream
from seatrial.domain.requests import Limits, ModelRef, TestRequest
from seatrial.domain.tests import Claim
from seatrial.harness.protocol import encode, worker_decoder
from seatrial.settings import Settings
from seatrial.worker.assignment import assignment, slot_name, slot_spec

KEY = "sk-do-not-show"
UPSTREAM = Upstream("openai", "https://models.example/v1", frozenset({"m"}), key=KEY)
MODEL = ResolvedModel(ModelRef(provider="openai", name="m"), (UPSTREAM,), named_by_request=True)
NONE = ResolvedModel(None, (), named_by_request=True)
PLAIN = Environment("", "sha256:1", "python3", "")
BUILT = Environment("k", "sha256:1", "/e/k/bin/python", "", path="/host/k", mount_path="/e/k")
LIMITS = Limits(memory_mb=96, cpus=0.5, processes=10, disk_mb=32, log_kb=3, response_kb=2)


def claim(**changes: Any) -> Claim:
    request = TestRequest.model_validate(
        {
            "files": {"agent.py": "x = 1", "lib/a.py": ""},
            "query": "q \x00 ü",
            "limits": LIMITS,
            "timeout_seconds": 7,
            **changes,
        }
    )
    return Claim(
        test_id="t1",
        owner="ada",
        attempt=2,
        request=request,
        last_event=1,
        created_at=datetime.now(UTC),
    )


@pytest.mark.spec("FR-007", "FR-011")
def test_the_harness_is_told_the_requests_limits_in_bytes_and_seconds() -> None:
    told = assignment(claim().request, BUILT, MODEL, uid=20_001, orphan_seconds=4.0)
    assert (told.deadline_seconds, told.orphan_seconds) == (7.0, 4.0)
    assert (told.log_bytes, told.response_bytes) == (3072, 2048)
    assert (told.python, told.workdir, told.mode) == ("/e/k/bin/python", "/agent", "agent")
    assert told.files == {"agent.py": "x = 1", "lib/a.py": ""}
    assert told.uid == 20_001
    assert told.query == "q \x00 ü"
    assert worker_decoder().feed(encode(told)) == [(None, told)]


def test_a_providers_key_is_in_nothing_that_a_container_gets() -> None:
    spec = slot_spec(claim(), PLAIN, MODEL, Settings())
    told = assignment(claim().request, PLAIN, MODEL, uid=20_001, orphan_seconds=1)
    assert KEY not in repr(spec)
    assert KEY not in encode(told).decode("latin-1")
    assert spec.upstreams == (UPSTREAM,)


def test_without_a_model_no_model_is_named_in_the_environment() -> None:
    env = assignment(claim().request, PLAIN, NONE, uid=20_001, orphan_seconds=1).env
    assert "SEATRIAL_MODEL" not in env
    env = assignment(claim().request, PLAIN, MODEL, uid=20_001, orphan_seconds=1).env
    assert env["SEATRIAL_MODEL"] == "m"


@pytest.mark.spec("FR-012")
def test_the_slot_has_the_requests_limits_and_room_for_the_harness() -> None:
    spec = slot_spec(claim(), BUILT, MODEL, Settings())
    assert spec.name == slot_name(claim()) == "seatrial-t1-2"
    assert (spec.test_id, spec.attempt, spec.image) == ("t1", 2, "sha256:1")
    assert spec.limits == ContainerLimits(
        memory_mb=96, cpus=0.5, processes=34, open_files=1024, file_mb=256
    )
    assert spec.disk_mb == 32
    assert spec.mounts == (Mount("/host/k", "/e/k"),)
    assert spec.labels == {"seatrial.environment": "k"}


def test_the_door_has_the_requests_limits_and_goes_on_from_what_was_used() -> None:
    limits = Limits(model_calls=5, model_tokens=70, traffic_mb=3, concurrent_calls=2)
    used = DoorUse(calls=1, tokens=9, bytes=100)
    spec = slot_spec(claim(limits=limits), PLAIN, MODEL, Settings(), used=used)
    assert spec.door_limits == DoorLimits(
        calls=5, tokens=70, bytes=3 * 2**20, calls_at_once=2, seconds=7.0, used=used
    )


def test_the_operators_maximum_of_tokens_holds_for_a_request_that_names_none() -> None:
    spec = slot_spec(claim(), PLAIN, MODEL, Settings(max_model_tokens=1000))
    assert spec.door_limits.tokens == 1000
    assert slot_spec(claim(), PLAIN, MODEL, Settings()).door_limits.tokens == 0


def test_an_environment_without_packages_mounts_nothing() -> None:
    assert slot_spec(claim(), PLAIN, NONE, Settings()).mounts == ()


def test_allowed_hosts_are_taken_apart_at_the_last_colon() -> None:
    spec = slot_spec(
        claim(egress=("API.Example.com:443", "db.example:5432", "API.example.com:443")),
        PLAIN,
        NONE,
        Settings(),
    )
    assert spec.egress == {("api.example.com", 443), ("db.example", 5432)}
    assert not spec.egress_may_be_private
    allowing = Settings(private_egress=True)
    assert slot_spec(claim(), PLAIN, NONE, allowing).egress_may_be_private
