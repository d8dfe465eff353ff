"""The language's face of everything adaptive."""

from pinnace.fn import adaptive as adaptive
from pinnace.fn.cell import Cell as Cell
from pinnace.fn.cell import weigh as weigh

__all__ = ["Cell", "adaptive", "weigh"]
