# capped: head+tail kept, rest counted; runner memory and disk flat
import sys
line=b"flood "*20+b"\n"; blk=line*500
n=0
while n<1_000_000_000:
    sys.stdout.buffer.write(blk); n+=len(blk)
