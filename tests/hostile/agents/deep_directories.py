# Folders in folders, deeper than any path may be long.
import os
def run(query):
    os.chdir("/tmp")
    for depth in range(3000):
        try: os.mkdir("d" * 200); os.chdir("d" * 200)
        except OSError as error: return f"stopped at {depth}: {error.strerror}"
    return "3000 deep"
