"""What modules are made of beside layers: control flow, indexing, custom rules, and what has no rule of its own."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax, nn
from jax.scipy import special

from pinnace._errors import LoweringError

pytestmark = pytest.mark.usefixtures("x64")


@jax.custom_jvp
def doubled(x):
    """A function whose rule says twice its slope."""
    return jnp.sin(x)


doubled.defjvp(lambda primals, tangents: (doubled(*primals), 2 * jnp.cos(primals[0]) * tangents[0]))


@jax.custom_jvp
def mixing(v):
    """A function of a vector that mixes its entries."""
    return jnp.cumsum(v**2)


@mixing.defjvp
def _mixing(primals, tangents):
    return mixing(*primals), jnp.cumsum(2 * primals[0] * tangents[0])


@jax.custom_jvp
def product(x, y):
    """A function of two arguments."""
    return x * y


product.defjvp(lambda primals, tangents: (product(*primals), primals[0] * tangents[1] + primals[1] * tangents[0]))


@jax.custom_vjp
def honest(x):
    """A reverse rule that agrees with what is inside."""
    return jnp.sin(x) * x


honest.defvjp(lambda x: (honest(x), x), lambda x, g: (g * (jnp.cos(x) * x + jnp.sin(x)),))

WEIGHTS = np.random.default_rng(0).normal(size=(3, 4, 4))


def scanned(p):
    """Carries that come to move at the second turn only, sliced inputs that move, and reverse."""

    def turn(carry, x):
        still, moving = carry
        return (moving + x * p[1], jnp.sin(moving)), still * x

    (a, b), ys = lax.scan(turn, (jnp.zeros(()), p[0] ** 2), jnp.stack([p[0], p[1], p[0] * p[1]]), reverse=True)
    return a + b + jnp.sum(ys**2)


def branched(p):
    return lax.cond(p[0] > 0, lambda p: p[0] ** 3 * p[1], lambda p: jnp.sin(p[1]), p)


def one_branch(p):
    """A condition that is the same at all points, whose branches have different derivatives."""
    return lax.cond(WEIGHTS[0, 0, 0] > 0, lambda p: p[0] ** 3, lambda p: jnp.sin(p[1]) * p[0], p)


def switched(p):
    return lax.switch(jnp.int32(1), [lambda p: p[0], lambda p: p[0] * jnp.exp(p[1]), lambda p: 0.0], p)


def while_loop(p):
    return lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, jnp.sin(c[1]) * p[1]), (0, p[0]))[1]


def solved(p):
    return jnp.linalg.solve(jnp.diag(jnp.array([2.0, 3.0])) + jnp.outer(p, p), p)[0]


FUNCTIONS = {
    "scan": scanned,
    "scan over weights": lambda p: lax.scan(lambda h, w: (jnp.tanh(w @ h), None), jnp.tile(p, 2), WEIGHTS)[0].sum(),
    "fori loop": lambda p: lax.fori_loop(0, 3, lambda k, h: jnp.sin(h) * p[1] + k, p[0]),
    "cond at each point": branched,
    "cond": one_branch,
    "switch": switched,
    "remat": jax.checkpoint(lambda p: jnp.sin(p[0] * p[1]) ** 2 * p[0]),
    "jit": jax.jit(lambda p: jnp.sin(p[0] * p[1]) ** 2),
    "custom_jvp": lambda p: doubled(p[0] * p[1]) * p[0],
    "custom_jvp of a vector": lambda p: mixing(p * p[0])[1],
    "custom_jvp of two arguments": lambda p: product(p[0] ** 2, jnp.sin(p[1])),
    "stop_gradient": lambda p: p[0] ** 2 * lax.stop_gradient(p[0] * p[1]) + p[1],
    "gather": lambda p: p[jnp.array([1, 0, 1])].prod(),
    "dynamic slice": lambda p: lax.dynamic_slice(jnp.concatenate([p**2, jnp.sin(p)]), (jnp.int32(1),), (2,)).prod(),
    "dynamic update slice": lambda p: lax.dynamic_update_slice(jnp.sin(p * jnp.ones(2)), p[:1] ** 2, (1,)).prod(),
    "scatter": lambda p: jnp.zeros(3).at[1].set(p[0] ** 2).at[2].add(p[1] * p[0])[jnp.array([1, 2])].prod(),
    "scatter multiply": lambda p: jnp.ones(2).at[0].multiply(p[0] ** 2)[0] * p[1],
    "cumsum": lambda p: jnp.cumsum(jnp.tile(p, 2) ** 2) @ jnp.arange(4.0),
    "cumprod": lambda p: jnp.cumprod(jnp.stack([p[0], p[1], p[0]]))[-1],
    "cumulative maximum": lambda p: lax.cummax(jnp.stack([p[0], p[1], p[0] * p[1]])) @ jnp.arange(3.0),
    "product": lambda p: jnp.prod(jnp.stack([p[0], jnp.sin(p[1]), p[0] + p[1]])),
    "logsumexp": lambda p: nn.logsumexp(jnp.stack([p[0], p[1] ** 2, p[0] * p[1]])),
    "softmax": lambda p: nn.softmax(jnp.stack([p[0], p[1] ** 2, 0.0]))[1],
    "log softmax": lambda p: nn.log_softmax(jnp.stack([p[0], p[1] ** 2, 0.0]))[0],
    "sort": lambda p: jnp.sort(jnp.stack([jnp.sin(p[0]), p[1], p[0] * p[1]])) @ jnp.arange(3.0) * p[0],
    "argsort": lambda p: (p**2)[jnp.argsort(p)][0],
    "median": lambda p: jnp.median(jnp.stack([p[0] ** 2, p[1], p[0]])),
    "division": lambda p: (p[0] ** 2 + 1) / (p[1] ** 2 + p[0] ** 2 + 1) / (2 + jnp.sin(p[1])) + 3 / (1 + p[0] ** 2),
    "powers": lambda p: (
        p[0] ** 3 / (2 + p[1]) ** 2 + 2.0 ** p[1] + (1 + p[0] ** 2) ** 0.3 + p[1] ** -1 + (p[0] ** 2) ** p[1]
    ),
    "a power of an array": lambda p: jnp.sum((p**2 + 1) ** jnp.array([0.5, 3.0])),
    "roots": lambda p: jnp.sqrt(1 + p[1] ** 2) * jnp.cbrt(1 + p[0] ** 2) * lax.rsqrt(2 + p[0] ** 2),
    "larger and smaller": lambda p: jnp.maximum(p[0] ** 2, p[1]) + jnp.minimum(p[0], 0.0) * p[1],
    "clip": lambda p: jnp.clip(p[1], -0.5, 0.5) * p[0] + jnp.clip(p[0] * p[1], -1.0, p[1] ** 2),
    "where": lambda p: jnp.where(p[0] > p[1], p[0] ** 3 * p[1], jnp.sin(p[1])),
    "maximum over entries": lambda p: jnp.max(jnp.stack([p[0], p[1], p[0] * p[1]])) ** 2 + jnp.min(p),
    "trigonometry": lambda p: jnp.tan(p[0] / 9) * jnp.cos(p[1]) + jnp.arctan2(p[0], 2 + p[1] ** 2) + jnp.sinc(p[0]),
    "inverse functions": lambda p: (
        jnp.arcsin(p[0] / 9)
        + jnp.arccos(p[1] / 9) * p[0]
        + jnp.arctan(p[0])
        + jnp.arctanh(p[0] / 9)
        + jnp.arcsinh(p[1])
        + jnp.arccosh(2 + p[0] ** 2)
    ),
    "hyperbolic functions": lambda p: jnp.sinh(p[0]) * jnp.cosh(p[1]) + jnp.tanh(p[0] * p[1]),
    "exponentials": lambda p: jnp.exp2(p[0]) * jnp.expm1(p[1]) + jnp.logaddexp(p[0], p[1]),
    "logarithms": lambda p: jnp.log1p(p[0] ** 2) * jnp.log(2 + p[1] ** 2) + jnp.log2(3 + p[0] ** 2),
    "error functions": lambda p: special.erf(p[0]) * special.erfc(p[1]) + special.erfinv(p[0] / 9),
    "gamma": lambda p: special.gammaln(3 + p[0] ** 2) + special.digamma(2 + p[1] ** 2),
    "bessel": lambda p: special.i0e(p[0]) * p[1],
    "norm": lambda p: jnp.linalg.norm(p) ** 3 + jnp.hypot(p[0], p[1]),
    "einsum": lambda p: jnp.einsum("i,ij,j->", p**2, WEIGHTS[0, :2, :2], jnp.sin(p)),
    "matrix product of two that move": lambda p: (jnp.outer(p, p) @ jnp.sin(jnp.outer(p, p**2)))[0, 1],
    "reshapes": lambda p: (
        jnp.tile(p, (3, 1)).T.reshape(3, 2)[::-1].swapaxes(0, 1)[None].squeeze(0)[1] @ jnp.arange(3.0)
    ),
    "pad and roll": lambda p: jnp.roll(jnp.pad(p**2, (1, 2), constant_values=3.0), 2) @ jnp.arange(5.0) ** 2,
    "flip, repeat, split": lambda p: jnp.split(jnp.repeat(jnp.flip(p), 2), 2)[0] @ jnp.sin(p),
    "complex numbers": lambda p: jnp.abs(jnp.fft.fft(jnp.stack([p[0], p[1], p[0] * p[1], 1.0])))[1],
    "complex exponential": lambda p: jnp.real(jnp.exp(1j * p[0]) * (p[1] + 2j) ** 2),
    "mixed precision": lambda p: jnp.sin(p.astype(jnp.float64) * 2).sum() * p[0],
    "steps": lambda p: jnp.sign(p[0]) * p[1] ** 2 + jnp.floor(p[1]) * p[0] + (p[0] % 0.7) ** 2,
    "a vector": lambda p: jnp.stack([p[0] * p[1], jnp.sin(p[0]), 1.0]),
    "a constant": lambda p: jnp.ones(3),
    "a coordinate": lambda p: p[1],
    "linear": lambda p: 3 * p[1] - p[0],
}


def points(count=3):
    return jax.random.normal(jax.random.key(2), (count, 2)) + 0.05


TO_THIRD_ORDER = {
    "scan", "cond at each point", "remat", "custom_jvp", "custom_jvp of two arguments", "stop_gradient", "gather",
    "logsumexp", "softmax", "division", "powers", "roots", "clip", "where", "trigonometry", "hyperbolic functions",
    "exponentials", "logarithms", "error functions", "norm", "matrix product of two that move", "linear",
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_its_mixed_derivatives(name, agrees):
    agrees(FUNCTIONS[name], points(), order=3 if name in TO_THIRD_ORDER else 2, reverse=1)


LINEAR_ALGEBRA = {
    "solve": solved,
    "inverse": lambda p: jnp.linalg.inv(jnp.eye(2) * 3 + jnp.outer(p, p))[0, 1],
    "determinant": lambda p: jnp.linalg.det(jnp.eye(2) + jnp.outer(p, jnp.sin(p))),
    "cholesky": lambda p: jnp.linalg.cholesky(jnp.eye(2) + jnp.outer(p, p))[1, 0],
    "eigenvalues": lambda p: jnp.linalg.eigvalsh(jnp.outer(p, p) + jnp.diag(jnp.array([1.0, 4.0])))[0],
}


@pytest.mark.parametrize("name", LINEAR_ALGEBRA)
def test_linear_algebra_has_its_derivatives_through_the_fallback(name, agrees):
    agrees(LINEAR_ALGEBRA[name], points(2), order=2)


def test_a_while_loop_has_its_derivatives(agrees):
    def unrolled(p):
        return functools.reduce(lambda h, _: jnp.sin(h) * p[1], range(3), p[0])

    agrees(while_loop, points(), order=3, reference=unrolled)


def test_a_custom_vjp_has_the_derivatives_of_its_honest_rule(agrees):
    agrees(lambda p: honest(p[0] * p[1]), points(), order=3)


def test_a_custom_vjp_is_differentiated_from_inside(agrees):
    @jax.custom_vjp
    def other(x):
        return x**3

    other.defvjp(lambda x: (other(x), x), lambda x, g: (0 * g,))
    agrees(lambda p: other(p[0]), points(), order=2, reference=lambda p: p[0] ** 3)


def test_a_primitive_without_a_derivative_is_named(agrees):
    def unknown(p):
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct((), p.dtype), p[0], vmap_method="sequential")

    with pytest.raises(LoweringError, match="pure_callback"):
        agrees(unknown, points(), order=1)


def test_what_the_coordinates_do_not_reach_may_be_anything(agrees):
    @functools.partial(jax.jit, static_argnums=1)
    def called(p, count):
        spread = jax.pure_callback(lambda: np.float64(count), jax.ShapeDtypeStruct((), p.dtype))
        return p[0] ** 2 * spread

    agrees(lambda p: called(p, 3) if p.ndim else p, points(), order=2)
