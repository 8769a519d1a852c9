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
    "gvisor": {
        *("unshare_user", "unshare_net", "unshare_mnt", "ptrace_traceme", "clone_newuser"),
        *("syslog", "mq_open", "setpriority", "get_mempolicy", "set_mempolicy"),
        *("r:/dev/net/tun", "r:/dev/fuse", "r:/proc/1/environ", "r:/proc/1/maps"),
    },
}
"""What was reviewed and may be possible, by engine; everything else is refused. On gVisor these
concern its own kernel only."""

OWN = {"w:/agent/x"}
"""The working directory is the agent's own copy of its files, on a sized tmpfs."""

_REFUSALS = {
    *("EPERM", "EACCES", "ENOSYS", "ENOENT", "EINVAL", "EROFS", "EAFNOSUPPORT", "ENXIO"),
    *("ENODEV", "ENOTSUP", "EPROTONOSUPPORT"),
}
_BAD_SYSTEM_CALL = "SIGNAL31"
_OLD_CALLS = {"gvisor": "REFUSED"}
"""What becomes of a call of the 32-bit kind; the kernel's filter ends whoever makes one."""


def _read(output: str) -> Mapping[str, str]:
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)


@pytest.mark.spec("FR-011")
def test_an_agent_may_do_only_what_was_reviewed(place: Place) -> None:
    end = place.ask(PROBE.read_text(), "q", timeout_seconds=120)
    found = _read(end.output)
    reviewed = OWN | POSSIBLE.get(place.engine, set())
    asked = {name: said for name, said in found.items() if not name.startswith(_STATUS)}

    assert end.response == "asked", end.said
    assert len(asked) > 90
    old = _OLD_CALLS.get(place.engine, _BAD_SYSTEM_CALL)
    refusals = _REFUSALS | {_BAD_SYSTEM_CALL, old}
    possible = {name for name, said in asked.items() if said not in refusals}
    assert possible <= reviewed, " ".join(f"{name}={asked[name]}" for name in possible - reviewed)
    assert asked.get("int80_getpid", old) == old
    assert asked.get("int80_unshare", old) == old


NOT_SHOWN_ON_GVISOR = {"CapAmb": "0", "NoNewPrivs": "1"}
"""Its kernel has no ambient capabilities, and does not tell of the other: programs with another
owner's rights are tried below."""
_STATUS = ("Cap", "NoNewPrivs", "Seccomp", "Uid", "Gid", "Groups")


@pytest.mark.spec("FR-011")
def test_an_agent_has_no_capability_and_cannot_get_one(place: Place) -> None:
    status = _read(place.ask(PROBE.read_text(), "q", timeout_seconds=120).output)

    if place.engine == "gvisor":
        status = {**NOT_SHOWN_ON_GVISOR, **status}
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert status["NoNewPrivs"] == "1"
    # The list of system calls holds for gVisor itself: its own kernel serves the agent.
    assert status["Seccomp"] == ("0" if place.engine == "gvisor" else "2")
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
