"""What runs in the container of a package: a small server around the tested agent.

Standard library only, Python 3.9+. A package carries these files with the harness's own code that
found and called the agent in its test, so that it is called the same way.
"""
