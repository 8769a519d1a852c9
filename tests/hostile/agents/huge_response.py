# result larger than the cap is refused with a clear reason
import json,sys
sys.stdout.write(json.dumps({"event":"result","value":"R"*100_000_000})+"\n")
