"""The harmonic function between a square and four discs, as multipoles in the discs and a polynomial."""

from functools import cache
from math import pi

import numpy as np
from jaxtyping import Complex, Float

CENTRE, RADIUS, HALF = 0.3, 0.1, 0.5
TERMS = 24
"""Multipoles of each disc; there are twice as many terms of the polynomial."""


def potential(
    x: Float[np.ndarray, "*grid"], y: Float[np.ndarray, "*grid"], terms: int = TERMS
) -> Float[np.ndarray, "*grid"]:
    """u(x, y) with Laplace u = 0 on [-0.5, 0.5]^2 less four discs, u = 1 on the square, u = 0 on the circles.

    What has all symmetries of the square: in each disc a logarithm and powers of 1 / (z - c), and powers of z^4. Odd
    reflection continues 1 - u beyond the sides and corners, so that the coefficients fall like a geometric series. They
    are those of least squares at the boundary; the largest misfit there bounds the error (maximum principle). NaN in
    the discs.

    >>> round(float(potential(np.array(0.0), np.array(0.0))), 6)
    0.233585
    """
    x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
    between = np.hypot(np.abs(x) - CENTRE, np.abs(y) - CENTRE) > (1 - 1e-12) * RADIUS
    found = np.full(x.shape, np.nan)
    found[between] = 1 + _basis(x[between] + 1j * y[between], terms) @ coefficients(terms)
    return found


@cache
def coefficients(terms: int) -> Float[np.ndarray, " columns"]:
    """Of the logarithm, of the multipoles, and of the polynomial."""
    angle = (np.arange(8 * terms) + 0.5) / (8 * terms) * pi
    circle = CENTRE * (1 + 1j) + RADIUS * np.exp(1j * (pi / 4 + angle))  # the other half is its mirror image
    side = HALF + 1j * HALF * np.sin(pi / 2 * (np.arange(8 * terms) + 0.5) / (8 * terms))
    z = np.concatenate([circle, side])
    wanted = np.concatenate([np.full(len(circle), -1.0), np.zeros(len(side))])
    return np.linalg.lstsq(_basis(z, terms), wanted, rcond=1e-15)[0]


def _basis(z: Complex[np.ndarray, " n"], terms: int) -> Float[np.ndarray, "n columns"]:
    multipoles = np.zeros((len(z), terms))
    for centre in CENTRE * np.array([1 + 1j, -1 + 1j, -1 - 1j, 1 - 1j]):
        out = (z - centre) * np.conj(centre) / abs(centre)  # seen along the diagonal
        multipoles[:, 0] += np.log(np.abs(out))
        inverse = RADIUS / out
        for k in range(1, terms):
            multipoles[:, k] += (inverse**k).real
    powers = (z / (HALF * np.sqrt(2)))[:, None] ** (4 * np.arange(2 * terms))
    return np.hstack([multipoles, powers.real])
