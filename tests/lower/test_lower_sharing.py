"""Everything is computed once, however many losses use it; and expressions may be thousands deep."""

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
import pytest

import pinnace as pn
from pinnace.expr import nodes
from pinnace.lower import lower

pytestmark = pytest.mark.usefixtures("x64")


class Counting(eqx.Module):
    """A network that counts how often it is called."""

    mlp: eqx.nn.MLP
    calls: list = eqx.field(static=True)

    def __init__(self, inputs, outputs="scalar"):
        self.mlp = eqx.nn.MLP(inputs, outputs, 8, 2, jnp.tanh, key=jax.random.key(0))
        self.calls = []

    def __call__(self, point):
        self.calls.append(point.shape)
        return self.mlp(point)


def field(module):
    return pn.nn(module).optimizer(optax.adam(1e-3))


def equations(closed):
    """How many equations a jaxpr has, inner ones included."""
    return sum(
        1 + sum(equations(inner) for inner in eqn.params.values() if isinstance(inner, jax.extend.core.ClosedJaxpr))
        for eqn in closed.jaxpr.eqns
    )


def program_of(entries, points):
    program = lower(entries).program

    def total(params):
        values = program.evaluate((*program.entries, *program.losses), program.given(params, points, lambda *_: None))
        return sum(values[: len(program.entries)])

    params = [eqx.partition(thing.module, eqx.is_array)[0] for thing in program.trainables]
    return jax.make_jaxpr(total)(params)


def test_one_propagation_serves_all_losses_and_derivatives(square):
    x, y, points = square
    module = Counting(2, 3)
    u, v, p = field(module)(x, y)
    losses = [
        (u * u.d(x) + v * u.d(y) + p.d(x) - 0.1 * (u.dd(x) + u.dd(y))).mse.named("x"),
        (u * v.d(x) + v * v.d(y) + p.d(y) - 0.1 * (v.dd(x) + v.dd(y))).mse.named("y"),
        (u.d(x) + v.d(y)).mse.named("mass"),
        u.d(x, x, y).mae,
    ]
    module.calls.clear()
    program_of([*losses, 2.0 * losses[0], (u.d(x)).tracker(), p.mean.tracker()], [points[x.points]])
    assert module.calls == [(2,)]


def test_another_point_set_or_another_place_is_another_propagation(square):
    x, y, points = square
    s, t = pn.domain.rectangle((-1, 1), (0, 2)).variable("boundary", 4)
    module = Counting(2)
    net = field(module)
    u = net(x, y)
    entries = [u.d(x).mse, net(s, t).mse, (u.at({x: 0.0}) + u.at({x: 0.0}).d(y)).mse, net(y, x).mse]
    module.calls.clear()
    program_of(entries, [points[x.points], jnp.ones((4, 2))])
    # the interior, the boundary, x = 0 with its derivative along y, the coordinates exchanged
    assert len(module.calls) == 4


def test_a_field_at_numbers_is_evaluated_once_whoever_uses_it(square):
    x, y, points = square
    s, _ = pn.domain.rectangle((-1, 1), (0, 2)).variable("boundary", 4)
    module = Counting(2)
    corner = field(module)(0.0, 1.0)
    module.calls.clear()
    entries = [(x - corner).mse, (s * corner).mse, (corner * y * x).at({x: 0.5}).mse, corner]
    program_of(entries, [points[x.points], jnp.ones((4, 2))])
    assert module.calls == [(2,)]


def test_a_second_derivative_costs_a_few_equations_more_and_no_propagation(square):
    x, y, points = square
    u = field(Counting(2))(x, y)
    array = [points[x.points]]
    value, first, second, both = (
        equations(program_of([e.mse], array)) for e in (u, u.d(x), u.dd(x), u.d(x) * u.dd(x) + u)
    )
    assert value < first < second <= both <= second + 8


def test_derivatives_that_nobody_asks_for_are_not_computed(square):
    x, y, points = square
    u = field(Counting(2))(x, y)
    array = [points[x.points]]
    alone = equations(program_of([u.dd(x).mse], array))
    assert equations(program_of([u.dd(x).mse, u.mse], array)) <= alone + 6
    assert equations(program_of([u.d(x, y).mse], array)) < equations(program_of([(u.d(x, y) + u.dd(x)).mse], array))


def test_equal_expressions_are_computed_once(square):
    x, y, points = square
    u = field(Counting(2))(x, y)
    once = equations(program_of([(jnp_free(u, x)).mse], [points[x.points]]))
    twice = equations(program_of([(jnp_free(u, x)).mse + (jnp_free(u, x)).mse], [points[x.points]]))
    assert twice == once + 1


def jnp_free(u, x):
    return pn.np.sin(u * x).d(x) * pn.np.exp(u)


def test_a_sum_of_two_thousand_terms_is_lowered(square, computed, close):
    x, y, points = square
    total = x
    for k in range(2000):
        total = total + (0.001 * k) * y
    value, slope, loss = computed([total, total.d(y), total.mse], points)
    xs, ys = points[x.points].T
    close(value, xs + 0.001 * sum(range(2000)) * ys)
    close(slope, 0.001 * sum(range(2000)))
    close(loss, jnp.mean(value**2))


def test_two_thousand_nested_functions_are_lowered(square, computed, close):
    x, y, points = square
    deep = x * y
    for _ in range(2000):
        deep = pn.np.sin(deep) + y
    crux_like = lower([deep.mse, (1e-3 * deep).named("deep").mse]).program
    assert len(list(nodes(crux_like.entries))) > 4000
    value, slope = computed([deep, deep.d(x)], points)
    xs, ys = points[x.points].T
    expected, along = xs * ys, ys
    for _ in range(2000):
        expected, along = jnp.sin(expected) + ys, jnp.cos(expected) * along
    close(value, expected)
    close(slope, along)


def test_what_is_used_again_and_again_is_lowered_and_written_in_little_time(square, computed):
    x, y, points = square
    e = x
    for _ in range(40):
        e = e * (1 - e) + e * y / 3
    (value, slope) = computed([e, e.d(x)], points)
    assert jnp.isfinite(value).all() and jnp.isfinite(slope).all()
    assert len(str(e)) < 1_000_000 and len(e._repr_latex_()) < 1_000_000
    assert lower([e.mse]).program.loss_names == ("loss0",)


def test_many_factors_of_a_least_squares_entry_are_read_without_recursion(square):
    x, y, points = square
    factor = x.mean
    for _ in range(3000):
        factor = factor + 1.0
    program = lower([factor * (x - y).mse]).program
    given = program.given([], [points[x.points]], lambda *_: None)
    assert program.residuals(given).shape == (5,)
