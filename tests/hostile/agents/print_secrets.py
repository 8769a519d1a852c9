# container has no real secret at all; the canary given only to the gateway never appears
import os,base64,sys,time,glob
env=dict(os.environ); blob="\n".join(f"{k}={v}" for k,v in env.items())
for p in ["/proc/1/environ","/proc/self/environ","/proc/self/cmdline","/proc/1/cmdline"]+glob.glob("/run/secrets/*")+glob.glob("/var/run/secrets/*/*/*"):
    try: blob+=f"\n[{p}] "+open(p,"rb").read().replace(b"\0",b"\n").decode("latin1")
    except Exception as e: blob+=f"\n[{p}] {e}"
print(blob); print(base64.b64encode(blob.encode()).decode()); print(blob[::-1]); print(blob.encode().hex()[:2000])
for part in (blob[:len(blob)//2],blob[len(blob)//2:]): sys.stdout.write(part); sys.stdout.flush(); time.sleep(0.05)
