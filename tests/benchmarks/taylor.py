"""Residual losses by hand, as an expert writes them: Taylor terms carried layer by layer, the linear part as one term.

A network is a list of (weight [out, in], bias [out]), tanh between the layers. What travels is the value, the strict
sub-terms, and L, the whole linear part of the residual. With a = tanh z and s = 1 - a^2, every derivative of tanh has
the factor s: s' = -2 a s, s'' = (6 a^2 - 2) s, s''' = 8 a (2 - 3 a^2) s; it is taken out where that is faster
(all but the mixed biharmonic and single derivatives; up to 15 %). The terms of the first layer are rows of its
weight, the same at every point, so that they are broadcast and not multiplied.
"""

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any

import jax.numpy as jnp
from jax import Array

from tests.benchmarks.peers.coefficients import BURGERS, KDV, REYNOLDS

Layers = Sequence[tuple[Array, Array]]
Loss = Callable[[Layers, Array], Array]


def propagate(layers: Layers, terms: Sequence[Array | float], activate: Callable[..., tuple[Array, ...]]) -> list[Any]:
    """The terms of the output from those before the first activation."""
    for weight, bias in layers[1:]:
        terms = [term @ weight.T for term in activate(*terms)]
        terms[0] = terms[0] + bias
    return list(terms)


def tanh_tower(z: Array) -> tuple[Array, Array, Array, Array, Array]:
    """tanh and its first four derivatives, each from those before it."""
    a = jnp.tanh(z)
    first = 1 - a * a
    second = -2 * a * first
    third = -2 * (first * first + a * second)
    return a, first, second, third, -2 * (3 * first * second + a * third)


def mean_square(residual: Any) -> Array:
    """The loss of one residual."""
    return jnp.mean(residual**2)


def burgers(layers: Layers, points: Array) -> Array:
    """Terms 1, x, L = d_t - nu d_xx."""

    def activate(z: Array, x: Array, linear: Array) -> tuple[Array, ...]:
        a = jnp.tanh(z)
        s = 1 - a * a
        return a, s * x, s * (linear + 2 * BURGERS * a * x * x)

    weight, bias = layers[0]
    u, x, linear = propagate(layers, (points @ weight.T + bias, weight[:, 0], weight[:, 1]), activate)
    return mean_square(linear + u * x)


def kdv(layers: Layers, points: Array) -> Array:
    """Terms 1, x, xx, L = d_t + c d_xxx."""

    def activate(z: Array, x: Array, xx: Array, linear: Array) -> tuple[Array, ...]:
        a = jnp.tanh(z)
        aa = a * a
        s = 1 - aa
        third = (6 * aa - 2) * (x * x * x) - 6 * a * (x * xx)
        return a, s * x, s * (xx - 2 * a * (x * x)), s * (linear + KDV * third)

    weight, bias = layers[0]
    u, x, _, linear = propagate(layers, (points @ weight.T + bias, weight[:, 0], 0.0, weight[:, 1]), activate)
    return mean_square(linear + u * x)


def kuramoto(layers: Layers, points: Array) -> Array:
    """Terms 1, x, xx, xxx, L = d_t + d_xx + d_xxxx."""

    def activate(z: Array, x: Array, xx: Array, xxx: Array, linear: Array) -> tuple[Array, ...]:
        a = jnp.tanh(z)
        aa = a * a
        s = 1 - aa
        two, four = x * x, x * x * (x * x)
        third = 6 * aa - 2
        rest = third * (6 * two * xx) - 2 * a * (two + 4 * x * xxx + 3 * xx * xx) + 8 * a * (2 - 3 * aa) * four
        return (
            a,
            s * x,
            s * (xx - 2 * a * two),
            s * (xxx - 6 * a * (x * xx) + third * (two * x)),
            s * (linear + rest),
        )

    weight, bias = layers[0]
    u, x, _, _, linear = propagate(layers, (points @ weight.T + bias, weight[:, 0], 0.0, 0.0, weight[:, 1]), activate)
    return mean_square(linear + u * x)


def separate(z: Array, linear: Array, *directions: Array) -> tuple[Array, ...]:
    """A Laplacian through tanh, each direction an array of its own."""
    a = jnp.tanh(z)
    s = 1 - a * a
    squares = sum(direction * direction for direction in directions)
    return a, s * (linear - 2 * a * squares), *(s * direction for direction in directions)


def bundled(z: Array, linear: Array, directions: Array) -> tuple[Array, ...]:
    """A Laplacian through tanh, all directions in one array [n, d, width]."""
    a = jnp.tanh(z)
    s = 1 - a * a
    return a, s * (linear - 2 * a * jnp.sum(directions**2, axis=-2)), s[:, None, :] * directions


def laplacian_separate(layers: Layers, points: Array) -> Array:
    """Terms 1, one for each direction, the Laplacian: d + 2 arrays."""
    weight, bias = layers[0]
    first = (points @ weight.T + bias, 0.0, *(weight[:, k] for k in range(points.shape[1])))
    return mean_square(propagate(layers, first, separate)[1] + 1)


def laplacian_bundled(layers: Layers, points: Array) -> Array:
    """The same with three arrays, the directions on a middle axis: one matrix product for all of them."""
    weight, bias = layers[0]
    return mean_square(propagate(layers, (points @ weight.T + bias, 0.0, weight.T), bundled)[1] + 1)


def cavity(layers: Layers, points: Array) -> Array:
    """Terms 1, the Laplacian, x, y, for u, v and p."""
    weight, bias = layers[0]
    value, laplacian, x, y = propagate(layers, (points @ weight.T + bias, 0.0, weight[:, 0], weight[:, 1]), separate)
    u, v = value[:, 0], value[:, 1]
    along = u * x[:, 0] + v * y[:, 0] + x[:, 2] - laplacian[:, 0] / REYNOLDS
    across = u * x[:, 1] + v * y[:, 1] + y[:, 2] - laplacian[:, 1] / REYNOLDS
    return mean_square(along) + mean_square(across) + mean_square(x[:, 0] + y[:, 1])


def biharmonic_mixed(layers: Layers, points: Array) -> Array:
    """Terms 1, x, y, xx, xy, yy, p = d_x Lap, q = d_y Lap, L = Lap^2: nine."""

    def activate(z: Array, linear: Array, x: Array, y: Array, *higher: Array) -> tuple[Array, ...]:
        xx, xy, yy, p, q = higher
        a, one, two, three, four = tanh_tower(z)
        square, laplacian = x * x + y * y, xx + yy
        rest = (
            two * (4 * (x * p + y * q) + laplacian * laplacian + 2 * (xx * xx + 2 * (xy * xy) + yy * yy))
            + three * (2 * laplacian * square + 4 * (xx * (x * x) + 2 * (xy * (x * y)) + yy * (y * y)))
            + four * (square * square)
        )
        return (
            a,
            one * linear + rest,
            one * x,
            one * y,
            one * xx + two * (x * x),
            one * xy + two * (x * y),
            one * yy + two * (y * y),
            one * p + two * (x * laplacian + 2 * (x * xx + y * xy)) + three * (x * square),
            one * q + two * (y * laplacian + 2 * (x * xy + y * yy)) + three * (y * square),
        )

    weight, bias = layers[0]
    first = (points @ weight.T + bias, 0.0, weight[:, 0], weight[:, 1], 0.0, 0.0, 0.0, 0.0, 0.0)
    return mean_square(propagate(layers, first, activate)[1] + 1)


def biharmonic_directions(layers: Layers, points: Array) -> Array:
    """Lap^2 = 8/9 of the sum of the fourth derivatives along three directions at 60 degrees: ten terms.

    1, L, the second and third derivatives along each, the first along two of them: the third one is their difference.
    """

    def activate(z: Array, linear: Array, *terms: Array) -> tuple[Array, ...]:
        first, second, third = (terms[0], terms[1], terms[1] - terms[0]), terms[2:5], terms[5:]
        a = jnp.tanh(z)
        aa = a * a
        s = 1 - aa
        two, three, four = -2 * a, 6 * aa - 2, 8 * a * (2 - 3 * aa)
        squares = [d * d for d in first]
        rest = (
            two * sum(4 * d * ddd + 3 * dd * dd for d, dd, ddd in zip(first, second, third, strict=True))
            + three * sum(6 * square * dd for square, dd in zip(squares, second, strict=True))
            + four * sum(square * square for square in squares)
        )
        return (
            a,
            s * (linear + 8 / 9 * rest),
            *(s * d for d in first[:2]),
            *(s * (dd + two * square) for square, dd in zip(squares, second, strict=True)),
            *(
                s * (ddd + 3 * two * (d * dd) + three * (d * square))
                for d, square, dd, ddd in zip(first, squares, second, third, strict=True)
            ),
        )

    weight, bias = layers[0]
    x, y = weight[:, 0], weight[:, 1]
    first = (points @ weight.T + bias, 0.0, x, x / 2 + sqrt(3) / 2 * y, *[0.0] * 6)
    return mean_square(propagate(layers, first, activate)[1] + 1)


def tower(layers: Layers, points: Array, order: int) -> Array:
    """The derivative of this order along the first axis alone, up to four: the terms below it, and itself."""

    def activate(z: Array, *terms: Array) -> tuple[Array, ...]:
        x, xx, xxx, xxxx = (*terms, 0.0, 0.0, 0.0)[:4]
        a, one, two, three, four = tanh_tower(z)
        square = x * x
        found = (
            one * x,
            one * xx + two * square,
            one * xxx + 3 * two * (x * xx) + three * (x * square),
            one * xxxx + two * (4 * x * xxx + 3 * xx * xx) + three * (6 * square * xx) + four * (square * square),
        )
        return a, *found[:order]

    weight, bias = layers[0]
    first = (points @ weight.T + bias, weight[:, 0], *[0.0] * (order - 1))
    return mean_square(propagate(layers, first, activate)[order])


def network(layers: Layers, points: Array) -> Array:
    """The network itself, at points [..., d]."""
    for weight, bias in layers[:-1]:
        points = jnp.tanh(points @ weight.T + bias)
    weight, bias = layers[-1]
    return points @ weight.T + bias


def layers_of(module: Any) -> list[tuple[Array, Array]]:
    """The weights and biases of an `eqx.nn.MLP`."""
    return [(jnp.atleast_2d(layer.weight), jnp.atleast_1d(layer.bias)) for layer in module.layers]
