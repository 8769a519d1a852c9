"""Compiles users' sources to find syntax errors, in child processes with limits."""

from .child import check_once
from .compiler import KeptCompiler

__all__ = ["KeptCompiler", "check_once"]
