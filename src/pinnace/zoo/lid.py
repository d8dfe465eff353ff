"""The flow in a square under a lid that moves, by Galerkin's method for the stream function."""

from functools import cache
from math import comb, pi

import numpy as np
from jaxtyping import Float
from numpy.polynomial import Polynomial, legendre

MODES = 28
"""Basis functions along each axis."""
FLOOR, PRESSURE_FLOOR = 1e-6, 1e-3
"""Relative L2 errors of the velocity and of the pressure at Reynolds' number 100."""
ORDERS = [(i, j) for i in range(4) for j in range(4 - i)]
"""Derivatives up to the third, along x and along y."""

Vector = Float[np.ndarray, " n"]
Table = Float[np.ndarray, "n m"]
Coefficients = Float[np.ndarray, "modes modes"]


@cache
def flow(reynolds: float, side: int) -> Float[np.ndarray, "3 side side"]:
    """u, v and p at equidistant places of [0, 1]^2, ends included, x first; p is NaN on the lid.

    >>> flow(100.0, 3)[0, 1].round(4).tolist()[1:]
    [-0.1788, 1.0]
    """
    psi, places = stream(reynolds), np.linspace(0, 1, side)
    p = np.full((side, side), np.nan)
    p[:, :-1] = pressure(psi, places, places[:-1], reynolds)
    return np.stack([*velocity(psi, places, places), p])


def velocity(psi: Coefficients, x: Vector, y: Vector) -> Float[np.ndarray, "2 n m"]:
    """u and v on the grid of these places: the slopes of the stream function.

    >>> velocity(stream(100.0, 8), np.array([0.5]), np.array([1.0]))[0].round(12).tolist()
    [[1.0]]
    """
    d = _derivatives(psi, x, y)
    return np.stack([d[0, 1], -d[1, 0]])


def pressure(psi: Coefficients, x: Vector, y: Vector, reynolds: float, steps: int = 32) -> Table:
    """p on a grid below the lid, p(0, 0) = 0, from the momentum equations: along the bottom, and then up.

    In the upper corners it goes like a logarithm, that of Stokes' flow there, which is not integrated but known.
    """
    s, w = np.polynomial.legendre.leggauss(steps)
    s, w = (s + 1) / 2, w / 2
    along = _gradient(psi, np.outer(x, s).ravel(), np.zeros(1), reynolds)[0]
    up = _gradient(psi, x, np.outer(y, s).ravel(), reynolds)[1]
    bottom = along.reshape(len(x), 1, steps) @ w * x[:, None]
    known = _corner(x, y, reynolds)[0] - _corner(np.zeros(1), np.zeros(1), reynolds)[0]
    return bottom + up.reshape(len(x), len(y), steps) @ w * y + known


@cache
def stream(reynolds: float, modes: int = MODES) -> Coefficients:
    """The coefficients of the stream function for the lid u = 4 x (1 - x).

    It is a known one that has the velocity of the lid, and Stokes' flow in the corners, plus clamped polynomials (Shen
    1994). Their coefficients by Newton's method from the weak form of `Laplace^2 psi / Re = psi_y Laplace psi_x -
    psi_x Laplace psi_y`.
    """
    s, w = np.polynomial.legendre.leggauss(2 * modes)
    s, w = (s + 1) / 2, np.outer(w, w) / 4
    basis = [_clamped(s, modes, k) for k in range(3)]
    known = _lift(s, s)
    laplacian = [(2, 0), (0, 2)]

    def here(i: int, j: int) -> Float[np.ndarray, "points points"]:
        return known[i, j] + basis[i] @ c @ basis[j].T

    c = np.zeros((modes, modes))
    for _ in range(20):
        px, py, vorticity = here(1, 0), here(0, 1), here(2, 0) + here(0, 2)
        tests = [*((key, w / reynolds) for key in laplacian), ((1, 0), w * py), ((0, 1), -w * px)]
        slope = _matrix(basis, (1, 0), (0, 1), w * vorticity) - _matrix(basis, (0, 1), (1, 0), w * vorticity)
        for key, weight in tests:
            slope += _matrix(basis, key, (2, 0), weight) + _matrix(basis, key, (0, 2), weight)
        residual = sum(basis[i].T @ (weight * vorticity) @ basis[j] for (i, j), weight in tests)
        change = np.linalg.solve(slope, -np.ravel(residual)).reshape(c.shape)
        c = c + change
        if np.abs(change).max() < 1e-12:
            break
    return c


def _matrix(
    basis: list[Float[np.ndarray, "points modes"]],
    test: tuple[int, int],
    trial: tuple[int, int],
    weight: Float[np.ndarray, "points points"],
) -> Float[np.ndarray, "all all"]:
    """Integrals of products of two derivatives of basis functions, summed along one axis after the other."""
    count = basis[0].shape[1]
    alongs, ups = ((basis[a][:, :, None] * basis[b][:, None, :]) for a, b in zip(test, trial, strict=True))
    inner = weight @ ups.reshape(len(ups), -1)
    whole = (alongs.reshape(len(alongs), -1).T @ inner).reshape((count,) * 4)
    return whole.transpose(0, 2, 1, 3).reshape(count**2, -1)


def _derivatives(psi: Coefficients, x: Vector, y: Vector) -> dict[tuple[int, int], Table]:
    """Of the stream function on a grid, up to the third."""
    found = _lift(x, y)
    alongs, ups = ([_clamped(part, len(psi), k) for k in range(4)] for part in (x, y))
    return {(i, j): found[i, j] + alongs[i] @ psi @ ups[j].T for i, j in ORDERS}


def _gradient(psi: Coefficients, x: Vector, y: Vector, reynolds: float) -> Float[np.ndarray, "2 n m"]:
    """p_x and p_y, less those of the corners."""
    d = _derivatives(psi, x, y)
    u, v = d[0, 1], -d[1, 0]
    px = (d[2, 1] + d[0, 3]) / reynolds - u * d[1, 1] - v * d[0, 2]
    py = -(d[3, 0] + d[1, 2]) / reynolds + u * d[2, 0] + v * d[1, 1]
    return np.stack([px, py]) - _corner(x, y, reynolds)[1:]


def _corner(x: Vector, y: Vector, reynolds: float) -> Float[np.ndarray, "3 n m"]:
    """The pressure of Stokes' flow in both upper corners, and its slopes."""
    found, down = np.zeros((3, len(x), len(y))), 1 - y
    for sign, a in ((1.0, x[:, None]), (-1.0, 1 - x[:, None])):
        square = a**2 + down**2
        found += sign * 4 / reynolds * np.stack([np.log(square), sign * 2 * a / square, -2 * down / square])
    return found


def _lift(x: Vector, y: Vector) -> dict[tuple[int, int], Table]:
    """A stream function, 0 with its slopes on the walls, with psi_y = 4 x (1 - x) on the lid."""
    x, down = x[:, None], 1 - y
    fade = Polynomial([1, 0, -3, 2])  # 1 - 3 s^2 + 2 s^3
    left, right = (_product(_stokes(a, down), a, down, fade) for a in (x, 1 - x))
    rest, room = Polynomial([0, 0, 16, -32, 16]), Polynomial([0, 1, -2, 1])
    return {
        (i, j): (-1) ** j * (left[i, j] + (-1) ** i * right[i, j] + rest.deriv(i)(x) * room.deriv(j)(down))
        for i, j in ORDERS
    }


def _stokes(a: Table, b: Vector) -> dict[tuple[int, int], Table]:
    """Stokes' flow in the corner a, b > 0 under the velocity 4 a along b = 0: pi b^2 - 2 a b - 2 r^2 arctan(b / a)."""
    angle, square = np.arctan2(b, a), a**2 + b**2
    x, y = (part / np.sqrt(np.where(square > 0, square, 1)) for part in (a, b))
    inverse = 8 / np.sqrt(np.where(square > 0, square, np.inf))
    return {
        (0, 0): pi * b**2 - 2 * a * b - 2 * square * angle,
        (1, 0): -4 * a * angle,
        (0, 1): 2 * pi * b - 4 * a - 4 * b * angle,
        (2, 0): 4 * x * y - 4 * angle,
        (1, 1): -4 * x**2,
        (0, 2): 2 * pi - 4 * x * y - 4 * angle,
        (3, 0): inverse * y**3,
        (2, 1): -inverse * x * y**2,
        (1, 2): inverse * x**2 * y,
        (0, 3): -inverse * x**3,
    }


def _product(one: dict[tuple[int, int], Table], a: Table, b: Vector, fade: Polynomial) -> dict[tuple[int, int], Table]:
    """The derivatives of a function times fade(a) fade(b), after Leibniz."""
    alongs, ups = ([fade.deriv(k)(part) for k in range(4)] for part in (a, b))
    found = {}
    for i, j in ORDERS:
        parts = [(k, m, comb(i, k) * comb(j, m)) for k in range(i + 1) for m in range(j + 1)]
        found[i, j] = sum((n * one[k, m] * alongs[i - k] * ups[j - m] for k, m, n in parts), np.zeros(1))
    return found


def _clamped(s: Vector, modes: int, order: int) -> Float[np.ndarray, "n modes"]:
    """Polynomials on [0, 1] that are zero with their slopes at its ends, or derivatives of them."""
    m = np.arange(modes)
    scale = 1 / np.sqrt(2 * (2 * m + 3) ** 2 * (2 * m + 5))
    columns = np.zeros((modes + 4, modes))
    columns[m, m] = scale
    columns[m + 2, m] = -2 * (2 * m + 5) / (2 * m + 7) * scale
    columns[m + 4, m] = (2 * m + 3) / (2 * m + 7) * scale
    return 2**order * legendre.legval(2 * s - 1, legendre.legder(columns, order)).T
