# Leaves a process in a session of its own that hears no signal and holds the output open.
import os, signal, time
def run(query):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(1, 32):
                try: signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError): pass
            while True: time.sleep(0.05); print("still here", flush=True)
        os._exit(0)
    return "left a daemon"
