# outcome 'no result' / 'model never called'
import sys
sys.exit(0)
