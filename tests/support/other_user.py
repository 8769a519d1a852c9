"""Another local user of this machine, who wants what running tests of ours hold."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

STRANGER = 65534

_ATTACK = """
import json, os, select, socket, sys, time
slots, names = sys.argv[1], sys.argv[2]
got = set()

def tried(what, act):
    try:
        if act():
            got.add(what)
    except OSError:
        pass

def connected(path):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    client.connect(path)
    return client

def reached(door):
    with connected(door + "/channel.sock"):
        return True

def answered(door):
    with connected(door + "/gateway.sock") as client:
        got.add("connected the gateway")
        client.sendall(b"GET /ollama/api/tags HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
        return client.recv(1000)

print("began", flush=True)
os.set_blocking(0, False)
while not (os.read(0, 10) if select.select([0], [], [], 0)[0] else b""):
    tried("listed the slots", lambda: os.listdir(slots) is not None)
    for name in open(names).read().split():
        door = slots + "/" + name + "/door"
        tried("read the claim", lambda: open(door + "/claim").read())
        tried("connected the channel", lambda: reached(door))
        tried("got an answer", lambda: answered(door))
    time.sleep(0.001)
print(json.dumps(sorted(got)), flush=True)
"""


@dataclass
class Stranger:
    """What the other user got, once the block is over."""

    names: Path
    got: list[str] = field(default_factory=list[str])

    def hears_of(self, *slots: str) -> None:
        """Tell the names of slots: no wall may depend on their being unknown."""
        self.names.write_text(" ".join(slots))


@contextlib.contextmanager
def stranger_at(slots: Path, folder: Path) -> Generator[Stranger]:
    """Let another user try all day long during the block; `folder` is one that everybody passes."""
    names = folder / "names"
    names.write_text("")
    names.chmod(0o644)
    command = ["/usr/bin/python3", "-c", _ATTACK, str(slots), str(names)]
    user = ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups"]
    stranger = Stranger(names)
    with subprocess.Popen(
        [*user, *command], cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "began\n"
        try:
            yield stranger
        finally:
            out, _ = process.communicate("stop", timeout=60)
            stranger.got = json.loads(out)
