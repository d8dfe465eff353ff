"""Expressions mean what is written: `.at`, fields of expressions, calculus and reductions, against nested jax.grad."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pinnace as pn
from pinnace import np as pnp
from pinnace.expr.kinds import BINARY, UNARY

pytestmark = pytest.mark.usefixtures("x64")


def field(inputs, outputs="scalar", seed=0, name=None):
    return pn.nn(eqx.nn.MLP(inputs, outputs, 5, 1, jnp.tanh, key=jax.random.key(seed)), name)


def test_derivatives_of_any_expression_to_any_order(square, same):
    x, y, points = square
    u, v = field(2)(x, y), field(2, seed=1)(x, y)
    e = u * v + pnp.sin(u * x) / (2 + v**2)
    same([e, e.d(x), e.d(x, y), e.dd(y), e.d(x, x, y), (u * e.d(x)).d(y).d(x), u.d(x, y, x, y)], points)
    assert e.d(x, y) is e.d(y).d(x)


def test_a_field_of_expressions_and_numbers(square, same):
    x, y, points = square
    periodic, plain, inner = field(3), field(2, seed=1), field(1, seed=2)
    u = periodic(pnp.cos(np.pi * x), pnp.sin(np.pi * x), y)
    v = plain(u, x)
    w = plain(0.5, y)
    one = inner(x * y)
    same([u, u.d(x, y), v.d(x), v.d(x, y), v.dd(y), w, w.d(y), w.dd(y), one.d(x, y)], points)
    same([plain(0, 1), plain(True, 2.0), inner(3)], points)


def test_a_field_of_a_vector(square, same):
    x, y, points = square
    point = pnp.stack([x, y, x * y])
    u = field(4)(point, y)
    same([u, u.d(x, y), u.dd(y)], points)


def test_a_module_that_wants_a_number_gets_an_array_of_that_shape(same, computed):
    class Scalar(eqx.Module):
        a: jax.Array

        def __call__(self, x):
            assert x.shape == () and jnp.issubdtype(x.dtype, jnp.floating)
            return self.a * x**3

    x = pn.domain.interval(0, 1).variable("interior", 4)
    net = pn.nn(Scalar(jnp.array(2.0)))
    points = {x.points: jnp.linspace(0.0, 1.0, 4)[:, None]}
    same([net(x).dd(x), net(2), net(x).at({x: 2}), net(0.5) * x], points)
    assert computed([net(2)], points)[0] == 16


def test_several_outputs_unpack(square, same):
    x, y, points = square
    net = field(2, 3)
    u, v, p = net(x, y)
    whole = net(x, y)
    same([u * v.d(x) + p.d(y), whole.d(x), whole[:2].d(y), whole[-1].dd(x)], points)


def test_at_numbers_expressions_and_nested(square, same):
    x, y, points = square
    u = field(2)(x, y)
    e = u * pnp.sin(x) + y
    same(
        [
            e.at({x: -1.0}),
            e.at({x: -1.0, y: 2}),
            e.at({x: y}),
            e.at({x: y, y: x}),
            e.at({x: x**2 + y}),
            e.at({x: pnp.sin(x)}).at({y: x * 2}),
            e.at({x: y}).at({y: 0.3}),
            e.at({x: u}),
        ],
        points,
    )


def test_at_with_derivatives_inside_and_outside(square, same):
    x, y, points = square
    u = field(2)(x, y)
    moved = u.at({x: x * y + pnp.sin(y)})
    inside = u.d(x).at({x: y**2})
    same(
        [
            u.d(x).at({x: -1.0}),
            u.d(x, y).at({x: -1.0}).d(y),
            u.at({x: -1.0}).d(y),
            u.at({x: -1.0}).dd(y),
            moved.d(x),
            moved.d(x, y),
            moved.dd(y),
            moved.d(x, y, y),
            inside.d(y),
            inside.dd(y),
            u.at({x: y, y: x}).d(x, x, y),
            u.at({x: u}).d(x),
            (u.at({x: y * 2}).d(y) * x).at({y: 0.5}).d(x),
            u.dd(x).at({x: y}).at({y: x**2}).d(x),
        ],
        points,
    )


def test_at_the_coordinates_of_another_point_set(square, same):
    x, y, points = square
    s, t = pn.domain.interval(0, 1).time(0, 1).variable("interior", 4)
    points[s.points] = jax.random.uniform(jax.random.key(9), (4, 2))
    u = field(2)(x, y)
    there = u.at({x: s, y: t})
    assert there.points is s.points
    same([there, u.d(x).at({x: s, y: t}), there.d(s), there.d(s, t), u.at({x: s * t, y: s}).d(s, s), u], points)
    same([(there - pnp.sin(s)).mse + u.at({x: 1.0}).mse], points)


def test_at_by_hand(square, computed, close):
    x, y, points = square
    e = x**3 * y**2
    xs, ys = points[x.points].T
    by_hand = {
        e.at({x: 2.0}): 8 * ys**2,
        e.at({x: 2.0}).d(y): 16 * ys,
        e.d(x).at({x: 2.0}): 12 * ys**2,
        e.at({x: y}).d(y): 5 * ys**4,
        e.d(x).at({x: y}): 3 * ys**4,
        e.at({x: x + y}).d(x, y): 6 * (xs + ys) * ys**2 + 6 * (xs + ys) ** 2 * ys,
        e.at({x: y, y: x}): ys**3 * xs**2,
        e.at({x: 2 * x}).at({x: 3 * x}): 216 * xs**3 * ys**2,
        e.at({x: 2, y: 3}): 72.0,
    }
    for got, wanted in zip(computed(list(by_hand), points), by_hand.values(), strict=True):
        close(got, wanted)


def test_an_ode_at_one_point(same):
    t = pn.domain.time(0, 2).variable("interior", 6)
    t0 = pn.domain.time(0, 2).variable("initial")
    points = {t.points: jnp.linspace(0.1, 1.9, 6)[:, None], t0.points: jnp.zeros((1, 1))}
    net = field(1, 2)
    q, p = net(t)
    start = net(t0)
    same(
        [q.d(t) - p, (p.d(t) + pnp.sin(q)).mse, start[0], q.d(t).at({t: 0.0}), (start - np.array([1.0, 0.0])).mse],
        points,
    )


def test_parameters_inside_derivatives(square, same):
    x, y, points = square
    nu, k = pn.parameter(0.3, positive=True), pn.parameter(1.2, bounds=(1, 2))
    a = pn.parameter([0.5, -0.7])
    u = field(2)(k * x, y / nu)
    same(
        [u.dd(x), (nu * u).d(y), a * u.d(x), (a[0] * x + a[1] * y).d(x), (x**k).d(x, x), pnp.dot(a, a), nu * k], points
    )


def test_calculus(square, same):
    x, y, points = square
    net = field(2, 2)
    u, (v, w) = field(2, seed=1)(x, y), net(x, y)
    whole = net(x, y)
    same(
        [
            pnp.laplacian(u, [x, y]),
            pnp.laplacian(whole, [x, y]),
            pnp.grad(u, [x, y]),
            pnp.grad(whole, [x, y]),
            pnp.hessian(u, [x, y]),
            pnp.hessian(whole, (y, x)),
            pnp.div([v, w], [x, y]),
            pnp.div(whole, [x, y]),
            pnp.div(pnp.grad(u, [x, y]), [x, y]) - pnp.laplacian(u, [x, y]),
            pnp.curl(whole, [x, y]),
            pnp.dot(pnp.grad(u, [x, y]), whole),
            pnp.hessian(u, [x, y]) @ whole,
        ],
        points,
    )


def test_calculus_by_hand(computed, close):
    x, y, z = pn.domain.box((0, 1), (0, 1), (0, 1)).variable("interior", 6)
    array = jax.random.uniform(jax.random.key(0), (6, 3))
    points = {x.points: array}
    a, b, c = array.T
    v = [x * y * z, x**2 * z, y**3]
    zero = jnp.zeros(6)
    by_hand = {
        pnp.div(v, [x, y, z]): b * c,
        pnp.curl(v, [x, y, z]): jnp.stack([3 * b**2 - a**2, a * b, 2 * a * c - a * c], axis=1),
        pnp.curl(pnp.grad(x * y**2 * z, [x, y, z]), [x, y, z]): jnp.zeros((6, 3)),
        pnp.curl([x * y**2, x**3 * z], [x, y]): 3 * a**2 * c - 2 * a * b,
        pnp.laplacian(x**2 * y * z**3, [x, y, z]): 2 * b * c**3 + 6 * a**2 * b * c,
        pnp.hessian(x**2 * y, [x, y]): jnp.stack([jnp.stack([2 * b, 2 * a], 1), jnp.stack([2 * a, zero], 1)], 1),
        pnp.cross(pnp.stack([x, y, z]), np.array([0.0, 0.0, 1.0])): jnp.stack([b, -a, zero], axis=1),
    }
    for got, wanted in zip(computed(list(by_hand), points), by_hand.values(), strict=True):
        close(got, wanted)


def test_any_jax_function_of_one_point(square, same, computed, close):
    x, y, points = square
    u = field(2)(x, y)
    inverse = pn.apply(lambda m, k: jnp.linalg.inv(m + k * jnp.eye(2)), pnp.hessian(u, [x, y]), 3.0)
    same(
        [pn.apply(jax.nn.gelu, u).dd(x), inverse, inverse.d(x), pn.apply(lambda a, b: jnp.stack([a * b, a]), x, 2)],
        points,
    )
    close(computed([pn.apply(lambda a: a.at[...].set(2 * a), 3)], points)[0], 6.0)


def test_functions_of_vectors(square, same):
    x, y, points = square
    net = field(2, 3)(x, y)
    rows = pnp.stack([net, 2 * net])
    same(
        [
            pnp.norm(net).d(x),
            pnp.sum(rows, axis=0).d(x),
            pnp.mean(rows).d(x),
            pnp.prod(net).d(x, y),
            pnp.concatenate([net, net[:1]]).d(y),
            pnp.transpose(rows).d(x),
            pnp.matmul(rows, net).d(x),
            rows @ net,
            np.ones((2, 3)) @ net,
            rows[:, 1].d(x),
            pnp.stack([x, 1.0, 2]).d(x),
            net * x + rows,
        ],
        points,
    )


def test_every_function_of_the_namespace_is_that_of_jax(square, same):
    x, y, points = square
    one = [getattr(pnp, name)(x if name != "arccosh" else 1 + x) for name in UNARY]
    two = [getattr(pnp, name)(x, y) for name in BINARY] + [getattr(pnp, name)(0.5, x) for name in BINARY]
    smooth = [e.d(x) for name, e in zip(UNARY, one, strict=True) if name not in ("isfinite", "isnan", "logical_not")]
    same(one + two + smooth, points)


def test_numbers_are_as_numpy_has_them(square, same):
    x, _, points = square
    e = np.float64(2.0) * x + np.float32(0.5) - np.array(3) + jnp.float32(2) * x ** np.int64(2) + 2 % x
    same([e, e.d(x), np.sin(x) * np.array([1.0, 2.0]), x**True], points)


def test_reductions_as_scalars_inside_residuals(square, same):
    x, y, points = square
    u = field(2)(x, y)
    centred = (u - u.mean) / (u.max - (-u).max)
    same(
        [centred, centred.d(x), centred.mse, (u.mse * u.d(x)).mean, (u - u.at({x: 0.0}).mean).mse, u.mean * u.sum],
        points,
    )
    same([(u - u.mean).at({x: 0.0}), (u.mean * x).at({x: 2.0})], points)


def test_reductions_of_vectors(square, same):
    x, y, points = square
    v = field(2, 3)(x, y) + np.array([0.0, 2.0, -3.0])
    same([v.mse, v.mae, v.mean, v.sum, v.max, v.huber(0.5), v.huber(2), pn.parameter([1.0, 2.0]).mse], points)


def test_weights_a_point_a_component_and_for_all(square, same):
    x, y, points = square
    v = field(2, 3)(x, y)
    one, five = np.array([1.0, 2.0, 3.0]), pn.parameter([1.0, 2.0])
    same([v.weighted(x), v.weighted(one), v.weighted(2.0), v.weighted(v**2), x.weighted(one), x.weighted(v)], points)
    same([five.weighted(x), five.weighted(3.0), five.weighted(np.array([1.0, 2.0])), x.weighted(five.mean)], points)


def test_as_many_components_as_points_are_not_confused(same):
    x, y = pn.domain.rectangle((-1, 1), (0, 2)).variable("interior", 3)
    points = {x.points: jax.random.uniform(jax.random.key(1), (3, 2))}
    v, one = field(2, 3)(x, y), np.array([1.0, 20.0, 300.0])
    same(
        [v.weighted(x), v.weighted(one), x.weighted(one), v * x, v * one, x * one, pnp.stack([v, v * x]) + one], points
    )


def test_names_change_nothing(square, computed):
    x, y, points = square
    u = field(2)(x, y)
    plain = (u.d(x) * u).mse
    named = (u.named("v").d(x).named("slope") * u).named("product").mse.named("loss")
    a, b = computed([plain, named], points)
    assert a == b


def test_conditions_have_no_slope(square, same, computed):
    x, y, points = square
    u = field(2)(x, y)
    same(
        [pnp.where(u > 0, u**2, -u).d(x), pnp.sign(u).d(x), pnp.where((x < y) & ~(u > y) | (y >= u), x, y).d(x)], points
    )
    assert not computed([(u > 0).d(x)], points)[0].any()
