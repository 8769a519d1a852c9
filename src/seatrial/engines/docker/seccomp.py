"""The system calls that a container may make: an allow-list, the same on both engines.

The engines' own profiles differ (Podman's lets an unprivileged process make user namespaces)
and keep the 32-bit calls of the machine, through which filters on arguments are bypassed. Ours
knows the native architecture only: a call of another one kills the process with SIGSYS.

`seccomp.json` is `profile()` written down by `scripts/make_seccomp.py`, for review and for
everybody who wants to see it; a test compares the two.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

_EPERM, _ENOSYS = 1, 38
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_NETLINK_ROUTE = 0
_PROTOCOLS = (0, 6, 17)
"""The family's own for the type, TCP, UDP: the loopback needs no more. MPTCP, UDP-Lite, SCTP and
ICMP sockets are kernel code that no agent needs."""
_CLONE_NEW_ANYTHING = 0x7E020000
"""NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET."""
_PERSONALITIES = (0x0, 0x8, 0xFFFFFFFF)
"""PER_LINUX, PER_LINUX32, and the question which one it is."""

FILES = """
access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat
faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync
fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstatfs fsync ftruncate futimesat getcwd
getdents getdents64 getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl
lchown lgetxattr link linkat listxattr llistxattr lremovexattr lseek lsetxattr lstat memfd_create
mkdir mkdirat mknod mknodat newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2
pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv removexattr rename renameat
renameat2 rmdir sendfile setxattr splice stat statfs statx symlink symlinkat sync sync_file_range
syncfs tee truncate umask unlink unlinkat utime utimensat utimes write writev
"""
MEMORY = """
brk cachestat madvise membarrier mincore mlock mlock2 mlockall mmap mprotect mremap mseal msync
munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect
"""
PROCESSES = """
arch_prctl capget capset execve execveat exit exit_group fork get_robust_list get_thread_area
getcpu getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority getresgid
getresuid getrlimit getrusage getsid gettid getuid ioprio_get ioprio_set kill landlock_add_rule
landlock_create_ruleset landlock_restrict_self pause pidfd_open pidfd_send_signal prctl prlimit64
process_mrelease restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max
sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler
sched_yield seccomp set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid
setgroups setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid
sigaltstack sysinfo tgkill tkill uname vfork wait4 waitid
"""
"""With setuid, setgid and setgroups: process 1 starts the agent under another user."""
WAITING = """
alarm clock_getres clock_gettime clock_nanosleep epoll_create epoll_create1 epoll_ctl epoll_pwait
epoll_pwait2 epoll_wait eventfd eventfd2 futex futex_requeue futex_wait futex_waitv futex_wake
getitimer getrandom gettimeofday nanosleep poll ppoll pselect6 select setitimer signalfd signalfd4
time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create
timerfd_gettime timerfd_settime times
"""
SOCKETS = """
accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg
sendmmsg sendmsg sendto setsockopt shutdown
"""
SHARED_MEMORY = """
msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmdt shmget
"""

MISSING = "clone3 io_uring_enter io_uring_register io_uring_setup"
"""Refused with ENOSYS, so that libraries fall back: clone3 hides its flags from the filter.

Everything else that no list names is EPERM, but ENOSYS when it is newer than the profile: the
runtimes see to that themselves.
"""

Rule = dict[str, Any]


def _rule(
    names: str | list[str],
    *where: tuple[int, int],
    refuse_with: int | None = None,
    mask: int | None = None,
) -> Rule:
    """One rule; `where` are (argument, value) that must be equal, under `mask` if there is one."""
    args = [
        {"index": index, "value": value, "op": "SCMP_CMP_EQ"}
        if mask is None
        else {"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}
        for index, value in where
    ]
    action: Rule = {"action": "SCMP_ACT_ALLOW"}
    if refuse_with is not None:
        action = {"action": "SCMP_ACT_ERRNO", "errnoRet": refuse_with}
    return {"names": names.split() if isinstance(names, str) else names, **action, "args": args}


def profile() -> dict[str, Any]:
    """The profile, in the form that Docker and Podman read."""
    allowed = [FILES, MEMORY, PROCESSES, WAITING, SOCKETS, SHARED_MEMORY]
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": _EPERM,
        "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": []},
        ],
        "syscalls": [
            *[_rule(sorted(names.split())) for names in allowed],
            _rule("clone", (0, 0), mask=_CLONE_NEW_ANYTHING),
            _rule("socket", (0, _AF_UNIX)),
            *[
                _rule("socket", (0, family), (2, protocol))
                for family in (_AF_INET, _AF_INET6)
                for protocol in _PROTOCOLS
            ],
            _rule("socket", (0, _AF_NETLINK), (2, _NETLINK_ROUTE)),
            _rule("socketpair", (0, _AF_UNIX)),
            *[_rule("personality", (0, value)) for value in _PERSONALITIES],
            _rule(MISSING, refuse_with=_ENOSYS),
        ],
    }


def profile_json() -> str:
    """The profile that is shipped, as one JSON text."""
    return files("seatrial.engines.docker").joinpath("seccomp.json").read_text(encoding="utf-8")


def dump() -> str:
    """The profile as `seccomp.json` holds it."""
    return json.dumps(profile(), indent=1) + "\n"
