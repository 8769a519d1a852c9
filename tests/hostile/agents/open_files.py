# Open files without end.
def run(query):
    kept = []
    while True: kept.append(open("/dev/null"))
