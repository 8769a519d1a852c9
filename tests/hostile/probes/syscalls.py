# What a process may ask of this kernel: one line each, NAME=OK or the error's name.
import ctypes
import errno
import os
import socket
import struct

libc = ctypes.CDLL(None, use_errno=True)
CALLS = dict(
    mount=165,
    umount2=166,
    pivot_root=155,
    chroot=161,
    unshare_user=(272, 0x10000000),
    unshare_net=(272, 0x40000000),
    unshare_mnt=(272, 0x20000),
    setns=308,
    ptrace_traceme=(101, 0),
    process_vm_readv=310,
    keyctl=(250, 0, -3, 0),
    add_key=248,
    request_key=249,
    bpf=321,
    perf_event_open=298,
    userfaultfd=323,
    io_uring_setup=425,
    open_by_handle_at=304,
    name_to_handle_at=303,
    init_module=175,
    finit_module=313,
    delete_module=176,
    kexec_load=246,
    reboot=169,
    swapon=167,
    settimeofday=164,
    clock_settime=227,
    adjtimex=159,
    quotactl=179,
    acct=163,
    personality_norand=(135, 0x0040000),
    fsopen=430,
    fsmount=432,
    move_mount=429,
    open_tree=428,
    mount_setattr=442,
    memfd_secret=(447, 0),
    syslog=(103, 10, 0, 0),
    kcmp=312,
    iopl=172,
    ioperm=173,
    vmsplice=278,
    pidfd_getfd=438,
    setpriority=(141, 0, 0, -5),
    clone3=435,
    fanotify_init=300,
    modify_ldt=154,
    get_mempolicy=239,
    move_pages=279,
    lookup_dcookie=212,
    vhangup=153,
    listmount=458,
    statmount=457,
    set_mempolicy=238,
    uselib=134,
    _sysctl=156,
    nfsservctl=180,
    mq_open=(240, b"q", 0o102, 0o600, 0),
    setuid0=(105, 0),
    setgid0=(106, 0),
    setresuid0=(117, 0, 0, 0),
    sethostname=(170, b"x", 1),
    clone_newuser=(56, 0x10000011),
)
SOCKETS = dict(
    raw=(2, 3, 1),
    packet=(17, 3, 3),
    netlink_audit=(16, 3, 9),
    netlink_nf=(16, 3, 12),
    vsock=(40, 1, 0),
    alg=(38, 5, 0),
    can=(29, 3, 1),
    bluetooth=(31, 3, 1),
    key=(15, 3, 2),
    xdp=(44, 3, 0),
    tipc=(30, 5, 0),
    rds=(21, 5, 0),
    smc=(43, 1, 0),
    mptcp=(2, 1, 262),
    mptcp6=(10, 1, 262),
    udplite=(2, 2, 136),
    udplite6=(10, 2, 136),
    ping=(2, 2, 1),
    ping6=(10, 2, 58),
    sctp=(2, 1, 132),
    dccp=(2, 6, 33),
    l2tp=(2, 2, 115),
    igmp=(2, 3, 2),
)
FILES = (
    ("/dev/mem", "r"),
    ("/dev/kmsg", "r"),
    ("/dev/kvm", "r"),
    ("/dev/fuse", "r"),
    ("/dev/net/tun", "r"),
    ("/proc/kmsg", "r"),
    ("/proc/sysrq-trigger", "w"),
    ("/proc/sys/kernel/core_pattern", "w"),
    ("/proc/sys/kernel/hostname", "w"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "w"),
    ("/sys/fs/cgroup/memory.max", "w"),
    ("/sys/fs/cgroup/pids/pids.max", "w"),
    ("/proc/1/environ", "r"),
    ("/proc/1/mem", "r"),
    ("/proc/1/maps", "r"),
    ("/proc/1/oom_score_adj", "w"),
    ("/run/podman/podman.sock", "r"),
    ("/var/run/docker.sock", "r"),
    ("/etc/x", "w"),
    ("/x", "w"),
    ("/dev/x", "w"),
    ("/run/x", "w"),
    ("/var/tmp/x", "w"),
    ("/agent/x", "w"),
    ("/seatrial/door/x", "w"),
    ("/seatrial/lib/x", "w"),
)


def forked(name, ask):
    pid = os.fork()
    if pid == 0:
        try:
            said = ask()
        except OSError as error:
            said = errno.errorcode.get(error.errno, str(error.errno))
        os.write(1, f"{name}={said}\n".encode())
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        print(f"{name}=SIGNAL{os.WTERMSIG(status)}", flush=True)


def call(number, *arguments):
    libc.syscall.restype = ctypes.c_long
    given = [
        ctypes.c_char_p(one) if isinstance(one, bytes) else ctypes.c_long(one) for one in arguments
    ]
    given += [ctypes.c_long(0)] * (6 - len(given))
    parent = os.getpid()
    result = libc.syscall(ctypes.c_long(number), *given)
    if os.getpid() != parent:
        os._exit(0)
    return "OK" if result >= 0 else errno.errorcode.get(ctypes.get_errno(), "?")


def int80(number, *arguments):
    """The 32-bit door into the kernel of x86-64."""
    libc.mmap.restype = ctypes.c_void_p
    code = libc.mmap(0, 4096, 7, 0x62, -1, 0)
    ctypes.memmove(code, bytes.fromhex("5389f889f389d1cd805bc3"), 11)
    function = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_uint] * 3)(code)
    return "OK" if function(number, *arguments) >= 0 else "REFUSED"


def run(query):
    for name, asked in CALLS.items():
        asked = asked if isinstance(asked, tuple) else (asked,)
        forked(name, lambda: call(*asked))
    for name, asked in SOCKETS.items():
        forked("socket_" + name, lambda: (socket.socket(*asked), "OK")[1])
    for path, mode in FILES:
        forked(f"{mode}:{path}", lambda: (open(path, mode), "OK")[1])
    if struct.calcsize("P") == 8 and os.uname().machine == "x86_64":
        forked("int80_getpid", lambda: int80(20, 0, 0))
        forked("int80_unshare", lambda: int80(310, 0x10000000, 0))
    for line in open("/proc/self/status"):
        if line.startswith(("Cap", "NoNewPrivs", "Seccomp:", "Uid", "Gid", "Groups")):
            print(line.rstrip().replace(":\t", "="), flush=True)
    return "asked"
