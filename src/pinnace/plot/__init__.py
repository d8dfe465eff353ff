"""Figures of fields: beside a reference, with the error."""

from pinnace.plot.field import field as field

__all__ = ["field"]
