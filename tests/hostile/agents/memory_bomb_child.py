# child is OOM-killed while the parent survives and reports ok: must be visible
import os
p=os.fork()
if p==0:
    x=[]
    while True: x.append(bytearray(16*1024*1024))
print("child status",os.waitpid(p,0)[1]); print("parent says all fine")
