"""Low-discrepancy points: a Sobol sequence, shifted by the key."""

from dataclasses import dataclass
from functools import reduce
from operator import xor

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int, Key, UInt32

from pinnace._errors import DomainError
from pinnace.points.sampler import Sampler, unit

BITS = 32

MAX_DIM = 21201
"""Coordinates for which direction numbers are known (those that scipy brings)."""

INITIAL = (
    (0b11, (1,)),
    (0b111, (1, 3)),
    (0b1011, (1, 3, 1)),
    (0b1101, (1, 1, 1)),
    (0b10011, (1, 1, 3, 3)),
    (0b11001, (1, 3, 5, 13)),
    (0b100101, (1, 1, 5, 5, 17)),
    (0b101001, (1, 1, 5, 5, 5)),
    (0b101111, (1, 1, 7, 11, 19)),
)
"""Primitive polynomials and initial numbers of the second and later coordinates (Joe and Kuo 2008, SIAM J.
Sci. Comput. 30, table new-joe-kuo-6). Here only because to import scipy.stats takes half a second, which most
problems, having few coordinates, are so spared."""


@dataclass(frozen=True, eq=False)
class Sobol(Sampler):
    """Points that fill the cube more evenly than chance; any number of them, best for powers of two.

    The sequence of Sobol 1967 with a random digital shift for each key (L'Ecuyer and Lemieux 2002), which
    keeps the net: every elementary box that held one point still holds one.
    """

    def __post_init__(self) -> None:
        if self.cover.dim > MAX_DIM:
            raise DomainError(
                f'sampler="sobol" has {MAX_DIM} coordinates at most, these points need {self.cover.dim}. '
                f'Use sampler="uniform".'
            )

    def base(self, dtype: DTypeLike) -> UInt32[np.ndarray, "size cube"]:
        return sobol_bits(self.n, self.cover.dim)

    def draw(
        self, base: UInt32[Array, "size cube"], key: Key[Array, ""], dtype: DTypeLike
    ) -> tuple[Int[Array, "size"], Float[Array, "size cube"]]:
        shift = jax.random.bits(key, (self.cover.dim,), jnp.uint32)
        return self.cover.split(unit(base ^ shift, dtype))


def sobol_bits(n: int, dim: int) -> UInt32[np.ndarray, "n dim"]:
    """The first n points of the Sobol sequence as 32-bit fractions."""
    if dim > 1 + len(INITIAL):
        from scipy.stats import qmc

        points = qmc.Sobol(dim, scramble=False, bits=BITS).random_base2((n - 1).bit_length())[:n]
        return np.ldexp(points, BITS).astype(np.uint32)
    directions = np.array([direction_numbers(axis) for axis in range(dim)], np.uint32)
    index = np.arange(n)
    bits = np.zeros((n, dim), np.uint32)
    for j in range((n - 1).bit_length()):
        bits ^= np.where((index >> j & 1)[:, None] == 1, directions[:, j], np.uint32(0))
    return bits


def direction_numbers(axis: int) -> list[int]:
    """The 32 direction numbers of one coordinate, as 32-bit fractions (Bratley and Fox 1988, TOMS 14)."""
    if axis == 0:
        return [1 << BITS - 1 - k for k in range(BITS)]
    polynomial, initial = INITIAL[axis - 1]
    degree = len(initial)
    inner = [i for i in range(1, degree) if polynomial >> degree - i & 1]
    numbers = [m << BITS - 1 - k for k, m in enumerate(initial)]
    for k in range(degree, BITS):
        oldest = numbers[k - degree]
        numbers.append(reduce(xor, (numbers[k - i] for i in inner), oldest ^ oldest >> degree))
    return numbers
