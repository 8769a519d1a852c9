"""Fakes and conformance suites that hold every implementation of a port to its promises.

Import what you need from its own module: nothing is loaded by importing this package.
"""
