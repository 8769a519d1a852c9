# Thousands of connections, each cut at once; the door still answers afterwards.
import socket, urllib.error, urllib.request
def run(query):
    for _ in range(3000):
        with socket.socket() as door: door.connect(("127.0.0.1", 8377))
    try: urllib.request.urlopen("http://127.0.0.1:8377/", timeout=20); status = 200
    except urllib.error.HTTPError as error: status = error.code
    return f"answered {status}"
