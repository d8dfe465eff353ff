"""Random orders of very many things, of which a few places are asked for at a time."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Int, Key, UInt32

ROUNDS = 20
"""With so many the orders of 4 to 7 things are alike to within a hundredth."""


def shuffled(key: Key[Array, ""], n: int, places: Int[Array, "m"]) -> Int[Array, "m"]:
    """What lies at some places of a random order of 0, 1, ..., n - 1.

    All n places give each number once. Only those asked for are computed, and nothing of size n is made: a Feistel
    network on a lattice of at least n numbers, asked again where it leaves the n (Black & Rogaway 2002, Ciphers with
    Arbitrary Finite Domains).

    >>> import jax
    >>> import jax.numpy as jnp
    >>> order = shuffled(jax.random.key(0), 10, jnp.arange(10))
    >>> print(jnp.sort(order))
    [0 1 2 3 4 5 6 7 8 9]
    """
    side = math.isqrt(n - 1) + 1
    rows = side + side % 2  # turns of an odd circle alone would leave out every other order
    columns = -(-n // rows)
    keys = jax.random.bits(key, (ROUNDS // 2, 2), jnp.uint32)

    def twice(k: Any, place: Any) -> Any:
        row, column = place
        row = _turned(row, column ^ keys[k, 0], rows)
        return row, _turned(column, row ^ keys[k, 1], columns)

    def once(numbers: UInt32[Array, "m"]) -> UInt32[Array, "m"]:
        row, column = lax.fori_loop(0, len(keys), twice, (numbers // columns, numbers % columns))
        return row * columns + column

    def again(numbers: UInt32[Array, "m"]) -> UInt32[Array, "m"]:
        return jnp.where(numbers < n, numbers, once(numbers))

    found = lax.while_loop(lambda numbers: jnp.any(numbers >= n), again, once(places.astype(jnp.uint32)))
    return found.astype(places.dtype)


def _turned(number: Any, seed: Any, size: int) -> UInt32[Array, "m"]:
    """A number below `size`, moved on round its circle by what the seed says."""
    moved = number + (((_mixed(seed) >> 16) * size) >> 16)
    return jnp.where(moved < size, moved, moved - size)


def _mixed(bits: UInt32[Array, "m"]) -> UInt32[Array, "m"]:
    """Bits of which each depends on all that were given: the finalizer of MurmurHash3."""
    bits = (bits ^ (bits >> 16)) * jnp.uint32(0x85EBCA6B)
    bits = (bits ^ (bits >> 13)) * jnp.uint32(0xC2B2AE35)
    return bits ^ (bits >> 16)
