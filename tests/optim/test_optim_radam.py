"""RAdam against its formula in NumPy, step by step, and against optax's."""

import math
from decimal import Decimal, localcontext

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace import LearningRateSchedule as lrs

STEPS = 40


def length(b2, t):
    """rho_t by the textbook formula, in 60 digits."""
    with localcontext() as digits:
        digits.prec = 60
        b = Decimal(b2)
        return float(2 / (1 - b) - 1 - 2 * t * b**t / (1 - b**t))


def reference(params, gradients, lr, betas, eps, decay, norm, value, threshold):
    """The parameters after each step."""
    b1, b2 = betas
    longest = 2 / (1 - b2) - 1
    m = [np.zeros_like(p) for p in params]
    v = [np.zeros_like(p) for p in params]
    found = []
    for t, raw in enumerate(gradients, start=1):
        total = math.sqrt(sum(float(np.sum(g**2)) for g in raw))
        clipped = [g * norm / total if norm is not None and total >= norm else g for g in raw]
        clipped = [np.clip(g, -value, value) if value is not None else g for g in clipped]
        g_all = [g + decay * p for g, p in zip(clipped, params, strict=True)]
        rho = length(b2, t)
        params = list(params)
        for k, g in enumerate(g_all):
            m[k] = b1 * m[k] + (1 - b1) * g
            v[k] = b2 * v[k] + (1 - b2) * g**2
            update = m[k] / -math.expm1(t * math.log(b1))
            if rho > threshold:
                r = math.sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho))
                update = r * update / (np.sqrt(v[k] / -math.expm1(t * math.log(b2))) + eps)
            params[k] = params[k] - lr(t - 1) * update
        found.append(params)
    return found


def walked(tx, params, gradients, under=jax.jit):
    state, step, found = tx.init(params), under(tx.update), []
    for g in gradients:
        updates, state = step(g, state, params)
        params = optax.apply_updates(params, updates)
        found.append(params)
    return found


@pytest.fixture
def walk():
    random = np.random.default_rng(3)
    params = [random.standard_normal((3, 2)), random.standard_normal(4), np.array(0.7)]
    scales = 10.0 ** random.uniform(-6, 3, STEPS)
    gradients = [[s * random.standard_normal(p.shape) for p in params] for s in scales]
    gradients[7] = [np.zeros_like(p) for p in params]
    return params, gradients


OPTIONS = [
    {},
    {"lr": 0.1},
    {"betas": (0.8, 0.99)},
    {"betas": (0.9, 0.9999), "eps": 1e-3},
    {"betas": (0.5, 0.7)},
    {"betas": (0.5, 0.5)},
    {"weight_decay": 0.03},
    {"grad_clip_norm": 0.5},
    {"grad_clip_value": 1e-2},
    {"threshold": 5.0},
    {"threshold": 20.0},
    {"lr": 0.3, "weight_decay": 0.1, "grad_clip_norm": 2.0, "grad_clip_value": 0.3, "eps": 1e-4, "threshold": 5.0},
]
DEFAULTS = {
    "lr": 1e-3,
    "betas": (0.9, 0.999),
    "eps": 1e-8,
    "weight_decay": 0.0,
    "grad_clip_norm": None,
    "grad_clip_value": None,
    "threshold": 4.0,
}


def by_hand(params, gradients, options):
    given = DEFAULTS | options
    lr = given["lr"] if callable(given["lr"]) else lambda t: given["lr"]
    rest = [given[name] for name in ("betas", "eps", "weight_decay", "grad_clip_norm", "grad_clip_value", "threshold")]
    return reference(params, gradients, lr, *rest)


@pytest.mark.parametrize("options", OPTIONS)
def test_every_step_equals_the_formula(options, walk, x64):
    params, gradients = walk
    expected = by_hand(params, gradients, options)
    for ours, theirs in zip(walked(pn.optim.radam(**options), params, gradients), expected, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("options", OPTIONS)
def test_updates_equal_the_formula_in_float32(options, walk):
    params, gradients = walk
    zeros = [np.zeros_like(p) for p in params] if "weight_decay" not in options else params
    expected = by_hand(zeros, gradients, options)
    got = walked(pn.optim.radam(**options), [np.float32(p) for p in zeros], jax.tree.map(np.float32, gradients))
    for ours, theirs in zip(got, expected, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert a.dtype == np.float32
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6 * max(1, np.abs(b).max()))


def test_updates_of_single_steps_equal_the_formula(walk, x64):
    """From zero parameters, so that nothing hides behind their size."""
    params, gradients = walk
    zeros = [np.zeros_like(p) for p in params]
    before = zeros
    ours = walked(pn.optim.radam(), zeros, gradients)
    for after, expected in zip(ours, by_hand(zeros, gradients, {}), strict=True):
        for a, b, old in zip(after, expected, before, strict=True):
            np.testing.assert_allclose(a - old, b - old, rtol=1e-11, atol=1e-15)
        before = expected


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.8, 0.99), (0.9, 0.9)])
def test_equal_to_optax_at_threshold_five(betas, walk, x64):
    params, gradients = walk
    ours = walked(pn.optim.radam(1e-2, betas, threshold=5.0), params, gradients)
    theirs = walked(optax.radam(1e-2, *betas), params, gradients)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def first_rectified(b2, threshold):
    """With gradients of one size the plain update is 1, and a rectified one is not."""
    tx = pn.optim.radam(1.0, (0.0, b2), eps=0.0, threshold=threshold)
    points = walked(tx, jnp.zeros(()), [jnp.full((), 5.0)] * 12)
    sizes = -np.diff([0.0, *map(float, points)])
    return 1 + int(np.argmax(np.abs(sizes - 5.0) > 1e-3))


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("b2", [0.99, 0.999, 0.9999, 0.99999, 0.999999])
def test_the_first_rectified_step(b2, wide):
    with jax.enable_x64(wide):
        assert first_rectified(b2, 4.0) == 5
        assert first_rectified(b2, 5.0) == 6


def test_the_threshold_is_exceeded_strictly(x64):
    # at b2 = 0.5 the lengths tend to 3; the fourth at b2 = 0.9 is 3.72, the fifth 4.54
    assert [first_rectified(0.9, c) for c in (4.0, length(0.9, 5) * (1 - 1e-12), length(0.9, 5) * (1 + 1e-12))] == [
        5,
        5,
        6,
    ]
    assert first_rectified(0.5, 4.0) == 1, "never: argmax of nothing"


@pytest.mark.parametrize("b2", [0.5, 0.9, 0.999, 0.9999, 0.999999])
def test_long_runs_in_float32_keep_the_length(b2):
    """At step t with equal gradients the update is r_t: compared in 60 digits."""
    tx = pn.optim.radam(1.0, (0.0, b2), eps=0.0)
    longest = 2 / (1 - b2) - 1
    for t in (6, 50, 599, 601, 3000, 100_000):
        adam, rate = tx.init(jnp.ones(()))
        full = jnp.float32(-math.expm1(t * math.log(b2)))
        before = adam._replace(count=jnp.int32(t - 1), nu=(full - (1 - b2)) / b2)
        update = -float(tx.update(jnp.ones(()), (before, rate))[0])
        rho = length(b2, t)
        r = math.sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho)) if rho > 4 else 1.0
        assert update == pytest.approx(r, rel=2e-4)


@pytest.mark.parametrize(
    "lr",
    [
        lrs.exponential(0.1, 0.5, 10),
        optax.exponential_decay(0.1, 10, 0.5),
        lambda count: 0.1 * 0.5 ** (count / 10),
        lrs(lambda epoch, state: (state, state * 0.5**0.1), state=0.1),
    ],
)
def test_rates_are_schedules_of_the_count(lr, walk, x64):
    params, gradients = walk
    expected = by_hand(params, gradients, {"lr": lambda t: 0.1 * 0.5 ** (t / 10)})
    for ours, theirs in zip(walked(pn.optim.radam(lr), params, gradients), expected, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-11)


def test_in_scan_and_vmap_and_with_hyperparameters_as_arrays(x64):
    tx = optax.inject_hyperparams(pn.optim.radam)(lr=0.1, weight_decay=0.01, threshold=5.0)
    plain = pn.optim.radam(0.1, weight_decay=0.01, threshold=5.0)

    def run(tx, start):
        def one(carry, _):
            p, state = carry
            updates, state = tx.update(2 * p, state, p)
            return (p + updates, state), p

        return jax.lax.scan(one, (start, tx.init(start)), None, length=20)[1]

    starts = jnp.asarray([[1.0, 2.0], [3.0, -4.0]])
    np.testing.assert_allclose(jax.vmap(lambda p: run(tx, p))(starts)[1], run(plain, starts[1]), rtol=1e-12)


def test_narrow_parameters_and_missing_ones_stay_as_they_are():
    tx = pn.optim.radam(1e-2, grad_clip_norm=1.0, grad_clip_value=0.5)
    params = {"a": jnp.ones(3, jnp.bfloat16), "b": None, "c": (jnp.ones((), jnp.float32),)}
    updates, state = jax.jit(tx.update)(params, tx.init(params))
    assert jax.tree.structure(updates) == jax.tree.structure(params)
    assert [leaf.dtype for leaf in jax.tree.leaves(updates)] == [jnp.bfloat16, jnp.float32]
    assert all(
        a.dtype == b.dtype for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(tx.init(params)), strict=True)
    )


def test_no_nan_on_the_way(walk):
    """Not even in a branch that is not used."""
    params, gradients = walk
    with jax.debug_nans(True):
        walked(pn.optim.radam(), [np.float32(p) for p in params], jax.tree.map(np.float32, gradients[:8]), lambda f: f)


def test_networks_train_by_a_number_and_under_scale():
    x = pn.domain.interval(0, 1).variable("interior", 32)
    for tx, rate in [(pn.optim.radam(1e-2), None), (pn.optim.radam(1.0), lrs.warmup(lrs.cosine(100, 1e-2), 10))]:
        net = pn.nn(eqx.nn.MLP(1, "scalar", 8, 1, jnp.tanh, key=jax.random.key(0))).optimizer(tx)
        if rate is not None:
            net.scale(rate)
        history = pn.core([(net(x) - x**2).mse.named("fit")]).solve(60).history["fit"]
        assert history[-1] < 0.5 * history[0]


def test_the_step_is_the_formula(x64):
    p = pn.parameter(2.0, name="p").optimizer(pn.optim.radam(1.0, weight_decay=0.1)).scale(lrs.step(0.1, 5, 0.5))
    run = pn.core([p**2]).solve(12)
    value, moved = np.array(2.0), []
    gradients = []
    for t in range(12):
        moved.append(value**2)
        gradients.append([2 * value])
        value = reference(
            [np.array(2.0)], gradients, lambda t: 0.1 * 0.5 ** (t // 5), (0.9, 0.999), 1e-8, 0.1, None, None, 4.0
        )[-1][0]
    np.testing.assert_allclose(run.history["total"], moved, rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"lr": lrs(lambda epoch, losses: losses[0])}, r"\.scale\(schedule\)"),
        ({"lr": pn.fn.adaptive.dlrs()}, "reads losses"),
        ({"lr": "1e-3"}, "number"),
        ({"lr": math.nan}, "finite"),
        ({"betas": 0.9}, "two numbers"),
        ({"betas": (0.9,)}, "two numbers"),
        ({"betas": (0.9, 1.0)}, "below 1"),
        ({"betas": (-0.1, 0.9)}, "from 0"),
        ({"eps": -1e-8}, "eps"),
        ({"weight_decay": -1}, "weight_decay"),
        ({"grad_clip_norm": 0}, "above 0"),
        ({"grad_clip_value": math.inf}, "finite"),
        ({"grad_clip_value": True}, "number"),
        ({"threshold": 3}, "at least 4"),
    ],
)
def test_wrong_numbers_are_errors(options, told):
    with pytest.raises(pn.PinnaceError, match=told):
        pn.optim.radam(**options)
