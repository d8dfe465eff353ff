"""jinns in a process of its own: its losses, its operators, its `solve`, jitted once from outside as its docs allow.

Derivatives are nested `jax.grad` as in jinns' own equations. Ways, for its operator of Laplacians: "rev" is the trace
of a Hessian, "loop" loops over directions.
"""

import protocol  # isort: skip  (first, so that the import is timed)

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from coefficients import BURGERS, KDV, RATE, REYNOLDS
from jinns import solve
from jinns.data import CubicMeshPDEStatio
from jinns.loss import LossPDEStatio, LossWeightsPDEStatio, NavierStokesMassConservation2DStatio, PDEStatio
from jinns.loss import laplacian_rev as laplacian
from jinns.nn import PINN_MLP
from jinns.parameters import Params

BLOCK = 5
"""Steps of one call of `solve`, whose length is static."""


class Evolution(PDEStatio):
    """u_t + u u_x + the sum of c d_x^k u, with (x, t) as the point; written as jinns writes its Burgers equation."""

    orders: tuple[tuple[int, float], ...] = eqx.field(static=True, kw_only=True)

    def equation(self, x: Any, u: Any, params: Any) -> Any:
        value = lambda x: jnp.squeeze(u(x, params))  # noqa: E731
        towers: list[Any] = [value, jax.grad(value)]
        for _ in range(max(k for k, _ in self.orders) - 1):
            towers.append(jax.grad(lambda x, below=towers[-1]: below(x)[0]))
        first = towers[1](x)
        linear = sum(c * towers[k](x)[0:1] for k, c in self.orders)
        return first[1:2] + value(x) * first[0:1] + linear


class Laplace(PDEStatio):
    """lap u + 1, or lap lap u + 1."""

    method: str = eqx.field(static=True, kw_only=True)
    times: int = eqx.field(static=True, kw_only=True)

    def equation(self, x: Any, u: Any, params: Any) -> Any:
        operator: Any = partial(laplacian, method=self.method, eq_type="PDEStatio")
        for _ in range(self.times - 1):
            u = partial(operator, u=u)
            u = lambda x, params, inner=u: inner(x, params=params)  # noqa: E731
        return jnp.atleast_1d(operator(x, u, params) + 1)


def equation(problem: str, way: str) -> Any:
    """The dynamic loss of a problem."""
    evolutions = {"burgers": ((2, -BURGERS),), "kdv": ((3, KDV),), "kuramoto": ((2, 1.0), (4, 1.0))}
    if problem in evolutions:
        return Evolution(orders=evolutions[problem])
    if problem == "cavity":
        return NavierStokesMassConservation2DStatio()
    method = {"rev": "trace_hessian_x", "loop": "loop"}[way]
    return Laplace(method=method, times=2 if problem == "biharmonic" else 1)


def build(task: protocol.Task) -> tuple[Callable[[], Any], Callable[[int], int]]:
    """jinns' problem, and its steps in blocks."""
    sizes = task.sizes
    module = eqx.nn.MLP(sizes[0], sizes[-1], sizes[1], len(sizes) - 2, jnp.tanh, key=jax.random.key(0))
    where = lambda module: [part for layer in module.layers for part in (layer.weight, layer.bias)]  # noqa: E731
    module = eqx.tree_at(where, module, [jnp.asarray(part) for layer in task.layers for part in layer])
    u, weights = PINN_MLP.create(eq_type="PDEStatio", eqx_network=module)
    params = Params(nn_params=weights, eq_params={"rho": jnp.array(1.0), "nu": jnp.array(1 / REYNOLDS)})
    n, d = task.points.shape
    data = CubicMeshPDEStatio(key=jax.random.key(0), n=n, dim=d, min_pts=(0.0,) * d, max_pts=(1.0,) * d)
    data = eqx.tree_at(lambda data: data.omega, data, jnp.asarray(task.points))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that there is no boundary condition
        loss = LossPDEStatio(
            u=u,
            dynamic_loss=equation(task.problem, task.way),
            loss_weights=LossWeightsPDEStatio(dyn_loss=1.0),
            params=params,
        )
    tx = optax.adam(RATE)

    @eqx.filter_jit
    def block(params: Any, moments: Any, data: Any) -> Any:
        found = solve(
            n_iter=BLOCK,
            init_params=params,
            data=data,
            loss=loss,
            optimizer=tx,
            opt_state=moments,
            print_loss_every=BLOCK,
            verbose=False,
            ahead_of_time=False,
        )
        return found[0], found[5], found[1]

    # without weak types, which would make the second call compile again
    state = jax.tree.map(lambda leaf: jnp.array(leaf, leaf.dtype), [params, tx.init(params)])
    losses = []

    def steps(count: int) -> int:
        blocks = -(-count // BLOCK)
        for _ in range(blocks):
            *state[:], values = jax.block_until_ready(block(*state, data))
            losses.append(values)
        return blocks * BLOCK

    return lambda: losses[0][0], steps


if __name__ == "__main__":
    protocol.serve(build, protocol.compiled_memory)
