"""P3: hosts that a test allows are exact: no other name, address, port or spelling gets through."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Place

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

ALLOWED = "allowed.seatrial.invalid:443"
REFUSED = (
    r"CONNECT other.invalid:443 HTTP/1.1",
    r"CONNECT allowed.seatrial.invalid:80 HTTP/1.1",
    r"CONNECT allowed.seatrial.invalid.evil.invalid:443 HTTP/1.1",
    r"CONNECT x.allowed.seatrial.invalid:443 HTTP/1.1",
    r"CONNECT 127.0.0.1:443 HTTP/1.1",
    r"CONNECT [::1]:443 HTTP/1.1",
    r"CONNECT 2130706433:443 HTTP/1.1",
    r"CONNECT 0x7f000001:443 HTTP/1.1",
    r"CONNECT 169.254.169.254:80 HTTP/1.1",
    r"CONNECT localhost:443 HTTP/1.1",
    r"CONNECT user@allowed.seatrial.invalid:443 HTTP/1.1",
    r"CONNECT allowed.seatrial.invalid:443@evil.invalid:443 HTTP/1.1",
    r"CONNECT allowed.seatrial.invalid:443/../x HTTP/1.1",
    r"CONNECT allowed.seatrial.invalid: HTTP/1.1",
    r"CONNECT allowed.seatrial.invalid HTTP/1.1",
    r"CONNECT  evil.invalid:443 allowed.seatrial.invalid:443 HTTP/1.1",
    r"CONNECT evil.invalid:443\x00allowed.seatrial.invalid:443 HTTP/1.1",
    r"CONNECT evil.invalid:443\tallowed.seatrial.invalid:443 HTTP/1.1",
    r"CONNECT allowed\xb2.seatrial.invalid:443 HTTP/1.1",
    r"GET http://allowed.seatrial.invalid/ HTTP/1.1",
    r"GET http://169.254.169.254/latest/ HTTP/1.1",
)
PASSED = (
    r"CONNECT allowed.seatrial.invalid:443 HTTP/1.1",
    r"CONNECT ALLOWED.Seatrial.INVALID:443 HTTP/1.1",
)
"""They get as far as the name, which nobody has: 502, where what is refused is refused."""

PROBE = Path(__file__).with_name("probes") / "connects.py"


@pytest.mark.spec("FR-008")
def test_only_the_listed_host_at_its_port_passes(place: Place) -> None:
    lines = [*REFUSED, *PASSED]
    end = place.ask(PROBE.read_text(), "\n".join(lines), egress=(ALLOWED,))
    statuses = end.response.split()

    assert len(statuses) == len(lines)
    by_line = dict(zip(lines, statuses, strict=True))
    assert {line: by_line[line] for line in PASSED} == dict.fromkeys(PASSED, "502")
    passed = {line: by_line[line] for line in REFUSED if by_line[line] not in {"400", "403", "cut"}}
    assert passed == {}
    refusals = end.told("egress_refused")
    assert any("other.invalid:443" in notice.message for notice in refusals)
