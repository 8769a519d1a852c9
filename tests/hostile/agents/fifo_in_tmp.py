# Pipes and devices where files are looked for, and a reader that nobody serves.
import os, threading
def run(query):
    for folder in ("/tmp", "/home/agent", "/dev/shm"):
        os.mkfifo(f"{folder}/pipe")
        threading.Thread(target=open, args=(f"{folder}/pipe",), daemon=True).start()
    try: os.mknod("/tmp/disk", 0o60666, os.makedev(8, 0)); print("DEVICE MADE")
    except OSError as error: print("device:", error.strerror)
    return "left pipes"
