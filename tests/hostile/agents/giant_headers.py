# Headers, a path and a length that no server should take.
import socket
def ask(data):
    with socket.create_connection(("127.0.0.1", 8377), timeout=20) as door:
        try: door.sendall(data)
        except OSError: pass
        try: return door.recv(64).partition(b"\r\n")[0].decode("latin1") or "closed"
        except OSError: return "closed"
def run(query):
    return " | ".join(ask(data) for data in (
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Big: " + b"a" * 2_000_000 + b"\r\n\r\n",
        b"GET /" + b"p" * 2_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(50_000)) + b"\r\n",
        b"POST /ollama/api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /ollama/api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 4096))
