"""The exact solution of Burgers' equation from a sine, after Cole and Hopf."""

from functools import cache

import numpy as np
from jaxtyping import Float

from pinnace.zoo.settings import SettingError

NODES, FEWER = 200, 150
WORST = 1e-9


def burgers(
    x: Float[np.ndarray, "*grid"], t: Float[np.ndarray, "*grid"], nu: float, nodes: int = NODES
) -> Float[np.ndarray, "*grid"]:
    """u(x, t) of `u_t + u u_x = nu u_xx` on [-1, 1], `u(x, 0) = -sin(pi x)`, `u(-1, t) = u(1, t) = 0`.

    With `y = x - 2 sqrt(nu t) z` and `f(y) = exp(-cos(pi y) / (2 pi nu))` the solution is
    `-E[sin(pi y) f(y)] / E[f(y)]`, the means over a Gaussian z, taken by Gauss-Hermite quadrature.

    Source: Cole 1951, Hopf 1950; written with this quadrature by Basdevant et al. 1986.

    >>> round(float(burgers(np.array(0.5), np.array(0.0), 0.01)), 12)
    -1.0
    """
    z, weights = np.polynomial.hermite.hermgauss(nodes)
    x, t = np.broadcast_arrays(np.asarray(x, float), np.asarray(t, float))
    y = np.pi * (x[..., None] - 2 * np.sqrt(nu * t[..., None]) * z)
    # f alone spans e^100 at nu = 0.01 / pi, and overflows for smaller nu: only its ratio to the largest matters
    exponent = np.log(weights) - np.cos(y) / (2 * np.pi * nu)
    kernel = np.exp(exponent - exponent.max(axis=-1, keepdims=True))
    return -np.sum(kernel * np.sin(y), axis=-1) / np.sum(kernel, axis=-1)


@cache
def floor(nu: float) -> float:
    """Relative L2 error of `burgers` for this viscosity: what fewer nodes change, at least rounding.

    Raises SettingError where the quadrature is no reference any more.

    >>> floor(0.01 / np.pi)
    1e-15
    """
    x, t = np.linspace(-1, 1, 101)[:, None], np.linspace(0, 1, 21)
    fine = burgers(x, t, nu)
    found = float(np.linalg.norm(burgers(x, t, nu, FEWER) - fine) / np.linalg.norm(fine))
    if found > WORST:
        raise SettingError(
            f"nu (viscosity) = {nu:g} is out of the range in which the exact solution is computed well: its error is "
            f"{found:.0e}. Take nu between 6e-4 and 0.4."
        )
    return max(found, 1e-15)
