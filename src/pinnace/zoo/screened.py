"""The screened Poisson equation between a square and four discs, in closed form but for coefficients of multipoles."""

from collections.abc import Iterator
from functools import cache
from math import pi
from typing import Any

import numpy as np
from jaxtyping import Float

DISCS = ((0.5, 0.5, 0.2), (0.4, -0.4, 0.4), (-0.2, -0.7, 0.1), (-0.6, 0.5, 0.3))
"""Centres and radii."""
K, STRENGTH, OUTSIDE, INSIDE = 8.0, 10.0, 0.2, 1.0
"""Screening, strength of the source, and the values on the square and on the circles."""
ORDERS, WAVES = 40, 600
"""Orders of the multipoles, and waves along the side of the square."""


def source(x: Float[np.ndarray, "*grid"], y: Float[np.ndarray, "*grid"]) -> Float[np.ndarray, "*grid"]:
    """f(x, y) of `-Laplace u + k^2 u = f`."""
    return STRENGTH * (17 + x**2 + y**2) * np.sin(pi * x) * np.sin(4 * pi * y)


def potential(
    x: Float[np.ndarray, "*grid"], y: Float[np.ndarray, "*grid"], orders: int = ORDERS
) -> Float[np.ndarray, "*grid"]:
    """u(x, y) with `-Laplace u + k^2 u = f` on [-1, 1]^2 less the discs, u = 0.2 on the square, u = 1 on the circles.

    The solution of the square without discs, and modified Bessel functions around each disc with images such that they
    are zero on the square. Their coefficients are those of least squares on the circles; the largest misfit there
    bounds the error (maximum principle). NaN in the discs.

    >>> round(float(potential(np.array(0.0), np.array(0.25))), 6)
    0.123095
    """
    x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
    found = np.array(square(x, y))
    between = np.all([np.hypot(x - a, y - b) > (1 - 1e-12) * r for a, b, r in DISCS], axis=0)
    found[between] += _multipoles(x[between], y[between], orders) @ coefficients(orders)
    return np.where(between, found, np.nan)


@cache
def on_grid(count: int) -> Float[np.ndarray, "count count"]:
    """u at equidistant places of [-1, 1]^2, ends included; NaN in the discs.

    >>> np.isnan(on_grid(5)).tolist()[3]
    [False, True, False, True, False]
    """
    side = np.linspace(-1, 1, count)
    return potential(side[:, None], side)


@cache
def coefficients(orders: int) -> Float[np.ndarray, " columns"]:
    """Of all orders of all discs."""
    x, y = circles(8 * orders)
    return np.linalg.lstsq(_multipoles(x, y, orders), INSIDE - square(x, y), rcond=1e-15)[0]


def circles(count: int) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Points of all circles, so many of each."""
    turn = np.exp(2j * pi * (np.arange(count) + 0.5) / count)
    z = np.concatenate([a + 1j * b + r * turn for a, b, r in DISCS])
    return z.real, z.imag


def square(x: Float[np.ndarray, "*grid"], y: Float[np.ndarray, "*grid"]) -> Float[np.ndarray, "*grid"]:
    """The solution where there are no discs: a particular one of sines, and what makes it 0.2 on the square.

    0.2 alone leaves terms like r^2 log r at the corners, which a sum over sines along y has exactly.
    """
    whole = K**2 + 17 * pi**2
    b = 1 / whole
    c, d = 4 * pi * b / whole, 16 * pi * b / whole
    a = (17 + 4 * b - 2 * pi * c - 8 * pi * d) / whole
    sx, sy = np.sin(pi * x), np.sin(4 * pi * y)
    particular = (a + b * (x**2 + y**2)) * sx * sy + c * x * np.cos(pi * x) * sy + d * y * sx * np.cos(4 * pi * y)
    # at x = -1, 1 this is -c x sin(4 pi y), at y = -1, 1 it is d y sin(pi x)
    mended = particular + c * _sinh(K**2 + 16 * pi**2, x) * sy - d * _sinh(K**2 + pi**2, y) * sx
    return STRENGTH * mended + OUTSIDE * constant(x, y)


def constant(
    x: Float[np.ndarray, "*grid"], y: Float[np.ndarray, "*grid"], waves: int = WAVES
) -> Float[np.ndarray, "*grid"]:
    """The solution without source that is 1 on the square; good to 1e-13 on its sides, and from 1/80 away from them."""
    small, large = np.minimum(np.abs(x), np.abs(y)), np.maximum(np.abs(x), np.abs(y))
    found = np.cosh(K * large) / np.cosh(K)
    for n in range(1, 2 * waves, 2):
        kappa = np.sqrt(K**2 + (n * pi / 2) ** 2)
        decay = np.exp(-kappa * (1 - small)) * (1 + np.exp(-2 * kappa * small)) / (1 + np.exp(-2 * kappa))
        found += 4 * K**2 / (n * pi * kappa**2) * decay * np.sin(n * pi / 2 * (large + 1))
    return np.where(large == 1, 1.0, found)


def _sinh(square: float, x: Float[np.ndarray, "*grid"]) -> Float[np.ndarray, "*grid"]:
    """sinh(kappa x) / sinh(kappa)."""
    return np.sinh(np.sqrt(square) * x) / np.sinh(np.sqrt(square))


def _multipoles(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"], orders: int) -> Float[np.ndarray, "n columns"]:
    """K_n(k r) cos(n theta) and sin(n theta) around each disc, over K_n at its circle, less their images."""
    found = np.zeros((len(DISCS), 2 * orders - 1, len(x)))
    for sign, a, b in _images(x, y):
        for row, (u, v, radius) in zip(found, DISCS, strict=True):
            out = a - u + 1j * (b - v)
            r = np.abs(out)
            turn, wave = out / r, np.full(len(x), sign + 0j)
            for n, size in enumerate(zip(_bessel(K * r, orders), _bessel(K * radius, orders), strict=True)):
                term = size[0] / size[1] * wave
                row[n] += term.real
                if n:
                    row[orders - 1 + n] += term.imag
                wave *= turn
    return found.reshape(len(DISCS) * (2 * orders - 1), len(x)).T


def _images(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> Iterator[tuple[float, Any, Any]]:
    """The points and their mirror images at the sides, with the sign of each; those left out are below 1e-13."""
    for one, a in ((1, x), (-1, 2 - x), (-1, -2 - x), (1, x + 4), (1, x - 4)):
        for other, b in ((1, y), (-1, 2 - y), (-1, -2 - y), (1, y + 4), (1, y - 4)):
            yield one * other, a, b


def _bessel(z: Any, orders: int) -> Iterator[Any]:
    """K_0(z), K_1(z), ...: upward recurrence, which is stable."""
    from scipy.special import k0, k1

    low, high = k0(z), k1(z)
    for n in range(1, orders + 1):
        yield low
        low, high = high, low + 2 * n / z * high
