# Asks the door for tunnels; answers with the status of each, in the order of the query's lines.
import socket


def ask(line):
    with socket.socket() as door:
        door.settimeout(30)
        try:
            door.connect(("127.0.0.1", 8377))
            door.sendall(
                line.encode("latin-1").decode("unicode_escape").encode("latin-1")
                + b"\r\nHost: x\r\n\r\n"
            )
            return (door.recv(200).split(b" ") + [b"", b""])[1].decode()[:3] or "cut"
        except OSError:
            return "cut"


def run(query):
    return " ".join(ask(line) for line in query.split("\n"))
