# outcome 'no result', exit code 0 is not success
import os
os._exit(0)
