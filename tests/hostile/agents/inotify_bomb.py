# Watches of the kernel, which are counted by user.
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def run(query):
    made = []
    while (fd := libc.inotify_init()) >= 0:
        made.append(fd)
        if len(made) > 5000: return "no limit"
    return f"stopped after {len(made)}: {os.strerror(ctypes.get_errno())}"
