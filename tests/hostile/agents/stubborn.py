# Hears no request to end and catches everything.
import signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
def run(query):
    print("not stopping", flush=True)
    while True:
        try: time.sleep(60)
        except BaseException: pass
