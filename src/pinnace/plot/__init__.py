"""Figures: fields beside references, residuals, points, films. Each gives (figure, axes) and changes nothing else."""

from pinnace.plot.animate import animate as animate
from pinnace.plot.field import field as field
from pinnace.plot.film import Film as Film
from pinnace.plot.points import points as points
from pinnace.plot.residual import residual as residual

__all__ = ["Film", "animate", "field", "points", "residual"]
