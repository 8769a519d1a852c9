# Leaves a mark everywhere and looks for the mark of another; answers with what it found.
import ctypes
import glob
import json
import os
import socket
import time

libc = ctypes.CDLL(None, use_errno=True)


def namespace(kind):
    path = f"/proc/self/ns/{kind}"
    return os.readlink(path) if os.path.lexists(path) else None


def run(query):
    mine, other = query.split()
    for folder in ("/tmp", "/home/agent", "/dev/shm"):
        open(f"{folder}/{mine}", "w").close()
    libc.shmget(0x5EA, 4096, 0o1666)
    libc.msgget(0x5EA, 0o1666)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("\0" + mine)
    listener.listen()
    port = socket.socket()
    port.bind(("127.0.0.1", 4711))
    port.listen()
    children = []
    for _ in range(20):
        pid = os.fork()
        if pid == 0:
            time.sleep(30)
            os._exit(0)
        children.append(pid)
    print("ready", mine, flush=True)
    found, end = set(), time.monotonic() + 6
    while time.monotonic() < end:
        found.update(
            glob.glob(f"/tmp/{other}")
            + glob.glob(f"/home/agent/{other}")
            + glob.glob(f"/dev/shm/{other}")
        )
        with socket.socket(socket.AF_UNIX) as client:
            if client.connect_ex("\0" + other) == 0:
                found.add("abstract socket")
        with open("/proc/net/unix") as table:
            if other in table.read():
                found.add("abstract name")
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path) as file:
                    if other in file.read():
                        found.add(path)
            except OSError:
                pass
        time.sleep(0.2)
    doors = [
        path for path in glob.glob("/seatrial/door/../*") if not path.endswith(("/door", "/lib"))
    ]
    table = "/proc/sysvipc/msg"
    queues = [line.split()[0] for line in open(table)][1:] if os.path.exists(table) else None
    processes = [path for path in os.listdir("/proc") if path.isdigit()]
    return json.dumps(
        {
            "found": sorted(found),
            "uid": os.getuid(),
            "doors": doors,
            "queues": None if queues is None else len(queues),
            "processes": len(processes),
            "network": namespace("net"),
            "ipc": namespace("ipc"),
            "from": time.time() - 6,
            "to": time.time(),
        }
    )
