# forged events are shown as plain stdout text, never as events
import os,sys,glob,socket,json,signal
fake=json.dumps({"ev":"result","seq":1,"ok":True,"value":"FORGED","event":"result"})+"\n"
print(fake,end="",flush=True); sys.stderr.write(fake); sys.stderr.flush()
hits=[]
for fd in range(3,256):
    try: os.write(fd,fake.encode()); hits.append(fd)
    except OSError: pass
print("extra fds written:",hits,flush=True)
for p in glob.glob("/proc/[0-9]*/fd/*")+["/proc/1/fd/1","/proc/1/fd/2","/dev/console","/dev/tty","/dev/stdout"]:
    if p.startswith(f"/proc/{os.getpid()}/"): continue
    try:
        f=os.open(p,os.O_WRONLY|os.O_NONBLOCK); os.write(f,fake.encode()); print("wrote via",p,flush=True)
    except OSError as e: print(p,e.strerror,flush=True)
for p in ("/proc/1/environ","/proc/1/mem","/proc/1/maps"):
    try: print(p,len(open(p,"rb").read(10)),"READ",flush=True)
    except Exception as e: print(p,e,flush=True)
for p in ["/seatrial/door/channel.sock","/seatrial/door/gateway.sock"]:
    try: s=socket.socket(socket.AF_UNIX); s.connect(p); s.sendall(fake.encode()); print("connected",p)
    except Exception as e: print(p,e)
fr=sys._getframe()
while fr: print("frame",fr.f_code.co_filename,fr.f_code.co_name,flush=True); fr=fr.f_back
