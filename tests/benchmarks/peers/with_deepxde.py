"""DeepXDE in a process of its own, on the backend that DDE_BACKEND names: its data, network, compiled train step.

Ways: "reverse" and "forward" are its two modes of automatic differentiation. Timed are the train steps alone, without
the tests that its `train` makes at both ends.
"""

import protocol  # isort: skip  (first, so that the import is timed)

import os
from collections.abc import Callable
from typing import Any

import deepxde as dde
import numpy as np
from coefficients import BURGERS, KDV, RATE, REYNOLDS

if os.environ["DDE_BACKEND"] == "jax":
    import jax
else:
    import torch


def value(found: Any) -> Any:
    """The array of a derivative, which comes together with its function on some backends."""
    return found[0] if isinstance(found, tuple) else found


def derivative(y: Any, x: Any, axis: int, order: int) -> Any:
    """A derivative along one axis, of a scalar output."""
    for _ in range(order):
        y = dde.grad.jacobian(y, x, i=0, j=axis)
    return y


def evolution(orders: dict[int, float]) -> Callable[..., Any]:
    def pde(x: Any, y: Any) -> Any:
        found = value(dde.grad.jacobian(y, x, i=0, j=1)) + value(y) * value(dde.grad.jacobian(y, x, i=0, j=0))
        for order, c in orders.items():
            found = found + c * value(derivative(y, x, 0, order))
        return found

    return pde


def laplacian(x: Any, y: Any) -> Any:
    return sum(value(dde.grad.hessian(y, x, i=k, j=k)) for k in range(x.shape[1])) + 1


def biharmonic(x: Any, y: Any) -> Any:
    xx = derivative(y, x, 0, 2)
    found = value(derivative(xx, x, 0, 2)) + 2 * value(derivative(xx, x, 1, 2)) + value(derivative(y, x, 1, 4))
    return found + 1


def cavity(x: Any, y: Any) -> Any:
    u, v = value(y)[:, 0:1], value(y)[:, 1:2]
    first = lambda i, j: value(dde.grad.jacobian(y, x, i=i, j=j))  # noqa: E731
    lap = lambda i: sum(value(dde.grad.hessian(y, x, component=i, i=j, j=j)) for j in range(2))  # noqa: E731
    along = u * first(0, 0) + v * first(0, 1) + first(2, 0) - lap(0) / REYNOLDS
    across = u * first(1, 0) + v * first(1, 1) + first(2, 1) - lap(1) / REYNOLDS
    return [along, across, first(0, 0) + first(1, 1)]


EQUATIONS = {
    "burgers": evolution({2: -BURGERS}),
    "kdv": evolution({3: KDV}),
    "kuramoto": evolution({2: 1.0, 4: 1.0}),
    "cavity": cavity,
    "biharmonic": biharmonic,
    "poisson": laplacian,
    "laplacian10": laplacian,
    "laplacian100": laplacian,
}


def put_weights(model: Any, task: protocol.Task) -> None:
    """The weights of the task into the network of the model; has to come before `compile` on JAX."""
    if os.environ["DDE_BACKEND"] == "jax":
        dense = {
            f"denses_{k}": {"kernel": jax.numpy.asarray(weight.T), "bias": jax.numpy.asarray(bias)}
            for k, (weight, bias) in enumerate(task.layers)
        }
        model.net.params = {"params": dense}
        model.params = [model.net.params, []]
        return
    with torch.no_grad():
        for linear, (weight, bias) in zip(model.net.linears, task.layers, strict=True):
            linear.weight.copy_(torch.as_tensor(weight))
            linear.bias.copy_(torch.as_tensor(bias))


def build(task: protocol.Task) -> tuple[Callable[[], Any], Callable[[int], int]]:
    """DeepXDE's model, and its train steps."""
    dde.config.set_default_autodiff(task.way)
    d = task.points.shape[1]
    box = dde.geometry.Hypercube([-1.0] * d, [1.0] * d)
    data = dde.data.PDE(box, EQUATIONS[task.problem], [], num_domain=0, anchors=np.asarray(task.points))
    model = dde.Model(data, dde.nn.FNN(task.sizes, "tanh", "Glorot normal"))
    put_weights(model, task)
    model.compile("adam", lr=RATE, verbose=0)
    state = model.train_state
    state.set_data_train(*data.train_next_batch())
    given = (state.X_train, state.y_train, state.train_aux_vars)
    start = model._outputs_losses(True, *given)[1]

    def steps(count: int) -> int:
        for _ in range(count):
            model._train_step(*given)
        if os.environ["DDE_BACKEND"] == "jax":
            jax.block_until_ready(model.params)
        return count

    return lambda: np.sum(start), steps


def memory() -> int | None:
    return protocol.compiled_memory() if os.environ["DDE_BACKEND"] == "jax" else None


if __name__ == "__main__":
    protocol.serve(build, memory)
