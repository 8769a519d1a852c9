# no privilege gain
import os,subprocess,glob
for f in ("/usr/bin/su","/usr/bin/passwd","/usr/bin/mount","/bin/ping"):
    if os.path.exists(f): print(f,oct(os.stat(f).st_mode))
try: os.setuid(0); print("SETUID 0")
except Exception as e: print("setuid",e)
print(subprocess.run(["su","-c","id"],capture_output=True,text=True,stdin=subprocess.DEVNULL))
