# A gigabyte of output: its beginning and its end are kept, the rest is counted.
import sys
def run(query):
    line = b"flood " * 20 + b"\n"
    sys.stdout.write("first line\n"); sys.stdout.flush()
    for _ in range(500_000_000 // (len(line) * 500)): sys.stdout.buffer.write(line * 500)
    print("last line", flush=True)
    return "done"
