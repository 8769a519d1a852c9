"""Seatrial: test a Python AI agent in a real container, then ship what was tested."""
