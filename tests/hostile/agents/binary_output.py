# invalid UTF-8 and NULs survive as escaped text; reader does not crash
import sys,os
sys.stdout.buffer.write(bytes(range(256))*4+b"\n"+b"\xff\xfe\x00\x00bad\xc3\x28\xed\xa0\x80 end\n"); sys.stdout.flush()
os.write(2,b"\x00\x00\x00\x01\x01\x00\x00\x00\x00\x00\x00\x04fake")
