# cannot kill the supervisor (or only itself)
import os,signal,time
print("my pid",os.getpid(),flush=True)
for s in (signal.SIGTERM,signal.SIGINT,signal.SIGHUP,signal.SIGKILL,signal.SIGSTOP,signal.SIGSEGV,signal.SIGUSR1):
    if os.getpid()!=1:
        try: os.kill(1,s); print("sent",s.name,flush=True)
        except Exception as e: print(s.name,e,flush=True)
time.sleep(0.5); print("still here")
try: os.kill(-1,signal.SIGKILL)
except Exception as e: print("kill -1",e)
