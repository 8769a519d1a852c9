# zombies count against pids; supervisor reaps orphans
import os,time
n=0
try:
    for i in range(500):
        if os.fork()==0:
            if os.fork()==0: os._exit(0)     # orphan -> reparented to PID 1
            os._exit(0)
        os.wait(); n+=1
    print("made",n,"orphans without error")
except OSError as e: print("fork failed after",n,"orphans:",e)
