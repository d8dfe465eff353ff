"""Balancers of gradients and traces, move by move, against their papers' formulas written once more in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnace import balance
from pinnace._errors import BalanceError

STEPS, SIZE = 30, 11


# ---------------------------------------------------------------- the formulas, in NumPy


def norm(g):
    top = np.abs(g).max(axis=-1, keepdims=True)
    unit = np.where(top > 0, g / np.where(top > 0, top, 1), 0)
    return np.maximum(top[..., 0] * np.sqrt((unit * unit).sum(axis=-1)), 1e-30)


def averaged(target):
    def start(m, ema=0.9, low=1e-4, high=1e4, **numbers):
        def move(t, x, g, w):
            return ema * w + (1 - ema) * np.clip(target(g, **numbers), low, high)

        return move

    return start


def lra_target(g, reference=0):
    goal = np.maximum(np.abs(g).max(axis=1), 1e-30)[reference]
    return goal / np.maximum(np.abs(g).mean(axis=1), 1e-30)


def ntk_target(g):
    traces = np.maximum((g * g).sum(axis=1), 1e-30)
    return traces.mean() / traces


def learned(m, alpha=1.5, lr=0.025, low=1e-4, high=1e4):
    first, second, memory = np.zeros(m), np.zeros(m), {}

    def move(t, x, g, w):
        nonlocal first, second
        start = memory.setdefault("first", x)
        q = np.minimum(np.maximum(np.abs(x), 1e-30) / np.maximum(np.abs(start), 1e-30), 1e12)
        n = norm(g)
        slope = n * np.sign(w * n - (w * n).mean() * (q / q.mean()) ** alpha)
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        step = first / (1 - 0.9 ** (t + 1)) / (np.sqrt(second / (1 - 0.999 ** (t + 1))) + 1e-8)
        w = np.maximum(w - lr * step, low)
        return m * w / w.sum()

    return move


FORMULAS = {
    "grad_norm": averaged(lambda g: norm(g).mean() / norm(g)),
    "lra": averaged(lra_target),
    "ntk": averaged(ntk_target),
    "gradnorm": learned,
}


def seen(mode, x, past):
    if mode == "minmax":
        past.append(x)
        low, high = np.min(past, axis=0), np.max(past, axis=0)
        return np.where(high > low, np.maximum((x - low) / np.where(high > low, high - low, 1), 1e-3), 1)
    if mode == "l2":
        return x / np.abs(x).max() / np.linalg.norm(x / np.abs(x).max())
    return x


def reference(name, losses, grads, mode="raw", every=100, **numbers):
    low, high = numbers.get("min_weight", 1e-4), numbers.get("max_weight", 1e4)
    numbers = {key: value for key, value in numbers.items() if not key.endswith("weight")}
    move = FORMULAS[name](losses.shape[1], low=low, high=high, **numbers)
    w, t, past, rows = np.ones(losses.shape[1]), 0, [], []
    for i, (x, g) in enumerate(zip(losses, grads, strict=True)):
        if i % every == 0 and np.isfinite(x).all() and np.isfinite(g).all():
            w = np.clip(move(t, seen(mode, x, past), g, w), low, high)
            if name == "lra":
                w[numbers.get("reference", 0)] = 1
            t += 1
        rows.append(w)
    return np.array(rows)


# ---------------------------------------------------------------- what is compared


def tree(g):
    """A vector as a network's gradient: leaves of several shapes, and one that is not trained."""
    return {"layer": (g[:6].reshape(2, 3), None), "bias": g[6:10], "scale": g[10]}


def measured(balancer, grads):
    if "traces" in balancer.reads:
        return {"traces": jnp.sum(grads**2, axis=1)}
    return {"grads": [tree(g) for g in grads]}


@jax.jit
def weights_of(balancer, losses, grads):
    def step(state, row):
        x, g = row
        # What the step does between moves.
        g = jnp.where(balancer.due(state), g, 0)
        w, state = balancer.update(x, state, **measured(balancer, g))
        return state, w

    return jax.lax.scan(step, balancer.init(losses.shape[1], dtype=losses.dtype), (losses, grads))[1]


def agree(name, losses, grads, **numbers):
    got = np.asarray(weights_of(balance.by_name(name, **numbers), jnp.asarray(losses), jnp.asarray(grads)))
    assert got.dtype == np.float64
    assert np.isfinite(got).all()
    assert (got >= 0).all()
    np.testing.assert_allclose(got, reference(name, losses, grads, **numbers), rtol=1e-11, atol=0)
    return got


def sequences(m, seed=0):
    """Losses [steps, m] and gradients [steps, m, size] by name."""
    rng = np.random.default_rng(seed)
    x = np.exp(np.cumsum(rng.normal(0, 0.3, (STEPS, m)), axis=0))
    g = rng.normal(0, 1, (STEPS, m, SIZE)) * np.exp(rng.normal(0, 2, (m, 1)))
    wide = 10.0 ** np.clip(np.cumsum(rng.normal(0, 3, (STEPS, m, 1)), axis=0), -10, 10)
    one_dead, broken_g, broken_x = g.copy(), g.copy(), x.copy()
    one_dead[7, 0], one_dead[21] = 0, 0
    broken_g[0, 0, 3], broken_g[7, m - 1, 0], broken_g[14:17, 0, 10] = np.nan, np.inf, -np.inf
    broken_x[0, 0], broken_x[7, m - 1], broken_x[20] = np.nan, np.inf, np.nan
    mixed = 10.0 ** rng.choice([-30, 0, 30], (STEPS, m, 1))
    return {
        "ordinary": (x, g),
        "twenty orders": (wide[..., 0] * x, wide * g),
        "both signs": (x * rng.choice([-1.0, 1.0], x.shape), g),
        "zero losses": (0 * x, g),
        "zero gradients": (x, 0 * g),
        "one gradient vanishes": (x, one_dead),
        "equal": (np.full_like(x, 0.3), np.broadcast_to(g[:, :1], g.shape)),
        "tiny": (1e-30 * x, 1e-30 * g),
        "huge": (1e29 * x, 1e29 * g),
        "sixty orders": (x, mixed * g / np.abs(g).max(axis=2, keepdims=True)),
        "not finite gradients": (x, broken_g),
        "not finite losses": (broken_x, g),
        "never finite": (x, np.full_like(g, np.nan)),
    }


KINDS = [
    ("grad_norm", {}),
    ("grad_norm", {"ema": 0.0}),
    ("grad_norm", {"ema": 0.5, "min_weight": 0.5, "max_weight": 1.5}),
    ("lra", {}),
    ("lra", {"reference": 2, "ema": 0.3}),
    ("lra", {"min_weight": 2.0, "max_weight": 3.0}),
    ("ntk", {}),
    ("ntk", {"ema": 0.2}),
    ("gradnorm", {}),
    ("gradnorm", {"alpha": 0.0, "lr": 0.3}),
    ("gradnorm", {"alpha": 3.0, "lr": 1.5, "min_weight": 0.1}),
]
kinds = pytest.mark.parametrize(("name", "numbers"), KINDS)


@kinds
def test_weights_equal_the_formula(x64, name, numbers):
    for losses, grads in sequences(4).values():
        for every in (1, 7):
            agree(name, losses, grads, every=every, **numbers)


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("m", [1, 50])
def test_weights_equal_the_formula_for_one_and_for_many(x64, name, m):
    for losses, grads in sequences(m, seed=m).values():
        agree(name, losses, grads, every=1)


@pytest.mark.parametrize("mode", ["minmax", "l2"])
@pytest.mark.parametrize("name", FORMULAS)
def test_weights_equal_the_formula_in_every_mode(x64, name, mode):
    for kind, (losses, grads) in sequences(3, seed=3).items():
        if kind != "zero losses":
            agree(name, losses, grads, every=7, mode=mode)


@pytest.mark.parametrize("name", FORMULAS)
@settings(max_examples=40)
@given(data=st.data())
def test_weights_equal_the_formula_for_adversarial_gradients(name, data):
    value = st.sampled_from([0.0, 1e-30, 1e-9, 0.7, 1.0, 3.1, -2.3, 1e9, 1e30, -1e30, np.nan, np.inf])
    rows = np.array(data.draw(st.lists(st.tuples(value, value, value), min_size=6, max_size=6)))
    losses = np.array(data.draw(st.lists(st.tuples(value, value, value), min_size=6, max_size=6)))
    grads = rows[:, :, None] * np.random.default_rng(0).uniform(0.1, 1, (3, SIZE))
    with jax.enable_x64(True):
        agree(name, losses, grads, every=data.draw(st.sampled_from([1, 2])))


@kinds
def test_float32_weights_are_finite_and_follow_the_formula(name, numbers):
    for kind, (losses, grads) in sequences(4, seed=5).items():
        balancer = balance.by_name(name, **({"every": 1} | numbers))
        got = weights_of(balancer, jnp.float32(losses), jnp.float32(grads))
        assert got.dtype == jnp.float32
        assert bool(jnp.isfinite(got).all()), kind
        assert bool((got >= 0).all()), kind
        if kind in ("ordinary", "huge", "one gradient vanishes", "not finite losses") and name in ("grad_norm", "lra"):
            np.testing.assert_allclose(got, reference(name, losses, grads, every=1, **numbers), rtol=1e-4)


def test_gradnorm_moves_in_float32_where_squares_do_not_exist():
    """With its second moment as a square, 1e30 would stop it for ever."""
    balancer, state = balance.gradnorm(), balance.gradnorm().init(2)
    for scale in (1e30, 1e30, 1.0, 1e-30, 1.0):
        before = state.weights
        weights, state = balancer.update(jnp.ones(2), state, grads=[jnp.ones(3) * scale, 2 * jnp.ones(3) * scale])
        assert bool(jnp.isfinite(jnp.stack(jax.tree.leaves(state.memory.adam)[:2])).all())
        assert weights[0] > before[0]


# ---------------------------------------------------------------- what is promised in words


@pytest.mark.parametrize("name", ["grad_norm", "ntk", "gradnorm"])
def test_equal_gradients_have_weight_one(name):
    g = jnp.asarray(np.random.default_rng(1).normal(0, 7, SIZE))
    balancer = balance.by_name(name, every=1)
    losses = jnp.array([1.0, 2.0, 3.0])
    weights = weights_of(balancer, jnp.stack([losses] * 9), jnp.broadcast_to(g, (9, 3, SIZE)))
    np.testing.assert_array_equal(weights, 1)


def test_lra_takes_the_mean_of_absolute_values():
    """The mean of this gradient is 0: its absolute value would give the largest weight."""
    g = jnp.array([3.0, -1.0, -3.0, 1.0])
    balancer, rows = balance.lra(every=1), []
    state = balancer.init(3)
    for _ in range(3):
        weights, state = balancer.update(jnp.ones(3), state, grads=[g] * 3)
        rows.append(weights)
    expected = [1 + (1 - 0.9**k) * (3 / 2 - 1) for k in (1, 2, 3)]
    np.testing.assert_allclose(jnp.stack(rows)[:, 1:], np.transpose([expected, expected]), rtol=1e-6)
    assert jnp.stack(rows)[:, 0].tolist() == [1.0, 1.0, 1.0]


def test_a_longer_gradient_has_a_smaller_weight():
    grads = [jnp.ones(5), 10 * jnp.ones(5)]
    for name in ("grad_norm", "lra", "gradnorm"):
        balancer = balance.by_name(name)
        weights, _ = balancer.update(jnp.ones(2), balancer.init(2), grads=grads)
        assert weights[0] > weights[1], name
    weights, _ = balance.ntk().update(jnp.ones(2), balance.ntk().init(2), traces=[1.0, 100.0])
    assert weights[0] > weights[1]


@pytest.mark.parametrize("name", ["grad_norm", "lra", "ntk"])
def test_one_vanishing_gradient_is_forgotten(name):
    losses = jnp.ones((80, 2))
    grads = jnp.ones((80, 2, SIZE)).at[3, 1].set(0)
    weights = weights_of(balance.by_name(name, every=1), losses, grads)
    assert weights[3, 1] == pytest.approx(1000.9)
    assert weights[-1, 1] == pytest.approx(1.0, rel=0.5)


@pytest.mark.parametrize("name", ["grad_norm", "lra", "ntk"])
def test_gradients_matter_every_hundred_steps(name):
    losses, grads = jnp.ones((201, 2)), jnp.stack([jnp.ones((201, SIZE)), 3 * jnp.ones((201, SIZE))], axis=1)
    weights = np.asarray(weights_of(balance.by_name(name), losses, grads))
    changes = np.flatnonzero((np.diff(weights, axis=0) != 0).any(axis=1)) + 1
    assert changes.tolist() == [100, 200]
    assert (weights[0] != 1).any()


def test_complex_gradients_count_by_their_absolute_values(x64):
    g = jnp.array([3 + 4j, 0j])
    weights, _ = balance.grad_norm(ema=0).update(jnp.ones(2), balance.grad_norm().init(2), grads=[g, jnp.ones(1)])
    np.testing.assert_allclose(weights, [3 / 5, 3], rtol=1e-15)
    weights, _ = balance.lra(ema=0).update(jnp.ones(2), balance.lra().init(2), grads=[jnp.ones(1), g])
    np.testing.assert_allclose(weights, [1, 1 / 2.5], rtol=1e-15)


def test_leaves_of_several_types_count_together(x64):
    g = {
        "half": jnp.ones(1, jnp.bfloat16),
        "single": jnp.float32(2.0),
        "double": jnp.float64(2.0),
        "count": jnp.arange(3),
    }
    weights, state = balance.grad_norm(ema=0).update(jnp.ones(2), balance.grad_norm().init(2), grads=[g, {"w": 1.0}])
    np.testing.assert_allclose(weights, [2 / 3, 2], rtol=1e-15)
    assert state.weights.dtype == jnp.float64


def test_zeros_between_moves_make_no_nan():
    for name in FORMULAS:
        balancer = balance.by_name(name, every=3)
        with jax.debug_nans(True):
            update = jax.jit(lambda balancer, state, g: balancer.update(jnp.ones(2), state, **measured(balancer, g)))
            state = balancer.init(2)
            for g in (jnp.ones((2, SIZE)), jnp.zeros((2, SIZE)), jnp.zeros((2, SIZE)), jnp.zeros((2, SIZE))):
                _, state = update(balancer, state, g)
        assert int(state.moves) == 2


def test_a_balancer_of_gradients_under_vmap_over_networks(x64):
    x, g = sequences(3, seed=9)["ordinary"]
    batch = jnp.asarray(np.stack([g * scale for scale in (1.0, 5.0, g[0, 0, 0], 1e-5)])) * np.linspace(1, 2, 3)[:, None]
    for name in FORMULAS:
        balancer = balance.by_name(name, every=3)
        together = jax.vmap(weights_of, in_axes=(None, None, 0))(balancer, jnp.asarray(x), batch)
        for alone, weights in zip(batch, together, strict=True):
            np.testing.assert_allclose(weights, weights_of(balancer, jnp.asarray(x), alone), rtol=1e-12)


# ---------------------------------------------------------------- traces


def residual(params, point):
    """Two components that mix the coordinates and the parameters."""
    hidden = jnp.tanh(params["w"] @ point + params["b"])
    return jnp.stack([jnp.sum(hidden), jnp.sum(hidden**2 * point[0])])


@pytest.mark.parametrize("block", [None, 1, 3, 4, 100])
def test_the_trace_equals_that_of_the_dense_jacobian(x64, block):
    rng = np.random.default_rng(3)
    params = {"w": jnp.asarray(rng.normal(size=(5, 2))), "b": jnp.asarray(rng.normal(size=5)), "name": None}
    points = jnp.asarray(rng.normal(size=(10, 2)))
    rows = jax.jacobian(lambda params: jax.vmap(residual, (None, 0))(params, points))(params)
    dense = np.concatenate([np.reshape(leaf, (20, -1)) for leaf in jax.tree.leaves(rows)], axis=1)
    expected = np.trace(dense @ dense.T) / 20
    np.testing.assert_allclose(balance.ntk_trace(residual, params, points, block=block), expected, rtol=1e-13)
    one = balance.ntk_trace(lambda p, x: residual(p, x)[0], params, points, block=block)
    np.testing.assert_allclose(one, (dense[::2] ** 2).sum() / 10, rtol=1e-13)
    jitted = jax.jit(lambda params: balance.ntk_trace(residual, params, points, block=block))
    np.testing.assert_allclose(jitted(params), expected, rtol=1e-13)


def test_the_trace_of_a_complex_residual_counts_both_parts(x64):
    params, points = jnp.array([1.0, 2.0]), jnp.array([[0.5], [1.5]])
    trace = balance.ntk_trace(lambda p, x: p[0] * x[0] + 1j * p[1] * x[0] ** 2, params, points)
    np.testing.assert_allclose(trace, ((0.5**2 + 0.5**4) + (1.5**2 + 1.5**4)) / 2, rtol=1e-14)


def test_traces_hold_as_much_as_they_are_given_room_for():
    """Never the gradients at all points at once."""
    params, points = jnp.ones(1000), jnp.ones((256, 1))
    shapes = str(jax.make_jaxpr(lambda p: balance.ntk_trace(lambda p, x: jnp.sum(p * x), p, points, block=8))(params))
    assert "8,1000]" in shapes.replace("8,1,1000", "8,1000")
    assert "256,1000" not in shapes
    assert "256,1,1000" not in shapes


def test_ntk_balances_kernels_whatever_the_number_of_points(x64):
    def kernel(scale, n):
        return balance.ntk_trace(lambda w, x: scale * w[0] * x[0], jnp.ones(1), jnp.ones((n, 1)))

    weights, _ = balance.ntk(ema=0).update([0.1, 0.1], balance.ntk().init(2), traces=[kernel(1.0, 7), kernel(1.0, 900)])
    np.testing.assert_allclose(weights, 1, rtol=1e-12)
    weights, _ = balance.ntk(ema=0).update([0.1, 0.1], balance.ntk().init(2), traces=[kernel(1.0, 7), kernel(3.0, 7)])
    np.testing.assert_allclose(weights, [5, 5 / 9], rtol=1e-12)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("losses", "grads", "message"),
    [
        ([1.0, 1.0], [jnp.ones(2)], r"grads = 1 of them, but there are 2 losses.*jax.grad"),
        (
            [1.0, 1.0],
            {"pde": jnp.ones(2), "bc": jnp.ones(2)},
            r'grads by name \("pde", "bc"\), but losses without names',
        ),
        ({"pde": 1.0, "bc": 1.0}, [jnp.ones(2)] * 2, r'grads for a list, but the losses are "bc", "pde"'),
        ({"pde": 1.0, "bc": 1.0}, {"pde": jnp.ones(2), "ic": jnp.ones(2)}, r'grads for "pde", "ic", but'),
        ([1.0, 1.0], jnp.float32(3.0), "grads = a .*Array"),
        ([1.0, 1.0], [jnp.ones(2), {"w": None}], r"grads\[1\] without an array of floats"),
    ],
)
def test_gradients_that_do_not_fit(losses, grads, message):
    balancer = balance.grad_norm()
    with pytest.raises(BalanceError, match=message):
        balancer.update(losses, balancer.init(2), grads=grads)


@pytest.mark.parametrize("traces", [[1.0], jnp.ones((2, 1)), 1.0, jnp.ones(2) * 1j, {"pde": 1.0, "bc": 1.0}])
def test_traces_that_do_not_fit(traces):
    balancer = balance.ntk()
    with pytest.raises(BalanceError, match="traces"):
        balancer.update([1.0, 1.0], balancer.init(2), traces=traces)


def test_the_reference_of_lra_is_among_the_losses():
    with pytest.raises(BalanceError, match="reference = 2, but there are 2 losses"):
        balance.lra(2).init(2)
    with pytest.raises(BalanceError, match="reference = -1"):
        balance.lra(-1)
    with pytest.raises(BalanceError, match=r"the losses are a dict.*reference='bc'"):
        balance.lra().init({"pde": 1.0, "bc": 1.0})
    with pytest.raises(BalanceError, match=r'reference = "pdf", but the losses are "bc", "pde".*Did you mean "pde"'):
        balance.lra("pdf").init({"pde": 1.0, "bc": 1.0})
    with pytest.raises(BalanceError, match='reference = "pde", but the losses have no names'):
        balance.lra("pde").init(2)


def test_the_reference_of_lra_by_name():
    balancer = balance.lra("pde", ema=0)
    losses = {"pde": 1.0, "bc": 1.0}
    grads = {"pde": jnp.array([4.0, 0.0]), "bc": jnp.array([1.0, 1.0])}
    for update in (balancer.update, jax.jit(balancer.update)):
        weights, _ = update(losses, balancer.init(losses), grads=grads)
        assert {name: float(w) for name, w in weights.items()} == {"pde": 1.0, "bc": 4.0}


@pytest.mark.parametrize(
    ("points", "params", "block", "message"),
    [
        (jnp.ones((0, 1)), jnp.ones(2), None, "points of shapes"),
        (jnp.float32(1.0), jnp.ones(2), None, "points of shapes"),
        (jnp.ones((3, 1)), {"w": None}, None, "params without"),
        (jnp.ones((3, 1)), jnp.ones(2), 0, "block = 0"),
    ],
)
def test_a_trace_of_nothing(points, params, block, message):
    with pytest.raises(BalanceError, match=message):
        balance.ntk_trace(lambda p, x: p[0] * x[0], params, points, block=block)
