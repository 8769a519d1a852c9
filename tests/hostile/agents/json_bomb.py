# Bodies that cost a parser more than they weigh: no one else may notice.
import socket
MIB = 2**20
def ask(body, path=b"/ollama/v1/chat/completions"):
    head = b"POST %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (path, len(body))
    with socket.create_connection(("127.0.0.1", 8377), timeout=60) as door:
        try: door.sendall(head); door.sendall(body)
        except OSError: pass
        try: return door.recv(64).partition(b"\r\n")[0].decode("latin1") or "closed"
        except OSError: return "closed"
def filled(piece):
    return b'{"model":"other","x":[' + piece * (31 * MIB // len(piece)) + b"1]}"
def run(query):
    answers = [ask(make()) for make in (
        lambda: filled(b"[],"), lambda: filled(b"{},"), lambda: filled(b'"",'), lambda: filled(b"1,"),
        lambda: filled(b"9" * MIB + b","),
        lambda: b'{"model":"other","x":' + b"[" * (31 * MIB),
        lambda: b'{"model":"other","x":"' + b'\\"' * (15 * MIB) + b'"}',
        lambda: b'{"model":"other"' + b',"model":1' * (3 * MIB) + b"}")]
    return " | ".join([*answers, "all answered"])
