"""The filter of system calls, as it is shipped."""

from __future__ import annotations

import json
from typing import Any

from seatrial.engines.docker import seccomp

PROFILE: dict[str, Any] = json.loads(seccomp.profile_json())

GUARDED = """
socket socketpair clone clone3 unshare setns mount ptrace bpf keyctl io_uring_setup personality
userfaultfd perf_event_open pidfd_getfd process_vm_readv chroot
""".split()  # noqa: SIM905 readable


def allowed_freely() -> set[str]:
    return {
        name
        for rule in PROFILE["syscalls"]
        if rule["action"] == "SCMP_ACT_ALLOW" and not rule["args"]
        for name in rule["names"]
    }


def test_the_shipped_profile_is_the_reviewed_list() -> None:
    assert seccomp.profile_json() == seccomp.dump(), "run scripts/make_seccomp.py"


def test_only_native_architectures_are_known() -> None:
    assert [entry["architecture"] for entry in PROFILE["archMap"]] == [
        "SCMP_ARCH_X86_64",
        "SCMP_ARCH_AARCH64",
    ]
    assert all(entry["subArchitectures"] == [] for entry in PROFILE["archMap"])


def test_whatever_is_not_named_is_refused() -> None:
    assert PROFILE["defaultAction"] == "SCMP_ACT_ERRNO"
    assert allowed_freely().isdisjoint(GUARDED)


def test_process_1_may_change_its_user() -> None:
    assert {"setuid", "setgid", "setgroups", "kill", "prctl", "execve"} <= allowed_freely()


def test_no_name_is_listed_twice() -> None:
    names = [name for rule in PROFILE["syscalls"] if not rule["args"] for name in rule["names"]]
    assert len(names) == len(set(names))


def test_sockets_of_the_internet_are_tcp_and_udp_alone() -> None:
    rules = [rule for rule in PROFILE["syscalls"] if rule["names"] == ["socket"]]
    asked = [{arg["index"]: arg["value"] for arg in rule["args"]} for rule in rules]
    internet = [(args[0], args.get(2)) for args in asked if args[0] in {2, 10}]
    assert sorted(internet) == [(2, 0), (2, 6), (2, 17), (10, 0), (10, 6), (10, 17)]
