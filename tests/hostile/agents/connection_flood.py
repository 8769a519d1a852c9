# Many connections, each cut at once; the door answers again soon.
import socket, time, urllib.error, urllib.request
def run(query):
    for _ in range(1000):
        with socket.socket() as door: door.connect(("127.0.0.1", 8377))
    for _ in range(100):
        try: urllib.request.urlopen("http://127.0.0.1:8377/", timeout=20)
        except urllib.error.HTTPError as error: return f"answered {error.code}"
        except OSError: time.sleep(0.1)
