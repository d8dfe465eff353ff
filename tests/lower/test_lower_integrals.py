"""Integrals: against closed forms, and against sums written by hand that JAX differentiates."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace.lower import quadrature
from pinnace.lower.evaluate import evaluate
from pinnace.lower.given import Given
from pinnace.lower.require import require

pytestmark = pytest.mark.usefixtures("x64")


def mlp(inputs, outputs="scalar", seed=0, width=6):
    return eqx.nn.MLP(inputs, outputs, width, 2, jnp.tanh, key=jax.random.key(seed))


@pytest.fixture
def line():
    """x, t on five points, one of them with x = 0, and symbols s and r: (x, t, s, r, {point set: points})."""
    x, t = pn.domain.interval(-1, 2).time(0, 1).variable("interior", 5)
    points = jnp.stack([jnp.array([-0.8, 0.0, 0.3, 1.1, 1.9]), jnp.linspace(0.1, 0.9, 5)], axis=1)
    return x, t, pn.symbol("s"), pn.symbol("r"), {x.points: points}


@pytest.fixture
def quickly(computed):
    """The values of expressions, compiled together."""

    def compute(exprs, points):
        sets = list(points)
        found = jax.jit(
            lambda arrays: computed(exprs, dict(zip(sets, arrays, strict=True))),
            compiler_options={"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True},
        )
        return found([points[there] for there in sets])

    return compute


def test_closed_forms(line, quickly, close):
    x, t, s, r, points = line
    X, T = np.asarray(points[x.points]).T
    exp, sin, integral = pn.np.exp, pn.np.sin, pn.integral
    known = {
        integral(s**5 - 3 * s**2 + 1, s, -1, 2): 4.5,
        integral(7 * s**2, s, 0, 1, n=2): 7 / 3,
        integral(exp(s), s, 0, 1): np.e - 1,
        integral(exp(x * s) * s, s, 0, 2): [(np.exp(2 * x) * (2 * x - 1) + 1) / x**2 if x else 2.0 for x in X],
        integral(s**3, s, 0, x): X**4 / 4,
        integral(s**3, s, x, 0): -(X**4) / 4,
        integral(exp(s - x), s, x, x + t**2): np.exp(T**2) - 1,
        integral(sin(s), s, x, x): 0 * X,
        integral(sin(s), s, 2, 2): 0.0,
        integral(x**2 * t, x, -1, 2): 3 * T,
        integral(x**2 * t, x, 0, x): T * X**3 / 3,
        integral(x * s + t, s, 0, 1): X / 2 + T,
        integral(s * r, over={s: (0, 1), r: (0, s)}): 1 / 8,
        integral(s * r, over={r: (0, s), s: (0, 1)}): 1 / 8,
        integral(integral(x * s * r, r, s, x), s, 0, x): X**5 / 8,
        integral(s * integral(s**2, s, 0, 1), s, 0, 1): 1 / 6,
        integral(integral(x * s, s, 0, 1).at({x: s}), s, 0, 1): 1 / 4,
        integral(2.0, s, 0, x): 2 * X,
        integral(s * pn.np.stack([x, t, x * s]), s, 0, 1): np.stack([X / 2, T / 2, X / 3], axis=1),
        integral(x**2 * t, over={x: (0, 1), t: (0, x)}): 1 / 10,
    }
    for expr, got, wanted in zip(known, quickly(list(known), points), known.values(), strict=True):
        assert got.shape == np.shape(wanted), expr
        close(got, wanted, expr, 1e-13)


def test_values_and_derivatives_are_those_of_the_sum(line, same):
    x, t, s, r, points = line
    net, vector = pn.nn(mlp(2)), pn.nn(mlp(1, 2, 1))
    two = vector(s)
    volterra = pn.integral(pn.np.cos(x - s) * net(s, t) ** 2, s, t, x)
    fredholm = pn.integral(pn.np.exp(x * s) * net(s, x), s, 0, 1)
    own = pn.integral(net(x, t).dd(x) * x, x, -1, 2)
    nested = pn.integral(net(s, x) * pn.integral(two[0] * net(r, s), r, s, x), s, 0, x)
    both = x * net(s, t) ** 2
    inside = pn.integral(x * net(s, t).dd(s) + net(s, t).d(t) * two[1].d(s) + both.d(s) + 2 * both.d(t), s, 0, x)
    mixed = pn.integral(pn.np.sin(x * s * net(x, s)).d(s, x), s, 0, t)
    same(
        [
            *(volterra, volterra.d(x, t), volterra.d(t) + 2 * volterra.dd(x), fredholm.dd(x), own.d(t)),
            *(nested, nested.d(x), inside.d(x), mixed.d(x), pn.integral(x * two, s, 0, x).d(x)),
            *(volterra.at({x: t**2}).d(t), pn.integral(volterra.at({x: s}), s, 0, x), net(volterra, x).d(x)),
        ],
        points,
        1e-10,
    )


def test_leibniz_gives_what_stands_under_the_integral(line, quickly, close):
    x, t, s, _, points = line
    net = pn.nn(mlp(2))
    pairs = [
        (pn.integral(net(s, t), s, 0, x).d(x), net(x, t)),
        (pn.integral((x - s) * net(s, t), s, 0, x).dd(x), net(x, t)),
        (pn.integral(net(x, t), x, 0, x).d(x), net(x, t)),
        (pn.integral(net(s, t), s, x, t).d(t), net(t, t) + pn.integral(net(s, t).d(t), s, x, t)),
        (pn.integral((x * net(s, t)).d(s), s, 0, x), x * (net(x, t) - net(0.0, t))),
    ]
    found = iter(quickly([side for pair in pairs for side in pair], points))
    for pair in pairs:
        close(next(found), next(found), pair, 1e-13)


def test_gradients_by_parameters_are_those_of_a_sum_by_hand(line, close):
    x, t, s, _, points = line
    net, k = pn.nn(mlp(2)), pn.parameter(0.7)
    loss = (pn.integral(pn.np.exp(k * x * s) * net(s, t), s, k, x).d(x) - 1).mse
    plan = require([loss])
    X, T = points[x.points].T
    nodes, weights = np.polynomial.legendre.leggauss(50)

    def ours(module, number):
        return evaluate(plan, Given({net: module, k.data[0]: lambda: number}, points, lambda *_: None))[0]

    def by_hand(module, number):
        def value(x, t):
            at = (number + x) / 2 + (x - number) / 2 * nodes
            values = jax.vmap(lambda s: jnp.exp(number * x * s) * module(jnp.stack([s, t])))(at)
            return (x - number) / 2 * jnp.sum(weights * values)

        return jnp.mean((jax.vmap(jax.grad(value))(X, T) - 1) ** 2)

    arguments = net.module, jnp.array(0.7)
    parts = [eqx.filter_jit(eqx.filter_grad(lambda both, f=f: f(*both)))(arguments) for f in (ours, by_hand)]
    for got, wanted in zip(*map(jax.tree.leaves, parts), strict=True):
        close(got, wanted, tolerance=1e-11)


def test_over_domains_and_over_the_points_of_an_expression(quickly, close):
    square, disk = pn.domain.rectangle((0, 2), (0, 1)), pn.domain.disk((1, 0.5), 0.5)
    x, y, t = square.time(0, 3).variable("interior", 6)
    xb, _ = square.variable("boundary", 4)
    points = {
        x.points: jnp.array(np.random.default_rng(0).uniform(0, 1, (6, 3))),
        xb.points: jnp.array([[0.0, 0.5], [2.0, 0.5], [1.0, 0.0], [1.0, 1.0]]),
    }
    X, Y, T = np.asarray(points[x.points]).T
    exact = {
        pn.integral(x * y**2 * t, over=square): 2 / 3 * T,
        pn.integral(x * y**2 * t, over=square.time(0, 2)): 4 / 3,
        pn.integral(x * t, over=square): 2 * T,
        pn.integral(x * t, over=pn.domain.time(0, 2)): 2 * X,
        pn.integral(1, over=square.tag("edge", lambda x, y: x < 1)): 2.0,
        pn.integral(3 * x * y * t): 6 * np.mean(3 * X * Y * T),
        pn.integral(xb): 6.0,
    }
    known = {
        pn.integral(x * y**2 * t, over=disk): 5 * np.pi / 64 * T,
        pn.integral(x * y**2 * t, over=(square - disk).time(0, 2), n=8192): 4 / 3 - 5 * np.pi / 32,
        pn.integral(y, over=disk): np.pi / 8,
    }
    found = iter(quickly([*exact, *known], points))
    for expr, wanted in exact.items():
        close(next(found), wanted, expr, 1e-13)
    for expr, wanted in known.items():
        close(next(found), wanted, expr, 1e-3)


def test_a_mean_over_points_that_are_gathered_is_no_integral():
    x = pn.domain.interval(0, 1).variable("interior", 8)
    u = pn.nn(mlp(1)).optimizer(optax.adam(1e-3))(x)
    gathered = pn.fn.adaptive.rad(u.named("r"), every=10)
    told = r"`integral\(u\*\*2\)` is the measure of the region.*rad gathers them where `r` is large"
    for entries in ([pn.integral(u**2), gathered], [u.mse, pn.integral(u**2).tracker(), gathered]):
        with pytest.raises(pn.PinnaceError, match=told):
            pn.core(entries)
    pn.core([u.mse, pn.integral(u**2, x, 0, 1).tracker(), gathered])


def rows_of_products(jaxpr, width):
    """The rows of all matrix products into so many columns, in loops as often as these turn."""
    found = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            found += equation.outvars[0].aval.size // width if width in equation.outvars[0].aval.shape else 0
            continue
        turns = equation.params["length"] if equation.primitive.name == "scan" else 1
        inner = [value for value in equation.params.values() if hasattr(value, "eqns") or hasattr(value, "jaxpr")]
        found += turns * sum(rows_of_products(getattr(one, "jaxpr", one), width) for one in inner)
    return found


@pytest.mark.parametrize("room", [1 << 16, 64])
def test_a_network_of_the_symbol_alone_is_evaluated_at_the_nodes_alone(monkeypatch, room):
    monkeypatch.setattr(quadrature, "ROOM", room)
    x = pn.domain.interval(0, 1).variable("interior", 50)
    s, net = pn.symbol("s"), pn.nn(mlp(1, width=7))
    points = {x.points: jnp.linspace(0, 1, 50)[:, None]}

    def rows(*exprs):
        plan = require(exprs)
        closed = jax.make_jaxpr(lambda: evaluate(plan, Given({net: net.module}, points, lambda *_: None)))()
        return rows_of_products(closed.jaxpr, 7)

    kernel = pn.np.exp(x * s)
    assert rows(pn.integral(kernel * net(s), s, 0, 1)) == 2 * 32
    assert rows(pn.integral(kernel * net(s), s, 0, 1, n=11)) == 2 * 11
    assert rows(pn.integral(net(s), s, 0, 1), pn.integral(net(s), s, 0, 1).mse) == 2 * 32
    assert rows(pn.integral(kernel * net(s), s, 0, 1).d(x)) == 2 * 2 * 32
    assert rows(pn.integral(kernel * net(s), s, 0, x)) == 2 * 32 * 50


def test_in_turns_as_at_once(line, monkeypatch, close):
    x, t, s, r, points = line
    net = pn.nn(mlp(2))
    arrays, static = eqx.partition(net.module, eqx.is_array)
    loss = (pn.integral(net(s, t) * pn.integral(net(x, r), r, 0, s), s, 0, x) + pn.integral(net(s, 1), s, 0, 2)).mse
    plan = require([loss])

    def ours(arrays):
        module = eqx.combine(arrays, static)
        return evaluate(plan, Given({net: module}, points, lambda *_: None))[0]

    def found():
        return jax.jit(jax.value_and_grad(lambda arrays: ours(arrays)))(arrays)

    whole = found()
    monkeypatch.setattr(quadrature, "ROOM", 60)
    assert "scan" in str(jax.make_jaxpr(ours)(arrays))
    for got, wanted in zip(*map(jax.tree.leaves, (found(), whole)), strict=True):
        close(got, wanted, tolerance=1e-12)


@pytest.fixture(scope="module")
def problem():
    """A problem with integrals in every place that has a rule of its own, and what it is made of."""

    def build(**how):
        x, t = pn.domain.interval(0, 2).time(0, 1).variable("interior", 23)
        s, net = pn.symbol("s"), pn.nn(mlp(2)).optimizer(optax.adam(1e-3))
        u = net(x, t)
        memory = pn.integral(pn.np.cos(x - s) * net(s, t), s, 0, x)
        mass = pn.integral(u, x, 0, 2)
        pde = (u.d(t) - u.dd(x) + memory.d(x)).mse.named("pde")
        entries = [pde, (mass - t).mse.named("mass"), (pn.integral(net(s, 0), s, 0, 2) - 1) ** 2]
        weights = pn.fn.adaptive.ntk(entries[:2]) if how.pop("balanced", False) else (1.0, 1.0)
        losses = [weights[0] * entries[0], weights[1] * entries[1], entries[2]]
        return pn.core([*losses, memory.mse.tracker("memory")], **how), (x, t, s, net, memory, mass)

    return build


@pytest.fixture(scope="module")
def whole(problem):
    with jax.enable_x64(True):
        crux, parts = problem()
        return crux, crux.solve(1, progress=False).history, *parts


def test_a_step_in_batches_and_under_a_balancer(problem, whole, close):
    crux, _ = problem(microbatch=7, balanced=True)
    history = crux.solve(1, progress=False).history
    for name in ("pde", "mass", "memory"):
        close(history[name], whole[1][name], name, 1e-12)


def test_eval_looks_at_integrals_at_given_points(whole, close):
    crux, _, x, t, s, net, memory, mass = whole
    nodes, weights = np.polynomial.legendre.leggauss(50)
    module = jax.jit(jax.vmap(lambda s, t: net.module(jnp.stack([s, t])), (0, None)))

    def value(x, t):
        at = x * (nodes + 1) / 2
        return x / 2 * weights @ (np.cos(x - at) * module(at, t))

    xs, ts = np.array([[0.0], [1.5]]), np.array([0.2, 0.6])
    wanted = [[value(float(a), b) for b in ts] for a in xs[:, 0]]
    close(crux.eval(memory, {x: xs, t: ts}), wanted, tolerance=1e-12)
    total = weights @ module(nodes + 1, 0.3)
    close(crux.eval(mass, {t: 0.3}), total, tolerance=1e-12)
    close(crux.eval(pn.integral(net(s, 0.3), s, 0, 2)), total, tolerance=1e-12)
    close(crux.eval(pn.integral(net(x, t), over={x: (0, 2), t: (0, s)}), {s: [0.0, 0.0]}), [0, 0])
    close(crux.eval(net(s, 0.3), {s: [0.5]}), module(jnp.array([0.5]), 0.3))


def test_check_and_explain_see_through_integrals(whole):
    crux, _, *_ = whole
    report = crux.check(points=4)
    assert report.ok
    assert "d(integral(cos(x - s) * u(s, t), s, 0, x), x)" in repr(report)
    assert "23 x 2" in crux.explain()
    assert "one point, 32 nodes of an integral: its value alone" in crux.explain()
    assert "interior of interval(0, 2) x time(0, 1), 32 nodes of an integral" in crux.explain()


def test_the_integral_that_is_not_finite_is_named():
    x = pn.domain.interval(1, 2).variable("interior", 4)
    s, net = pn.symbol("s"), pn.nn(mlp(1)).optimizer(optax.adam(1e-3))
    crux = pn.core([(net(x) - x * pn.integral(x * net(s) * pn.np.sqrt(s - 2), s, 0, x)).mse.named("bad")])
    run = crux.solve(1, progress=False)
    assert "`integral(sqrt(s - 2), s, 0, x)` is nan at 4 of 4 points" in run.message


def test_normals_and_weights_of_points_stay_under_an_integral_over_a_symbol(computed, close):
    xb = pn.domain.interval(0, 2).variable("boundary")
    s = pn.symbol("s")
    points = {xb.points: jnp.array([[0.0], [2.0]])}
    (found,) = computed([pn.integral(pn.normal(xb) * s * xb, s, 0, 1)], points)
    close(found, [0, 1])


def test_a_symbol_without_a_value_is_told(whole):
    crux, _, x, t, s, net, *_ = whole
    how = r"depends on the symbol s, which has no points: integrate over it, `pn.integral\(.*, s, 0, 1\)`, or put"
    for entry in (net(s, 0).mse, (net(x, t) * net(s, t)).mean, net(s, t), pn.integral(s * net(s, t).mse, s, 0, 1)):
        with pytest.raises(pn.PinnaceError, match=how):
            pn.core([entry])
    with pytest.raises(pn.PinnaceError, match=how):
        pn.core([net(x, t).mse, net(s, t).tracker()])
    with pytest.raises(pn.PinnaceError, match=how):
        crux.eval(net(x, s))
    with pytest.raises(pn.PinnaceError, match="estimate inside an integral"):
        laplacian = pn.np.laplacian(net(s, x), [s, x], estimator="hutchinson")
        pn.core([pn.integral(laplacian, s, 0, 1).mse]).solve(1, progress=False)
