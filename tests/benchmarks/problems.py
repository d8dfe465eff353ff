"""The benchmark problems: one record each, with the same loss in pinnace, by hand, by nested jvp, by nested grad."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp

import pinnace as pn
from tests.benchmarks import autodiff, taylor
from tests.benchmarks.peers.coefficients import BURGERS, KDV, REYNOLDS
from tests.benchmarks.taylor import Loss


@dataclass(frozen=True)
class Problem:
    """What is solved, on how many points, and how each of our sides writes its loss."""

    name: str
    title: str
    domain: Callable[[], Any]
    points: int
    residual: Callable[..., Any]
    """The loss in pinnace from the field (or fields) and the coordinates."""
    hand: Mapping[str, Loss]
    """The collapsed layer-wise Taylor losses by what is special about each; the fastest counts."""
    jvp: Loss
    grad: Loss
    dimension: int = 2
    outputs: int | Literal["scalar"] = "scalar"

    def module(self, width: int = 64, dtype: Any = None, seed: int = 0) -> eqx.nn.MLP:
        """The network of the benchmarks: 4 hidden layers, tanh."""
        return eqx.nn.MLP(self.dimension, self.outputs, width, 4, jnp.tanh, dtype=dtype, key=jax.random.key(seed))

    def loss(self, field: Any, points: int | None = None) -> Any:
        """The loss in pinnace."""
        coordinates = self.domain().variable("interior", points or self.points)
        return self.residual(field(*coordinates), coordinates)


def plane() -> Any:
    return pn.domain.interval(-1, 1).time(0, 1)


def cube(d: int) -> Callable[[], Any]:
    return lambda: pn.domain.box(*[(0, 1)] * d)


def burgers(u: Any, at: Any) -> Any:
    x, t = at
    return (u.d(t) + u * u.d(x) - BURGERS * u.dd(x)).mse


def kdv(u: Any, at: Any) -> Any:
    x, t = at
    return (u.d(t) + u * u.d(x) + KDV * u.d(x, x, x)).mse


def kuramoto(u: Any, at: Any) -> Any:
    x, t = at
    return (u.d(t) + u * u.d(x) + u.dd(x) + u.d(x, x, x, x)).mse


def laplacian(u: Any, at: Any) -> Any:
    return (pn.np.laplacian(u, list(at)) + 1).mse


def biharmonic(u: Any, at: Any) -> Any:
    return (pn.np.laplacian(pn.np.laplacian(u, list(at)), list(at)) + 1).mse


def cavity(fields: Any, at: Any) -> Any:
    (u, v, p), (x, y) = fields, at
    along = u * u.d(x) + v * u.d(y) + p.d(x) - pn.np.laplacian(u, [x, y]) / REYNOLDS
    across = u * v.d(x) + v * v.d(y) + p.d(y) - pn.np.laplacian(v, [x, y]) / REYNOLDS
    return along.mse + across.mse + (u.d(x) + v.d(y)).mse


LAPLACIANS = {"separate": taylor.laplacian_separate, "bundled": taylor.laplacian_bundled}

PROBLEMS = {
    problem.name: problem
    for problem in (
        Problem(
            "burgers",
            "Burgers",
            plane,
            2540,
            burgers,
            {"collapsed": taylor.burgers},
            autodiff.burgers_jvp,
            autodiff.burgers_grad,
        ),
        Problem(
            "poisson",
            "Poisson 2-D",
            cube(2),
            2540,
            laplacian,
            LAPLACIANS,
            autodiff.laplacian_jvp,
            autodiff.laplacian_grad,
        ),
        Problem("kdv", "KdV", plane, 2540, kdv, {"collapsed": taylor.kdv}, autodiff.kdv_jvp, autodiff.kdv_grad),
        Problem(
            "kuramoto",
            "Kuramoto-Sivashinsky",
            plane,
            2540,
            kuramoto,
            {"collapsed": taylor.kuramoto},
            autodiff.kuramoto_jvp,
            autodiff.kuramoto_grad,
        ),
        Problem(
            "cavity",
            "Cavity flow",
            cube(2),
            2540,
            cavity,
            {"collapsed": taylor.cavity},
            autodiff.cavity_jvp,
            autodiff.cavity_grad,
            outputs=3,
        ),
        Problem(
            "laplacian10",
            "Laplacian, d = 10",
            cube(10),
            1000,
            laplacian,
            LAPLACIANS,
            autodiff.laplacian_jvp,
            autodiff.laplacian_grad,
            dimension=10,
        ),
        Problem(
            "laplacian100",
            "Laplacian, d = 100",
            cube(100),
            500,
            laplacian,
            LAPLACIANS,
            autodiff.laplacian_scan,
            autodiff.laplacian_grad,
            dimension=100,
        ),
        Problem(
            "biharmonic",
            "Biharmonic 2-D",
            cube(2),
            2540,
            biharmonic,
            {"9 mixed terms": taylor.biharmonic_mixed, "3 directions": taylor.biharmonic_directions},
            autodiff.biharmonic_jvp,
            autodiff.biharmonic_grad,
        ),
    )
}
