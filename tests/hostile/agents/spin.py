# Five processes that compute.
import os
def run(query):
    for _ in range(4):
        if os.fork() == 0: break
    while True: pass
