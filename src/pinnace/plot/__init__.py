"""Figures of fields: beside a reference, with the error."""

from pinnace.plot.field import draw as draw
from pinnace.plot.field import field as field

__all__ = ["draw", "field"]
