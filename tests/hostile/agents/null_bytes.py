# NULs are kept or escaped, never cut the record short
import sys
sys.stdout.buffer.write(b"before\x00after\n\x00\x00\x00\n")
