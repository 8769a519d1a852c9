# bounded by shm-size / memory limit
import ctypes,errno,mmap,os
n=0
try:
    while n<400:
        f=os.memfd_create("x"); os.ftruncate(f,1<<20); m=mmap.mmap(f,1<<20); m[:]=b"x"*(1<<20); n+=1
except Exception as e: print("memfd stop",n,e,flush=True)
print("memfd MiB",n)
