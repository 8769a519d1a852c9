"""P2: only the gateway is reachable."""

from __future__ import annotations

import asyncio
import json
from importlib import resources

import pytest

from seatrial.slots import self_test
from seatrial.slots.targets import host_addresses, targets

from .conftest import ONE_ENGINE, Place

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

PROBE = (resources.files("seatrial.slots.inside") / "reach.py").read_text("utf-8")


@pytest.mark.spec("FR-008", "FR-011")
async def test_an_agent_finds_nothing_open_of_what_the_host_finds_open(place: Place) -> None:
    async with targets(place.engine_url.removeprefix("unix://")) as aims:
        control = await self_test.on_the_host(aims)
        aims.contacts.clear()
        query = json.dumps(aims.query(inside=True))
        end = await asyncio.to_thread(place.ask, PROBE, query, entry_point="agent.py:run")
        contacts = set(aims.contacts)

    assert control.open.keys() >= {"host ports", "abstract sockets", "other tests' doors"}
    assert set(control.open["host ports"]) == set(host_addresses()), "the control is half blind"
    assert json.loads(end.response) == {"open": {}, "door": True}
    assert contacts == set()


@ONE_ENGINE
@pytest.mark.spec("FR-011")
def test_doctor_tests_it_too(place: Place) -> None:
    code, findings = place.serving.cli_json("doctor", "--json")
    [finding] = [one for one in findings if one["name"] == "isolation"]
    assert finding["state"] == "ok", findings
    assert code in {0, 3}
    kept = json.loads((place.serving.data_dir / "self-test.json").read_text())
    assert kept["key"]
