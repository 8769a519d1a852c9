# Threads without end: refused at the limit.
import threading, time
def run(query):
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
