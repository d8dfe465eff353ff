"""Spheres and balls laid out evenly: maps from the unit cube that keep areas and volumes, in any dimension.

The squares of the radii in each pair of coordinates of an even point are even on a simplex, so that pairs are drawn
by breaking a stick, each with an angle of its own; an odd coordinate has the density (1 - x^2)^k.
"""

import math
from functools import cache

import numpy as np
from jaxtyping import Array, Float

from pinnace.domain.arrays import namespace
from pinnace.domain.quantiles import Quantiles


def ball_volume(dim: int) -> float:
    """The volume of the ball of radius 1.

    >>> round(ball_volume(3) * 3 / 4, 6)
    3.141593
    """
    return math.pi ** (dim / 2) / math.gamma(dim / 2 + 1)


def sphere_area(dim: int) -> float:
    """The area of the sphere of radius 1 in a space of so many dimensions.

    >>> round(sphere_area(2) / 2, 6)
    3.141593
    """
    return dim * ball_volume(dim)


def around(unit: Float[Array, "n cube"]) -> Float[Array, "n dim"]:
    """Unit vectors of one more coordinate than the cube has, evenly on the sphere."""
    dim = unit.shape[1] + 1
    if dim % 2:
        return _with_height(unit, dim - 3)
    return _pairs(unit[:, : dim // 2 - 1], unit[:, dim // 2 - 1 :], dim // 2 - 1)


def within(unit: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
    """Points evenly in the ball of radius 1."""
    dim = unit.shape[1]
    if dim % 2:
        return _with_height(unit, dim - 1)
    return _pairs(unit[:, : dim // 2], unit[:, dim // 2 :], dim // 2)


def lengths_within(dim: int) -> Float[np.ndarray, "dim"]:
    """How long the coordinates of the cube are in a ball of radius 1, at the mean radius: cells as wide as long."""
    odd = [2.0] if dim % 2 else []
    return np.array(odd + [1.0] * (dim // 2) + [math.pi] * (dim // 2))


def lengths_around(dim: int) -> Float[np.ndarray, "cube"]:
    """How long the coordinates of the cube are on a sphere of radius 1."""
    odd = [2.0] if dim % 2 else []
    turns = dim // 2
    each = 2 * math.pi / math.sqrt(max(1, turns))
    return np.array(odd + [1.0] * (turns - 1) + [each] * turns)


def _pairs(sticks: Float[Array, "n k"], turns: Float[Array, "n pairs"], left: int) -> Float[Array, "n dim"]:
    """Points whose pairs of coordinates have squared radii evenly on a simplex; the last pair takes what is left."""
    xp = namespace(turns)
    rest, columns = xp.ones_like(turns[:, 0]), []
    for k in range(turns.shape[1]):
        if k < sticks.shape[1]:
            u = sticks[:, k]
            part = u if left == 1 else 1 - (1 - u) ** (1 / left)
            square, rest, left = rest * part, rest * (1 - part), left - 1
        else:
            square = rest
        angle = 2 * xp.pi * turns[:, k]
        radius = xp.sqrt(square)
        columns += [radius * xp.cos(angle), radius * xp.sin(angle)]
    return xp.stack(columns, axis=1)


def _with_height(unit: Float[Array, "n cube"], power: int) -> Float[Array, "n dim"]:
    """Points of an odd number of coordinates: a height of density (1 - x^2)^(power / 2), the others around it."""
    xp = namespace(unit)
    height = _height(unit[:, 0], power // 2)
    others = unit[:, 1:]
    flat = around(others) if others.shape[1] % 2 else within(others)
    return xp.concatenate([flat * xp.sqrt(xp.maximum(1 - height**2, 0))[:, None], height[:, None]], axis=1)


def _height(u: Float[Array, "n"], power: int) -> Float[Array, "n"]:
    """The numbers in [-1, 1] below which a share u of the density (1 - x^2)^power is."""
    xp, centred = namespace(u), 2 * u - 1
    if power == 0:
        return centred
    if power == 1:
        return 2 * xp.sin(xp.arcsin(centred) / 3)
    return xp.sin(_angles(power)(u))


@cache
def _angles(power: int) -> Quantiles:
    """The angles of such heights, whose density is cos^(2 power + 1)."""
    return Quantiles(lambda angle, xp: xp.cos(angle) ** (2 * power + 1), np.linspace(-np.pi / 2, np.pi / 2, 257))
