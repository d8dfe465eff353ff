"""The language's face of everything adaptive."""

from pinnace.fn import adaptive as adaptive
from pinnace.fn import diagnose as diagnose
from pinnace.fn.cell import OF_PARAMETERS as OF_PARAMETERS
from pinnace.fn.cell import Cell as Cell
from pinnace.fn.cell import weigh as weigh
from pinnace.fn.form import Form as Form
from pinnace.fn.point_weights import weigh_points as weigh_points

__all__ = ["OF_PARAMETERS", "Cell", "Form", "adaptive", "diagnose", "weigh", "weigh_points"]
