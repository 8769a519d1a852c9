# names with .., absolute, newline, control, very long are refused or stored under generated names
import os,tarfile,io
os.makedirs("/home/agent/out",exist_ok=True)
for n in ("a\nb","\x1b[31mred","-rf","CON","a"*255,"x;touch y","$(id)","nul\u202Etxt.exe",".git","..."):
    try: open("/home/agent/out/"+n,"w").write("x")
    except Exception as e: print(repr(n)[:20],e)
with tarfile.open("/home/agent/out/bundle.tar","w") as t:
    for nm in ("../../../../tmp/outside/escaped","/tmp/outside/escaped_abs","ok/../../x"):
        ti=tarfile.TarInfo(nm); ti.size=5; t.addfile(ti,io.BytesIO(b"evil!"))
    ti=tarfile.TarInfo("lnk"); ti.type=tarfile.SYMTYPE; ti.linkname="/tmp/outside"; t.addfile(ti)
    ti=tarfile.TarInfo("lnk/escaped_link"); ti.size=5; t.addfile(ti,io.BytesIO(b"evil!"))
print("planted")
