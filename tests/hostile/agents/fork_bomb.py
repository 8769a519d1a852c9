# pids limit stops it (EAGAIN); run ends as 'timeout' or 'crashed', host unaffected
import os,time
n=0;errs=0
while True:
    try:
        p=os.fork()
        if p==0:
            while True:
                try: os.fork()
                except OSError: time.sleep(0.01)
        n+=1
    except OSError as e:
        errs+=1
        if errs==1: print("fork failed after",n,e,flush=True)
        time.sleep(0.01)
