"""At kinks and zeros derivatives are those of nested jax.grad, and finite wherever these are finite."""

import jax.numpy as jnp
import pytest
from jax import lax, nn
from jax.scipy import special

import pinnace as pn

pytestmark = pytest.mark.usefixtures("x64")

KINKS = {
    "relu": nn.relu,
    "leaky relu": nn.leaky_relu,
    "relu6": nn.relu6,
    "elu": nn.elu,
    "selu": nn.selu,
    "softplus": nn.softplus,
    "mish": nn.mish,
    "silu": nn.silu,
    "absolute": jnp.abs,
    "x**2.0": lambda x: x**2.0,
    "x**2": lambda x: x**2,
    "x**3": lambda x: x**3,
    "x**1.0": lambda x: x**1.0,
    "x**0.0": lambda x: x**0.0,
    "x**0": lambda x: x**0,
    "x**2.5": lambda x: x**2.5,
    "x**0.5": lambda x: x**0.5,
    "x**-1": lambda x: x**-1,
    "|x|**1.5": lambda x: jnp.abs(x) ** 1.5,
    "(x**2)**2.0": lambda x: (x**2) ** 2.0,
    "x * |x|": lambda x: x * jnp.abs(x),
    "square": jnp.square,
    "square root": jnp.sqrt,
    "square root of x**2": lambda x: jnp.sqrt(x * x),
    "cube root": jnp.cbrt,
    "logarithm": jnp.log,
    "x log x": lambda x: special.xlogy(x, x + 1),
    "division": lambda x: 1 / x,
    "where": lambda x: jnp.where(x > 0, x**3, x**2),
    "guarded square root": lambda x: jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0),
    "maximum at a tie": lambda x: jnp.maximum(x, 0.0),
    "maximum of two that are equal": lambda x: jnp.maximum(x**2, 2 * x),
    "minimum at a tie": lambda x: jnp.minimum(x, x**3),
    "clip": lambda x: jnp.clip(x, 0.0, 1.0),
    "clamp": lambda x: lax.clamp(0.0, x, 1.0),
    "sign": jnp.sign,
    "sinc": jnp.sinc,
    "hypot": lambda x: jnp.hypot(x, x),
    "arctan2": lambda x: jnp.arctan2(x, 1 + x),
    "largest of a stack": lambda x: jnp.max(jnp.stack([x, x**2, 0 * x])),
    "logsumexp": lambda x: nn.logsumexp(jnp.stack([x, x**2])),
    "gelu": nn.gelu,
    "remainder": lambda x: (x + 0.5) % 1.0,
}


@pytest.mark.parametrize("name", KINKS)
def test_at_zero_a_function_is_differentiated_as_by_nested_grad(name, agrees):
    """Of one coordinate: what the other does not reach stays zero, however steep the function is."""
    agrees(lambda p: KINKS[name](p[0]) * jnp.cos(p[1]), [[0.0, 0.3], [0.4, 0.0]], order=3 if "x" in name else 2)


COMPOSED = [
    "relu", "softplus", "mish", "absolute", "x**2.0", "x**3", "x**2.5", "x**0.0", "|x|**1.5", "square root", "where",
    "maximum of two that are equal", "clip", "hypot",
]  # fmt: skip


@pytest.mark.parametrize("name", COMPOSED)
def test_at_zero_a_composition_is_differentiated_as_by_nested_grad(name, agrees):
    agrees(lambda p: KINKS[name](p[0] * p[1] + p[0]), [[0.0, 0.0], [0.0, 0.3], [0.4, -1.0]], order=2)


VECTORS = {
    "norm": lambda p: jnp.linalg.norm(p),
    "norm to the third": lambda p: jnp.linalg.norm(p) ** 3,
    "normalised": lambda p: p / (1 + jnp.sum(p**2)),
    "roots of entries": lambda p: jnp.sum(jnp.sqrt(p)),
    "powers of entries": lambda p: jnp.prod(1 + p**2.5),
    "roots of rescaled entries": lambda p: jnp.sqrt((2 * p - 0.0) / 3.0) @ jnp.arange(1.0, 3.0),
    "unpacked": lambda p: (lambda x, y: jnp.sqrt(x) * jnp.cos(y))(*p),
    "split": lambda p: jnp.sqrt(jnp.split(p, 2)[0])[0] * p[1],
    "stacked again": lambda p: jnp.sqrt(jnp.stack([p[0], jnp.exp(p[1])])).sum(),
    "concatenated again": lambda p: jnp.sqrt(jnp.concatenate([p[:1], jnp.exp(p), p])[2:4]).sum(),
    "stacked and joined": lambda p: jnp.sqrt(jnp.concatenate([p[:1], jnp.stack([p[0], p[1]])])[1:]).sum(),
    "through a matrix": lambda p: jnp.sum(jnp.ones((3, 2)) @ jnp.sqrt(p)),
}


@pytest.mark.parametrize("name", VECTORS)
def test_a_vector_with_zeros_is_differentiated_as_by_nested_grad(name, agrees):
    agrees(VECTORS[name], [[0.0, 0.0], [0.0, 0.3], [0.4, 0.0]], order=2)


@pytest.mark.parametrize(
    "written",
    [
        lambda x: x**2.0,
        lambda x: x**3,
        lambda x: x**2.5,
        lambda x: x**0.0,
        abs,
        lambda x: pn.np.maximum(x, 0.0),
        lambda x: pn.np.clip(x, 0.0, 1.0),
        lambda x: pn.np.where(x > 0, x**3, x**2),
        lambda x: pn.np.norm(pn.np.stack([x, 2 * x])),
        pn.np.sqrt,
    ],
    ids=["2.0", "3", "2.5", "0.0", "abs", "maximum", "clip", "where", "norm", "sqrt"],
)
def test_expressions_at_zero_are_differentiated_as_by_nested_grad(written, same):
    x, y = pn.domain.rectangle((-1, 1), (-1, 1)).variable("interior", 3)
    e = written(x) * pn.np.exp(y)
    at = {x.points: jnp.array([[0.0, 0.5], [0.0, 0.0], [0.5, -0.5]])}
    same([e, e.d(x), e.dd(x), e.d(x, y), e.dd(y)], at)
