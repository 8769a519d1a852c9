"""P10: there is no privilege to gain."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from .conftest import Place
from .corpus import Corpus

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

PROBE = Path(__file__).with_name("probes") / "syscalls.py"
POSSIBLE: Mapping[str, set[str]] = {
    "gvisor": {"unshare_user", "unshare_net", "unshare_mnt", "ptrace_traceme", "clone_newuser"},
}
"""What was reviewed and may be possible, by engine; everything else is refused. On gVisor these
concern its own kernel only."""

_REFUSALS = {"EPERM", "EACCES", "ENOSYS", "ENOENT", "EINVAL", "EROFS", "EAFNOSUPPORT", "ENXIO"}
_BAD_SYSTEM_CALL = "SIGNAL31"


def _read(output: str) -> Mapping[str, str]:
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)


@pytest.mark.spec("FR-011")
def test_an_agent_may_do_only_what_was_reviewed(place: Place) -> None:
    end = place.ask(PROBE.read_text(), "q", timeout_seconds=120)
    found = _read(end.output)
    reviewed = POSSIBLE.get(place.engine, set())
    asked = {name: said for name, said in found.items() if not name.startswith(_STATUS)}

    assert end.response == "asked", end.said
    assert len(asked) > 90
    possible = {name for name, said in asked.items() if said not in _REFUSALS | {_BAD_SYSTEM_CALL}}
    assert possible <= reviewed, {name: asked[name] for name in possible - reviewed}
    assert asked.get("int80_getpid", _BAD_SYSTEM_CALL) == _BAD_SYSTEM_CALL
    assert asked.get("int80_unshare", _BAD_SYSTEM_CALL) == _BAD_SYSTEM_CALL


_STATUS = ("Cap", "NoNewPrivs", "Seccomp", "Uid", "Gid", "Groups")


@pytest.mark.spec("FR-011")
def test_an_agent_has_no_capability_and_cannot_get_one(place: Place) -> None:
    status = _read(place.ask(PROBE.read_text(), "q", timeout_seconds=120).output)

    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert status.get("Groups", "").strip() == ""
    for name in ("Uid", "Gid"):
        [only] = set(status[name].split())
        assert 20_000 <= int(only) < 60_000


@pytest.mark.parametrize(
    "agent", ["suid_and_setuid", "dangerous_syscalls", "raw_sockets", "kill_pid1"]
)
def test_what_asks_for_privilege_is_refused_and_the_test_goes_on(
    place: Place, corpus: Corpus, agent: str
) -> None:
    assert corpus.end(agent).test.outcome == "succeeded"
