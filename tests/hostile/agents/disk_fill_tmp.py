# ENOSPC at the tmpfs size
n=0
try:
    with open("/tmp/fill","wb") as f:
        while True: f.write(b"x"*1048576); f.flush(); n+=1
except OSError as e: print("stopped after MiB",n,e)
