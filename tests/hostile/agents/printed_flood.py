# A script whose output, which is its response, is far too long.
import sys
line = b"flood " * 20 + b"\n"
for _ in range(50_000_000 // (len(line) * 500)): sys.stdout.buffer.write(line * 500)
