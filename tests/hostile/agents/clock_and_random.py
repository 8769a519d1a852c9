# agent cannot change time
import time
try: time.clock_settime(time.CLOCK_REALTIME,0); print("SET")
except Exception as e: print(e)
