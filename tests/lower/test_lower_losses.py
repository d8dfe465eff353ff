"""Entries: which losses they are made of, what these are called, residual vectors, and the mistakes that are told."""

import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace import PinnaceWarning
from pinnace._errors import LoweringError
from pinnace.lower import lower


@pytest.fixture
def problem(x64):
    """x, y, a field u of two outputs with an optimizer, and points."""
    x, y = pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 4)
    net = pn.nn(eqx.nn.MLP(2, 2, 4, 1, jnp.tanh, key=jax.random.key(0))).optimizer(optax.adam(1e-3))
    return x, y, net(x, y), jax.random.uniform(jax.random.key(1), (4, 2))


def given(program, points):
    params = [eqx.partition(thing.module, eqx.is_array)[0] for thing in program.trainables]
    return program.given(params, [points], lambda cell, losses: jnp.arange(2.0, 2.0 + len(losses)))


def test_the_squares_of_the_residual_vector_sum_up_to_the_total(problem, close):
    x, y, u, points = problem
    a, b = u.mse.named("a"), (u[0] - x).weighted(x).named("b")
    wa, wb = pn.fn.adaptive.rlw([a, b])
    nu = pn.parameter(0.3, positive=True).freeze()
    entries = [
        wa * a,
        b * wb / 3,
        2 * (wa * (0.5 * a) + nu * u.d(x).mse),
        u.weighted(np.array([1.0, 7.0])) + u.weighted(y) + x.weighted(u**2) + u.weighted(2.0),
        nu.mse,
        (1 + u.mean**2) * (u - u.mean).mse,
    ]
    program = lower(entries).program
    at = given(program, points)
    rows = program.residuals(at)
    assert rows.shape == (8 + 4 + 8 + 8 + 8 + 8 + 8 + 8 + 1 + 8,)
    close(jnp.sum(rows**2), sum(program.evaluate(program.entries, at)), tolerance=1e-12)


@pytest.mark.parametrize(
    ("entry", "guilty"),
    [
        (lambda u, x: u.mae, "u.mae"),
        (lambda u, x: u.mse - x.mse, "-"),
        (lambda u, x: 2 * u.huber(1.0) + u.mse, "u.huber(1.0)"),
        (lambda u, x: pn.np.sqrt(u.mse), "sqrt"),
        (lambda u, x: (u.mse + x.mean).named("sum"), "x.mean"),
    ],
)
def test_least_squares_of_what_is_no_sum_of_squares_name_the_entry(entry, guilty, problem):
    x, _, u, points = problem
    program = lower([entry(u, x)]).program
    with pytest.raises(LoweringError, match="least squares") as told:
        program.residuals(given(program, points))
    assert guilty in str(told.value) and ".mse" in str(told.value)


def test_losses_are_named_in_order_of_first_use(problem):
    x, y, u, _ = problem
    pde, bc, ic = u.d(x).mse, (u - 1).mse.named("bc"), u.mse
    w_pde, w_bc = pn.fn.adaptive.rlw([pde, bc])
    program = lower([w_bc * bc + 3 * ic, w_pde * pde, bc, (y.mse + x.mse).named("both")]).program
    assert program.loss_names == ("loss0", "bc", "loss1", "both")
    assert program.losses[0] is pde and program.losses[2] is ic


def test_a_loss_that_has_a_name_somewhere_has_it_everywhere(problem):
    x, _, u, _ = problem
    assert lower([u.mse, 2 * u.mse.named("data"), x.mse]).program.loss_names == ("data", "loss0")


def test_programs_of_the_same_expressions_are_equal_whatever_the_numbers_of_their_balancers(problem):
    x, _, u, _ = problem

    def made(temperature):
        a, b = u.mse.named("a"), x.mse.named("b")
        wa, wb = pn.fn.adaptive.dwa([a, b], temperature=temperature)
        return lower([wa * a, wb * b, wa.tracker()]).program

    assert made(1.0) == made(2.0) and hash(made(1.0)) == hash(made(2.0))
    assert made(1.0) != lower([u.mse, x.mse]).program


def test_trackers_are_named_and_numbered(problem):
    x, _, u, _ = problem
    a, b = u.mse.named("a"), x.mse
    wa, wb = pn.fn.adaptive.rlw([a, b])
    trackers = [
        wa.tracker(), wb.tracker(), wa.tracker(), (2 * wa).tracker(), u.mean.tracker("m"), u.mean.tracker(every=2),
        u.mean.tracker(every=3), u.d(x).tracker(),
    ]  # fmt: skip
    names = [tracker.name for tracker in lower([wa * a + wb * b, *trackers]).program.trackers]
    assert names == ["w(a)", "w(loss0)", "2 * w(a)", "m", "u.mean", "u.mean 2", "d(u, x)"]


def mistakes():
    def weights(u, x):
        return pn.fn.adaptive.rlw([u.mse.named("a"), x.mse])

    return {
        "a residual": (lambda u, x: [u.d(x)], ["`d(u, x)`", "each of 4 points", "must be a scalar", "(d(u, x)).mse"]),
        "a vector": (lambda u, x: [pn.parameter([1.0, 2.0], "v") * 2], ["`v * 2`", "shape (2,)", ".mse"]),
        "a weight": (lambda u, x: [weights(u, x)[0]], ["`w(a)`", "weight alone", "w(a) * a", ".tracker()"]),
        "no list": (lambda u, x: u.mse, ["a list", "core([pde, bc])", "`u.mse`"]),
        "no loss": (lambda u, x: [u.mean.tracker()], ["at least one loss"]),
        "nothing": (lambda u, x: [], ["at least one loss"]),
        "a number": (lambda u, x: [u.mse, 1.0], ["scalar expression, a tracker", "1.0"]),
        "a field": (lambda u, x: [u.data[0]], ["Net u", "called on coordinates"]),
        "one name for two": (
            lambda u, x: [u.mse.named("a"), x.mse.named("a")],
            ['"a"', "`u.mse`", "`x.mse`", ".named("],
        ),
        "the name of the total": (lambda u, x: [u.mse.named("total")], ['"total"', ".named("]),
        "a tracker with a taken name": (lambda u, x: [u.mse.named("a"), u.mean.tracker("a")], ['"a"', ".tracker("]),
        "the name of a rate": (lambda u, x: [u.mse, u.mean.tracker("lr(u)")], ['"lr(u)"', ".tracker("]),
        "one name for two unknowns": (
            lambda u, x: [(pn.parameter(1.0, "nu") * pn.parameter(2.0, "nu") * u).mse],
            ['"nu"', "name="],
        ),
        "a field without optimizer": (
            lambda u, x: [pn.nn(eqx.nn.Linear(1, 1, key=jax.random.key(0)), "v")(x).mse],
            ["`v`", "no optimizer", ".optimizer(", ".freeze()"],
        ),
        "a parameter without optimizer": (lambda u, x: [(u * pn.parameter(1.0, "nu")).mse], ["`nu`", ".optimizer("]),
    }


@pytest.mark.parametrize("name", mistakes())
def test_a_mistake_is_told_in_the_notation_of_the_user(name, problem):
    x, _, u, _ = problem
    entries, words = mistakes()[name]
    written = entries(u, x)
    with pytest.raises(LoweringError) as told:
        lower(written)
    for word in words:
        assert word in str(told.value), str(told.value)


def test_names_that_were_given_come_before_those_that_were_not(problem):
    x, y, u, _ = problem
    other = pn.nn(eqx.nn.Linear(2, 1, key=jax.random.key(0)), "u").freeze()
    program = lower([u.mse, other(x, y).mse, (pn.parameter(1.0).freeze() * pn.parameter(1.0).freeze()).mse]).program
    assert program.names == ("u2", "u", "p", "p2")


def test_a_weight_that_is_not_used_is_one_warning(problem):
    x, _, u, _ = problem
    a, b = u.mse.named("a"), x.mse.named("b")
    wa, wb = pn.fn.adaptive.rlw([a, b])
    with pytest.warns(PinnaceWarning, match=r"w\(b\)`? is not used") as told:
        lower([wa * a + b, wb.tracker()])
    assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lower([wa * a + wb * b])


def test_frozen_fields_and_trackers_need_no_optimizer(problem):
    x, y, u, _ = problem
    frozen = pn.nn(eqx.nn.Linear(2, 1, key=jax.random.key(0))).freeze()
    watched = pn.nn(eqx.nn.Linear(2, 1, key=jax.random.key(0)))
    lower([(u[0] - frozen(x, y)).mse, watched(x, y).mean.tracker()])


def test_a_while_loop_around_parameters_is_told(problem):
    class Settling(eqx.Module):
        a: jax.Array

        def __call__(self, point):
            return jax.lax.while_loop(lambda z: jnp.sum(z) < 3.0, lambda z: z * self.a, 1 + point[0])

    x, y, _, points = problem
    net = pn.nn(Settling(jnp.array(1.5)), "settling").optimizer(optax.adam(1e-3))
    program = lower([net(x, y).mse]).program
    params = [eqx.partition(thing.module, eqx.is_array)[0] for thing in program.trainables]

    def total(params):
        return program.evaluate(program.entries, program.given(params, [points], lambda *_: None))[0]

    with pytest.raises(LoweringError, match=r"settling.*while.*scan"):
        jax.jit(total)(params)


def test_a_normal_is_known_on_the_boundary_only(computed):
    x, y = pn.domain.disk().variable("boundary", 4)
    nx, _ = pn.normal(x, y)
    points = {x.points: jnp.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])}
    assert np.allclose(computed([nx * x], points)[0], [1, 0, 1, 0])
    with pytest.raises(LoweringError, match="cannot be differentiated"):
        computed([(nx * x).d(x)], points)
