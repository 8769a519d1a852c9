# Hundreds of connections past the forwarder, straight to both sockets, held open.
import select, socket
def run(query):
    held = []
    for name in ("gateway", "channel"):
        for _ in range(450):
            door = socket.socket(socket.AF_UNIX); door.settimeout(5)
            try: door.connect(f"/seatrial/door/{name}.sock"); held.append(door)
            except OSError as error: print(name, error.strerror or "timeout", flush=True); break
    cut = select.select(held, [], [], 2)[0]
    return f"{len(held)} connected, {len(held) - len(cut)} still open"
