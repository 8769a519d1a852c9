# line is split at the maximum length, capped
import sys
while True: sys.stdout.write("A"*65536)
