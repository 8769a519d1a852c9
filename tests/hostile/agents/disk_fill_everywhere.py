# every writable place is bounded (tmpfs size or memory limit) and rootfs is read-only
import os
tot=0
for d in ("/home/agent","/tmp","/dev/shm","/dev/mqueue","/dev","/run","/var/tmp","/var/lock","/","/etc","/usr/lib/python3","/home","/root","/opt","/srv","/mnt","/proc","/sys/fs/cgroup","/agent","/seatrial/door","/seatrial/lib"):
    n=0
    try:
        with open(d+"/fill","wb") as f:
            while n<200: f.write(b"x"*1048576); f.flush(); n+=1
        e="NO LIMIT seen at 200 MiB"
    except Exception as ex: e=repr(ex)
    print(d,"MiB written:",n,e,flush=True); tot+=n
    try: os.unlink(d+"/fill")
    except Exception: pass
print("total",tot)
