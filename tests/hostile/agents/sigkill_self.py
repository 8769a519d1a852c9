# reported as killed by signal 9, distinguishable from OOM and timeout
import os,signal
os.kill(os.getpid(),signal.SIGKILL)
import time; time.sleep(1); print("as PID 1 I cannot kill myself")
