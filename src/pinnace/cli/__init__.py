"""The command line: `pinnace list`, `pinnace solve burgers`, `pinnace compare burgers`."""

from pinnace.cli.command import main as main

__all__ = ["main"]
