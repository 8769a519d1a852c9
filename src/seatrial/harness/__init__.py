"""What runs inside the container: standard library only, Python 3.9+, imports nothing of ours."""
