"""Where points lie in the unit cube, and when they are drawn again. Pure; knows no shapes."""

from pinnace.points.cover import Cover as Cover
from pinnace.points.fixed import Fixed as Fixed
from pinnace.points.grid import Grid as Grid
from pinnace.points.picked import Picked as Picked
from pinnace.points.refine import R3 as R3
from pinnace.points.refine import Rad as Rad
from pinnace.points.refine import RarD as RarD
from pinnace.points.refine import Rule as Rule
from pinnace.points.resample import fresh_every as fresh_every
from pinnace.points.sampler import Sampler as Sampler
from pinnace.points.sobol import Sobol as Sobol
from pinnace.points.sobol import sobol_bits as sobol_bits
from pinnace.points.uniform import Uniform as Uniform

SAMPLERS: dict[str, type[Sampler]] = {"sobol": Sobol, "uniform": Uniform, "grid": Grid}
"""Samplers by the names that `dom.variable(..., sampler=...)` takes."""
