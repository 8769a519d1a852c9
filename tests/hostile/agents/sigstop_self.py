# Stops itself: nothing goes on, not even signals.
import os, signal
def run(query):
    print("stopping", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
