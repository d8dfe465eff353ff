"""The same residual losses by nested `jvp` on the batch, and by nested `grad` at each point."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array, lax

from tests.benchmarks.peers.coefficients import BURGERS, KDV, REYNOLDS
from tests.benchmarks.taylor import Layers, mean_square, network

Function = Callable[[Array], Array]


def unit(points: Array, axis: int) -> Array:
    """One direction at every point."""
    return jnp.zeros_like(points).at[:, axis].set(1)


def along(f: Function, direction: Array, order: int) -> Callable[[Array], tuple[Array, ...]]:
    """All derivatives of f along a direction up to an order, by nested jvp."""
    if order == 0:
        return lambda points: (f(points),)
    below = along(f, direction, order - 1)

    def nested(points: Array) -> tuple[Array, ...]:
        values, tangents = jax.jvp(below, (points,), (direction,))
        return *values, tangents[-1]

    return nested


def batch(layers: Layers) -> Function:
    """The network as a function of all points."""
    return lambda points: network(layers, points)


def burgers_jvp(layers: Layers, points: Array) -> Array:
    f = batch(layers)
    u, x, xx = along(f, unit(points, 0), 2)(points)
    _, t = along(f, unit(points, 1), 1)(points)
    return mean_square(t + u * x - BURGERS * xx)


def kdv_jvp(layers: Layers, points: Array) -> Array:
    f = batch(layers)
    u, x, _, xxx = along(f, unit(points, 0), 3)(points)
    _, t = along(f, unit(points, 1), 1)(points)
    return mean_square(t + u * x + KDV * xxx)


def kuramoto_jvp(layers: Layers, points: Array) -> Array:
    f = batch(layers)
    u, x, xx, _, xxxx = along(f, unit(points, 0), 4)(points)
    _, t = along(f, unit(points, 1), 1)(points)
    return mean_square(t + u * x + xx + xxxx)


def laplacian_jvp(layers: Layers, points: Array) -> Array:
    """One nested jvp for each direction, written out."""
    f = batch(layers)
    return mean_square(sum(along(f, unit(points, k), 2)(points)[-1] for k in range(points.shape[1])) + 1)


def laplacian_scan(layers: Layers, points: Array) -> Array:
    """A scan over the directions of nested jvp."""
    f = batch(layers)

    def add(total: Array, row: Array) -> tuple[Array, None]:
        return total + along(f, jnp.broadcast_to(row, points.shape), 2)(points)[-1], None

    eye = jnp.eye(points.shape[1], dtype=points.dtype)
    return mean_square(lax.scan(add, jnp.zeros((len(points), 1), points.dtype), eye)[0] + 1)


def cavity_jvp(layers: Layers, points: Array) -> Array:
    f = batch(layers)
    value, x, xx = along(f, unit(points, 0), 2)(points)
    _, y, yy = along(f, unit(points, 1), 2)(points)
    return _cavity(value, x, y, xx + yy)


def _cavity(value: Array, x: Array, y: Array, laplacian: Array) -> Array:
    u, v = value[:, 0], value[:, 1]
    first = u * x[:, 0] + v * y[:, 0] + x[:, 2] - laplacian[:, 0] / REYNOLDS
    second = u * x[:, 1] + v * y[:, 1] + y[:, 2] - laplacian[:, 1] / REYNOLDS
    return mean_square(first) + mean_square(second) + mean_square(x[:, 0] + y[:, 1])


def biharmonic_jvp(layers: Layers, points: Array) -> Array:
    f = batch(layers)
    x, y = unit(points, 0), unit(points, 1)
    xxyy = along(lambda points: along(f, y, 2)(points)[-1], x, 2)
    found = along(f, x, 4)(points)[-1] + 2 * xxyy(points)[-1] + along(f, y, 4)(points)[-1]
    return mean_square(found + 1)


def tower_jvp(layers: Layers, points: Array, order: int) -> Array:
    return mean_square(along(batch(layers), unit(points, 0), order)(points)[-1])


def at_point(layers: Layers, component: int = 0) -> Function:
    """One output of the network as a function of one point."""
    return lambda point: network(layers, point)[component]


def partial(f: Function, axis: int) -> Function:
    """The derivative of a function of one point, by grad."""
    return lambda point: jax.grad(f)(point)[axis]


def _evolution(layers: Layers, points: Array, orders: dict[int, float]) -> Array:
    """u_t + u u_x + the sum of c d_x^k u."""

    def residual(point: Array) -> Array:
        u = at_point(layers)
        towers = [u]
        for _ in range(max(orders)):
            towers.append(partial(towers[-1], 0))
        gradient = jax.grad(u)(point)
        return gradient[1] + u(point) * gradient[0] + sum(c * towers[k](point) for k, c in orders.items())

    return mean_square(jax.vmap(residual)(points))


def burgers_grad(layers: Layers, points: Array) -> Array:
    return _evolution(layers, points, {2: -BURGERS})


def kdv_grad(layers: Layers, points: Array) -> Array:
    return _evolution(layers, points, {3: KDV})


def kuramoto_grad(layers: Layers, points: Array) -> Array:
    return _evolution(layers, points, {2: 1.0, 4: 1.0})


def trace(f: Function) -> Function:
    """The Laplacian of a function of one point, by `jax.hessian`."""
    return lambda point: jnp.trace(jax.hessian(f)(point))


def laplacian_grad(layers: Layers, points: Array) -> Array:
    return mean_square(jax.vmap(trace(at_point(layers)))(points) + 1)


def biharmonic_grad(layers: Layers, points: Array) -> Array:
    return mean_square(jax.vmap(trace(trace(at_point(layers))))(points) + 1)


def cavity_grad(layers: Layers, points: Array) -> Array:
    def terms(point: Array) -> tuple[Array, Array, Array]:
        value = network(layers, point)
        jacobian = jax.jacrev(lambda point: network(layers, point))(point)
        laplacian = jnp.stack([trace(at_point(layers, k))(point) for k in range(2)])
        return value, jacobian, laplacian

    value, jacobian, laplacian = jax.vmap(terms)(points)
    return _cavity(value, jacobian[:, :, 0], jacobian[:, :, 1], laplacian)
