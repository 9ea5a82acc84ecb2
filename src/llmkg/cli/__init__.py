"""The command line: each command parses, calls one function, and renders."""

from llmkg.cli.main import main

__all__ = ["main"]
