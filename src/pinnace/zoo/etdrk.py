"""Exponential Runge-Kutta: the reference method of the problems that are periodic in space."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Complex, Float

Coefficients = Complex[np.ndarray, " k"]


def march(
    linear: Complex[np.ndarray, " k"] | Float[np.ndarray, " k"],
    push: Callable[[Coefficients], Coefficients],
    start: Coefficients,
    end: float,
    steps: int,
    every: int = 1,
) -> Complex[np.ndarray, "steps/every+1 k"]:
    """The solution of `u' = linear u + push(u)` at the first instant, and after each `every` of the steps to `end`.

    Fourth order in the step, and exact where there is no `push`: stiff linear terms cost nothing. Give it Fourier
    coefficients, for which derivatives are `linear`.

    Source: Cox and Matthews 2002; coefficients by contour integrals, Kassam and Trefethen 2005.

    >>> rows = march(np.array([-2.0]), lambda u: 1 + 0 * u, np.array([0j]), 1.0, 10)
    >>> round(float(rows[-1, 0].real), 6)
    0.432332
    """
    h = end / steps
    z = h * linear
    # functions of z as means over a circle around it, since their formulas cancel near 0
    c = z[:, None] + np.exp(2j * np.pi * (np.arange(64) + 0.5) / 64)
    e = np.exp(c)
    q = h * ((np.exp(c / 2) - 1) / c).mean(1)
    f1 = h * ((-4 - c + e * (4 - 3 * c + c**2)) / c**3).mean(1)
    f2 = h * ((2 + c + e * (c - 2)) / c**3).mean(1)
    f3 = h * ((-4 - 3 * c - c**2 + e * (4 - c)) / c**3).mean(1)
    half, whole = np.exp(z / 2), np.exp(z)

    u, rows = start, [start]
    for step in range(1, steps + 1):
        at_u = push(u)
        a = half * u + q * at_u
        at_a = push(a)
        at_b = push(half * u + q * at_a)
        at_end = push(half * a + q * (2 * at_b - at_u))
        u = whole * u + f1 * at_u + 2 * f2 * (at_a + at_b) + f3 * at_end
        if step % every == 0:
            rows.append(u)
    return np.array(rows)


def convected(
    start: Callable[[np.ndarray], np.ndarray],
    linear: Callable[[np.ndarray], np.ndarray],
    speed: float,
    modes: int,
    steps: int,
    rows: int = 100,
) -> Float[np.ndarray, "rows+1 modes"]:
    """`u_t + speed u u_x = L u` with period 2, solved: at instants of [0, 1] and places from -1 to just before 1.

    `linear` is L as a function of the wave number, d/dx as a number: `lambda k: nu * k**2` for diffusion. The start
    must be smooth and of period 2.

    >>> u = convected(lambda x: np.sin(np.pi * x), lambda k: k**2, 0.0, 16, 100, 1)
    >>> bool(np.allclose(u[1], np.exp(-np.pi**2) * u[0]))
    True
    """
    k = 1j * np.pi * np.arange(modes // 2 + 1)
    x = -1 + 2 * np.arange(modes) / modes

    def push(u: Coefficients) -> Coefficients:
        return -speed / 2 * k * np.fft.rfft(np.fft.irfft(u, modes) ** 2)

    return np.fft.irfft(march(linear(k), push, np.fft.rfft(start(x)), 1.0, steps, steps // rows), modes)


def closed(u: Float[np.ndarray, "times modes"]) -> Float[np.ndarray, "times modes+1"]:
    """A field of one period with its other end, which is the first one again.

    >>> closed(np.array([[1.0, 2.0]])).tolist()
    [[1.0, 2.0, 1.0]]
    """
    return np.column_stack([u, u[:, 0]])
