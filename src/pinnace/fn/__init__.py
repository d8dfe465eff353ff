"""The language's face of everything adaptive."""

from pinnace.fn import adaptive as adaptive
from pinnace.fn.cell import Cell as Cell
from pinnace.fn.cell import weigh as weigh
from pinnace.fn.form import Form as Form
from pinnace.fn.point_weights import weigh_points as weigh_points

__all__ = ["Cell", "Form", "adaptive", "weigh", "weigh_points"]
