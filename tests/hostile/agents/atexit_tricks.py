# Goes on for ever after it has answered.
import atexit, os, threading, time
def late():
    print("late", flush=True)
    while True: time.sleep(1)
def run(query):
    atexit.register(late)
    threading.Thread(target=late).start()
    return "answered"
