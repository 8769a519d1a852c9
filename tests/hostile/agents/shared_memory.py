# Shared memory of both kinds, which outlives its process.
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def run(query):
    parts = 0
    while parts < 100 and (part := libc.shmget(0, 4 << 20, 0o1600)) >= 0:
        libc.shmat.restype = ctypes.c_void_p
        place = libc.shmat(part, None, 0)
        ctypes.memset(place, 1, 4 << 20); parts += 1
    return f"{parts} parts"
