"""Programs that the engine conformance suite runs inside containers.

Each is Python 3.9 source for `python3 -c`, and prints one JSON value as its last line.
"""

STATUS = """
import json
fields = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({k: fields[k].strip() for k in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")}))
"""
"""What the kernel holds about process 1."""

AS_AGENT = """
import os
os.setgroups([]); os.setgid(10001); os.setuid(10001)
"""
"""Put before a probe: what follows runs as an agent would."""

WRITABLE = """
import json, os
found = []
for folder, names, _ in os.walk("/"):
    if folder in ("/proc", "/sys"):
        names[:] = []
        continue
    try:
        open(os.path.join(folder, "probe"), "w").close()
        os.unlink(os.path.join(folder, "probe"))
        found.append(folder)
    except OSError:
        pass
print(json.dumps(sorted(found)))
"""
"""Every folder in which the process may make a file."""

INTERFACES = """
import json, os
print(json.dumps(sorted(os.listdir("/sys/class/net"))))
"""

NAMES = """
import json, socket
print(json.dumps({
    "hostname": socket.gethostname(),
    "hosts": open("/etc/hosts").read(),
    "resolv": open("/etc/resolv.conf").read(),
    "localhost": socket.gethostbyname("localhost"),
}))
"""

LIMITS = """
import json, resource
names = ("CORE", "NOFILE", "FSIZE")
print(json.dumps({n: resource.getrlimit(getattr(resource, "RLIMIT_" + n)) for n in names}))
"""

PROCESSES = """
import json, os, signal
children = []
try:
    while len(children) < 500:
        pid = os.fork()
        if pid == 0:
            signal.pause()
        children.append(pid)
    refused = None
except OSError as error:
    refused = error.errno
for pid in children:
    os.kill(pid, signal.SIGKILL)
print(json.dumps({"made": len(children), "refused": refused}))
"""

FILL = """
import json
written, code = 0, 0
try:
    with open("/tmp/big", "wb", buffering=0) as out:
        while written < 64 << 20:
            written += out.write(b"x" * (1 << 20))
except OSError as error:
    code = error.errno
print(json.dumps({"written": written, "errno": code}))
"""
"""Write up to 64 MB into one file of /tmp."""

EXECUTE = """
import json, os, shutil, subprocess
result = {}
for folder in ("/tmp", "/home/agent"):
    path = os.path.join(folder, "true")
    shutil.copy("/bin/true", path)
    try:
        result[folder] = subprocess.run([path]).returncode
    except OSError as error:
        result[folder] = -error.errno
print(json.dumps(result))
"""

BURN = """
import json, time
end = time.monotonic() + 2
while time.monotonic() < end:
    pass
print(json.dumps(time.process_time()))
"""
"""Use as much CPU time as there is in two seconds."""

USER_NAMESPACE = """
import ctypes, errno, json, socket
libc = ctypes.CDLL(None, use_errno=True)
result = {}
flags = {"user": 0x10000000, "mount": 0x20000, "net": 0x40000000, "pid": 0x20000000}
for name, flag in flags.items():
    code = libc.unshare(flag)
    result["unshare " + name] = "OK" if code == 0 else errno.errorcode[ctypes.get_errno()]
code = libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)
result["mount"] = "OK" if code == 0 else errno.errorcode[ctypes.get_errno()]
families = {"packet": (17, 3, 3), "netfilter": (16, 3, 12), "vsock": (40, 1, 0), "alg": (38, 5, 0)}
families["raw"] = (2, 3, 1)
for name, args in families.items():
    try:
        socket.socket(*args).close()
        result[name] = "OK"
    except OSError as error:
        result[name] = errno.errorcode[error.errno]
print(json.dumps(result))
"""
"""Ways out that the engines' own profiles leave open, at least one of them."""

INT80 = """
import ctypes, json, os, struct
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
def page():
    return libc.mmap(0, 4096, 7, 0x62, -1, 0)  # private, anonymous, below 4 GB
code, data = page(), page()
machine = bytes.fromhex("5389f889f389d1cd805bc3")  # int 0x80 with three arguments
ctypes.memmove(code, machine, len(machine))
call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint)(code)
ctypes.memmove(data, struct.pack("III", 40, 1, 0), 12)
result = {}
for name, args in {"getpid": (20, 0, 0), "socketcall": (102, 1, data)}.items():
    pid = os.fork()
    if pid == 0:
        call(*args)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    result[name] = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
print(json.dumps(result))
"""
"""The 32-bit door into the kernel of x86-64: what signal each call died of."""

DOOR = """
import json, socket
client = socket.socket(socket.AF_UNIX)
client.connect("/door/socket")
client.sendall(b"ping")
answer = client.recv(100).decode()
try:
    open("/door/other", "w").close()
    made = True
except OSError:
    made = False
print(json.dumps({"answer": answer, "made": made}))
"""

SOCKET_SERVER = """
import os, select, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind("/door/socket")
os.chmod("/door/socket", 0o666)
server.listen()
print("ready", flush=True)
while True:
    ready, _, _ = select.select([server, sys.stdin], [], [])
    if sys.stdin in ready:
        break
    client, _ = server.accept()
    client.sendall(client.recv(100) + b" pong")
    client.close()
"""
"""Answers at a socket in a volume until its standard input ends."""

WRITE_MUCH = """
import os, select, socket
os.set_blocking(1, False)
written = 0
while written < 64 << 20:
    if not select.select([], [1], [], 1.0)[1]:
        break
    try:
        written += os.write(1, b"x" * 65536)
    except BlockingIOError:
        pass
told = socket.socket(socket.AF_UNIX)
told.connect("/door/socket")
told.sendall(b"%d" % written)
"""
"""Write until nobody takes anything for a second, then tell at the door how much that was."""
