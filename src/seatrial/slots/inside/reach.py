"""Tries every way out of a container that must be closed. Says which are open, as JSON.

Runs as an agent in a container, and as a program on the host, where the same targets must be
found: a probe that reaches nothing anywhere would prove nothing. Standard library, Python 3.9+.
"""

import errno
import json
import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any

SECONDS = 1.0
METADATA = (
    ("169.254.169.254", 80),
    ("169.254.170.2", 80),
    ("fd00:ec2::254", 80),
)
ODD_FAMILIES = {"vsock": (40, 1, 0), "packet": (17, 3, 3), "raw": (2, 3, 1)}


def run(query: str) -> str:
    """What was found: {"open": {direction: what}, "door": whether the door answers}."""
    targets = json.loads(query)
    _send(targets["addresses"], targets["udp"], targets["word"])
    found: dict[str, list[Any]] = {
        "host ports": _tcp(targets["addresses"], targets["tcp"]),
        "metadata service": [host for host, port in METADATA if _reaches(host, port)],
        "abstract sockets": _unix(["\0" + targets["abstract"]]),
        "other tests' doors": _unix(targets["doors"]),
        "engine sockets": [path for path in targets["engines"] if os.path.exists(path)],
    }
    if targets["inside"]:
        found.update(_inside())
    open_ones = {name: what for name, what in found.items() if what}
    return json.dumps({"open": open_ones, "door": _door()})


def _inside() -> dict[str, list[Any]]:
    """What counts in a container only: on the host all of it is there."""
    return {
        "network interfaces": [name for _, name in socket.if_nameindex() if name != "lo"],
        "name servers": _names(),
        "odd sockets": [name for name in ODD_FAMILIES if _opens(ODD_FAMILIES[name])],
        "others' loopback ports": sorted(_listening() - {8377, 11434}),
        "claim token": [p for p in ("/seatrial/door/claim",) if os.path.exists(p)],
    }


def _tcp(addresses: list[str], port: int) -> list[str]:
    return [address for address in addresses for one in _scoped(address) if _reaches(one, port)]


def _reaches(host: str, port: int) -> bool:
    """Connected or refused: either way something answered."""
    try:
        socket.create_connection((host, port), timeout=SECONDS).close()
    except OSError as error:
        return error.errno == errno.ECONNREFUSED and not host.startswith(("127.", "::1"))
    return True


def _send(addresses: list[str], port: int, word: str) -> None:
    """A datagram to each address. Whether one arrived, only the other side knows."""
    for address in addresses:
        for one in _scoped(address):
            try:
                family, _, _, _, place = socket.getaddrinfo(one, port, 0, socket.SOCK_DGRAM)[0]
                with socket.socket(family, socket.SOCK_DGRAM) as sender:
                    sender.connect(place)
                    sender.send(word.encode())
            except OSError:
                continue


def _scoped(address: str) -> list[str]:
    """A link-local address is one per interface."""
    if not address.startswith("fe80:"):
        return [address]
    bare = address.partition("%")[0]
    return [f"{bare}%{name}" for _, name in socket.if_nameindex()]


def _unix(paths: Iterable[str]) -> list[str]:
    reached: list[str] = []
    for path in paths:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(SECONDS)
                client.connect(path)
            reached.append(path.replace("\0", "@"))
        except OSError:
            continue
    return reached


def _names() -> list[str]:
    """A server that knows no such name answers so; without one, it is asked again later."""
    try:
        socket.getaddrinfo("seatrial-self-test.invalid", 80)
    except socket.gaierror as error:
        return ["a server answers"] if _nameservers() and error.errno == socket.EAI_NONAME else []
    return ["a server answers"]


def _nameservers() -> list[str]:
    try:
        with open("/etc/resolv.conf") as file:
            return [line for line in file if line.startswith("nameserver")]
    except OSError:
        return []


def _opens(arguments: tuple[int, int, int]) -> bool:
    try:
        socket.socket(*arguments).close()
    except (OSError, ValueError):
        return False
    return True


def _listening() -> set[int]:
    ports: set[int] = set()
    for name in ("tcp", "tcp6"):
        try:
            with open("/proc/net/" + name) as file:
                rows = [line.split() for line in file.readlines()[1:]]
        except OSError:
            continue
        ports |= {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A"}
    return ports


def _door() -> bool:
    try:
        urllib.request.urlopen("http://127.0.0.1:8377/", timeout=20).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.stdout.write(run(sys.argv[1]))
