"""What `explain` says of the cost of a problem."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
import pytest

import pinnace as pn


def problem(n=400, **options):
    dom = pn.domain.interval(-1, 1).time(0, 1)
    x, t = dom.variable("interior", n)
    net = pn.nn(eqx.nn.MLP(2, "scalar", 16, 3, jnp.tanh, key=jax.random.key(0))).optimizer(optax.adam(1e-3))
    u = net(x, t)
    entries = [
        (u.d(t) + u * u.d(x) - 0.1 * u.dd(x)).mse.named("pde"),
        (u.at({t: 0.0}) + pn.np.sin(x)).mse.named("start"),
        net(u, t).mse.named("twice"),
        net(0.0, 0.0) ** 2,
    ]
    return pn.core(entries, **options)


def numbers(pattern, shown):
    return [float(number) for number in re.search(pattern, shown).groups()]


def test_fields_tell_streams_and_products():
    shown = problem().explain()
    (streams, most) = numbers(r"400 points, .*: (\d+) streams .*, (\d+) matrix products\n", shown)
    assert 3 <= streams <= 4 and 3 * 4 <= most <= 4 * 4
    # the value alone takes one product a layer, also where a field is inside another
    assert re.search(r"400 points, .*, moved by \.at: its value alone, 4 matrix products", shown)
    assert re.search(r"time\(0, 1\): its value alone, 4 matrix products", shown)
    assert re.search(r"at one point: its value alone, 4 matrix products", shown)
    products, forward = numbers(r"(\d+) matrix products; one forward pass of all fields has (\d+)", shown)
    assert forward == most + 12
    assert 2 * forward < products < 3.5 * forward


def test_batches_need_less_memory_and_more_products():
    whole, parts = problem(4000).explain(), problem(4000, microbatch=400).explain()
    peak = r"([\d.e+]+) MB at its peak: ([\d.e+]+) MB temporary, ([\d.e+]+) MB arguments, ([\d.e+]+) MB results"
    for shown in (whole, parts):
        total, *summands = numbers(peak, shown)
        assert total == pytest.approx(sum(summands), rel=0.02)
    assert numbers(peak, parts)[0] < 0.5 * numbers(peak, whole)[0]
    products = r"(\d+) matrix products; "
    assert numbers(products, parts)[0] > 8 * numbers(products, whole)[0]
    flops = r"([\d.e+]+) floating-point operations"
    assert numbers(flops, parts)[0] == pytest.approx(numbers(flops, whole)[0], rel=0.05)


def test_functionals_and_their_coefficients_are_told():
    x, t = pn.domain.interval(0, 1).time(0, 1).variable("interior", 50)
    net = pn.nn(eqx.nn.MLP(2, "scalar", 8, 2, key=jax.random.key(0))).optimizer(optax.adam(1e-3))
    u = net(x, t)
    shown = pn.core([(u.d(t) - 0.25 * pn.np.exp(x) * u.dd(x)).mse]).explain()
    assert "derivatives: value, x, [t - 0.25 ... xx]" in shown and "3 streams" in shown


def test_all_that_adapts_is_told_by_its_name():
    x = pn.domain.interval(0, 1).variable("interior", 16)
    y = pn.domain.interval(0, 1).variable("interior", 8)
    p = pn.parameter(1.0, name="p").optimizer(optax.adam(1)).scale(pn.LearningRateSchedule.exponential(1e-3, 0.9, 200))
    stays, moves = (p - x).named("stays"), (p - y**2).named("moves")
    losses = [(pn.fn.adaptive.rba(stays) * stays).mse.named("a"), moves.mse.named("b")]
    weights = pn.fn.adaptive.grad_norm(losses)
    entries = [w * loss for w, loss in zip(weights, losses, strict=True)]
    estimate = pn.np.laplacian(p * x**2, [x], estimator="hutchinson", samples=2)
    beside = [pn.fn.adaptive.rar_d(moves, every=50), p.tracker(every=10), weights[0].tracker()]
    shown = pn.core([*entries, estimate.mse, *beside], surgery=pn.surgery.config()).explain()
    assert "\n  grad_norm of a, b\n" in shown and "\n  rba of stays\n" in shown
    assert "points that move\n  8 points of interior of interval(0, 1), rar_d every 50 steps\n" in shown
    assert "surgery\n  config\n" in shown
    assert "estimated, drawn anew at each step\n  laplacian(p * x**2, [x], samples=2)\n" in shown
    assert "optimizers\n  p: ScaleByAdam, rate Exponential(lr0=0.001, decay_rate=0.9, " in shown
    assert "0 updates so far\n" in shown and "trackers\n  p, every 10 steps\n  w(a)\n" in shown
