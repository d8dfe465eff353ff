"""Weights of points, update by update, against their papers' formulas written once more in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnace import balance
from pinnace._errors import BalanceError

STEPS = 25


# ---------------------------------------------------------------- the papers, in NumPy


def sizes(r):
    return np.sqrt((np.abs(r).reshape(len(r), -1) ** 2).sum(axis=1))


def rba_paper(rows, gamma=0.999, eta=0.01):
    lam, out = np.full(len(rows[0]), 0.1 * eta), []
    for r in rows:
        if np.isfinite(r).all():
            a = sizes(r)
            lam = gamma * lam + eta * a / max(a.max(), 1e-30)
        out.append(lam)
    return out


def sa_paper(rows, lr=5e-3, mask="square"):
    n = len(rows[0])
    lam, first, second, t, out = np.ones(n), np.zeros(n), np.zeros(n), 0, []
    for r in rows:
        if np.isfinite(r).all():
            t += 1
            s = 1 / (1 + np.exp(-lam))
            g = (2 * lam if mask == "square" else s * (1 - s)) * sizes(r) ** 2 / r.size
            first, second = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g
            lam = lam + lr * first / (1 - 0.9**t) / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
        out.append(lam if mask == "square" else 1 / np.sqrt(1 + np.exp(-lam)))
    return out


def brdr_paper(rows, eps=1e-30, beta_c=0.999, beta_w=0.999):
    lam, fourth, t, out = np.ones(len(rows[0])), np.zeros(len(rows[0])), 0, []
    for r in rows:
        if np.isfinite(r).all():
            t += 1
            a = sizes(r) / (sizes(r).max() or 1)
            fourth = beta_c * fourth + (1 - beta_c) * a**4
            irdr = a**2 / np.sqrt(fourth / (1 - beta_c**t) + eps)
            lam = beta_w * lam + (1 - beta_w) * (irdr / irdr.mean() if irdr.any() else 1)
        out.append(lam)
    return out


def causal_paper(r, t, t0, t1, chunks=32, tol=1.0):
    """One point at a time, from the definition."""
    chunk = [min(max(int(np.floor((s - t0) / (t1 - t0) * chunks)), 0), chunks - 1) for s in t]
    means = []
    for k in range(chunks):
        inside = [a * a for a, c in zip(sizes(r), chunk, strict=True) if c == k]
        means.append(sum(inside) / len(inside) if inside else 0.0)
    return np.array([np.exp(-tol * sum(means[:c])) for c in chunk])


CASES = [
    ("rba", {}, rba_paper),
    ("rba", {"gamma": 0.6, "eta": 0.3}, rba_paper),
    ("sa", {}, sa_paper),
    ("sa", {"lr": 0.2}, sa_paper),
    ("sa", {"mask": "sigmoid", "lr": 0.1}, sa_paper),
    ("brdr", {}, brdr_paper),
    ("brdr", {"beta_c": 0.7, "beta_w": 0.6}, brdr_paper),
    ("brdr", {"beta_c": 0.0, "eps": 1e-3}, brdr_paper),
]
each = pytest.mark.parametrize(("name", "numbers", "paper"), CASES)
names = pytest.mark.parametrize("name", ["rba", "sa", "brdr"])


@jax.jit
def weights_of(cell, rows):
    def step(state, r):
        w, state = cell.update(r, state)
        return state, w

    real = jnp.real(rows).dtype
    return jax.lax.scan(step, cell.init(rows.shape[1], dtype=real), rows)[1]


def sequences(n=13, seed=0):
    rng = np.random.default_rng(seed)
    plain = rng.normal(size=(STEPS, n)) * np.exp(-0.1 * np.arange(STEPS))[:, None]
    broken = plain.copy()
    broken[0, 3], broken[7, 0], broken[12:15, n - 1] = np.nan, np.inf, -np.inf
    wide = plain * 10.0 ** np.clip(np.cumsum(rng.normal(0, 3, (STEPS, 1)), axis=0), -12, 12)
    return {
        "plain": plain,
        "two components": rng.normal(size=(STEPS, n, 2)),
        "a matrix a point": rng.normal(size=(STEPS, n, 2, 3)),
        "one point": plain[:, :1],
        "twenty orders": wide,
        "zeros": 0 * plain,
        "one point large": np.where(np.arange(n) == 2, 1e8, plain),
        "not finite": broken,
        "never finite": np.full_like(plain, np.nan),
        "tiny": 1e-25 * plain,
        "huge": 1e25 * plain,
    }


@each
def test_weights_equal_the_paper(x64, name, numbers, paper):
    for kind, rows in sequences().items():
        got = np.asarray(weights_of(balance.POINT_WEIGHTS[name](**numbers), jnp.asarray(rows)))
        assert got.dtype == np.float64
        np.testing.assert_allclose(got, paper(rows, **numbers), rtol=1e-11, err_msg=kind)


@each
def test_float32_weights_follow_and_stay_finite(name, numbers, paper):
    for kind, rows in sequences(seed=4).items():
        got = np.asarray(weights_of(balance.POINT_WEIGHTS[name](**numbers), jnp.float32(rows)))
        assert np.isfinite(got).all(), kind
        assert (got >= 0).all(), kind
        if kind in ("plain", "two components", "not finite"):
            np.testing.assert_allclose(got, paper(rows, **numbers), rtol=2e-4, err_msg=kind)


@each
@settings(max_examples=30)
@given(data=st.data())
def test_extreme_residuals_leave_finite_weights(name, numbers, paper, data):
    value = st.sampled_from([0.0, 1e-30, -1e-9, 1.0, 3.7, -1e9, 1e30, -1e30, np.nan, np.inf])
    rows = np.array(data.draw(st.lists(st.tuples(value, value, value, value), min_size=6, max_size=6)))
    for wide in (False, True):
        with jax.enable_x64(wide):
            got = np.asarray(weights_of(balance.POINT_WEIGHTS[name](**numbers), jnp.asarray(rows, float)))
            assert np.isfinite(got).all()
            assert (got >= 0).all()
            if wide and name != "brdr":
                np.testing.assert_allclose(got, paper(rows, **numbers), rtol=1e-10)


def test_complex_residuals_count_by_their_absolute_values(x64):
    rows = np.random.default_rng(0).normal(size=(STEPS, 5, 2))
    for name, _, paper in CASES[::3]:
        got = weights_of(balance.POINT_WEIGHTS[name](), jnp.asarray(rows[..., 0] + 1j * rows[..., 1]))
        expected = paper(rows if name != "sa" else np.abs(rows[..., 0] + 1j * rows[..., 1]))
        np.testing.assert_allclose(got, expected, rtol=1e-12)


# ---------------------------------------------------------------- promised in words


@pytest.mark.parametrize("mask", ["square", "sigmoid"])
def test_sa_climbs_the_loss_that_is_written(x64, mask):
    """Differentiated by JAX through `(w * r).mse`, stepped by optax."""
    rng = np.random.default_rng(1)
    rows = jnp.asarray(rng.normal(size=(STEPS, 7, 2)))
    lam, tx = jnp.ones(7), optax.adam(5e-3)

    def weight(lam):
        return lam if mask == "square" else jnp.sqrt(jax.nn.sigmoid(lam))

    state, expected = tx.init(lam), []
    for r in rows:
        slope = jax.grad(lambda lam, r=r: -jnp.mean((weight(lam)[:, None] * r) ** 2))(lam)
        step, state = tx.update(slope, state)
        lam = lam + step
        expected.append(weight(lam))
    np.testing.assert_allclose(weights_of(balance.sa(mask=mask), rows), expected, rtol=1e-12)


def test_rba_stays_below_its_bound_and_starts_small(x64):
    weights = weights_of(balance.rba(gamma=0.9, eta=0.01), jnp.ones((400, 3)))
    np.testing.assert_allclose(weights[0], 0.9e-3 + 0.01, rtol=1e-14)
    assert float(weights.max()) <= 0.1 + 1e-12
    assert float(weights[-1, 0]) == pytest.approx(0.1)


def test_brdr_keeps_its_mean_and_favours_what_stays(x64):
    decay = np.exp(-np.outer(np.arange(300), [0.001, 0.03]))
    weights = weights_of(balance.brdr(beta_c=0.99, beta_w=0.99), jnp.asarray(decay))
    np.testing.assert_allclose(weights.mean(axis=1), 1, rtol=1e-12)
    assert weights[-1, 0] > 1.5 > weights[-1, 1]


def test_stored_weights_are_told_apart_and_are_gathered_by_point(x64):
    for name, factory in balance.POINT_WEIGHTS.items():
        cell = factory(0.0, 1.0) if name == "causal" else factory()
        assert isinstance(cell, balance.PointWeights)
        assert type(cell).stored is (name != "causal")
        assert all(leaf.shape[0] == 9 for leaf in jax.tree.leaves(cell.init(9)))
    cell, rows = balance.sa(), jnp.asarray(np.random.default_rng(3).normal(size=(4, 9)))
    state, chosen = cell.init(9), jnp.array([1, 4, 5])
    for r in rows:
        _, part = cell.update(r[chosen], jax.tree.map(lambda leaf: leaf[chosen], state))
        state = jax.tree.map(lambda leaf, new: leaf.at[chosen].set(new), state, part)
    alone = weights_of(cell, rows[:, chosen])[-1]
    np.testing.assert_allclose(state.lam[chosen], alone, rtol=1e-14)
    assert state.lam[0] == 1


def test_weights_of_points_are_constants_and_come_in_the_type_of_the_residual(x64):
    for name in ("rba", "sa", "brdr"):
        cell = balance.POINT_WEIGHTS[name]()
        slope = jax.grad(lambda r, cell=cell: jnp.sum(cell.update(r, cell.init(3))[0]))(jnp.array([1.0, 2.0, 3.0]))
        assert not slope.any()
        for dtype in (jnp.float32, jnp.float64, jnp.bfloat16):
            weights, state = cell.update(jnp.ones(3, dtype), cell.init(3))
            assert weights.dtype == dtype
            assert jax.tree.map(jax.typeof, state) == jax.tree.map(jax.typeof, cell.init(3))
    cell = balance.causal(0, 1)
    assert not jax.grad(lambda r: jnp.sum(cell.update(r, (), jnp.linspace(0, 1, 3))[0]))(jnp.ones(3)).any()
    assert not jax.grad(lambda t: jnp.sum(cell.update(jnp.ones(3), (), t)[0]))(jnp.linspace(0, 1, 3)).any()


@names
def test_vmap_over_networks_and_eager_calls_equal_each_alone(x64, name):
    cell = balance.POINT_WEIGHTS[name]()
    batch = jnp.asarray(np.random.default_rng(0).normal(size=(4, 6, 5)))
    together = jax.vmap(weights_of, in_axes=(None, 0))(cell, batch)
    for rows, weights in zip(batch, together, strict=True):
        np.testing.assert_allclose(weights, weights_of(cell, rows), rtol=1e-13)
    state = cell.init(5)
    for r, expected in zip(batch[0], together[0], strict=True):
        weights, state = cell.update(r, state)
        np.testing.assert_allclose(weights, expected, rtol=1e-13)


@names
def test_no_nan_on_the_way_that_debugging_would_stop_at(name):
    cell = balance.POINT_WEIGHTS[name]()
    with jax.debug_nans(True):
        for r in (jnp.zeros(3), jnp.array([1e30, 0.0, 1e-30]), jnp.array([jnp.inf, 1.0, jnp.inf])):
            cell.update(r, cell.init(3))
            balance.causal(0, 1).update(r, (), jnp.array([0.9, 0.1, 0.5]))


# ---------------------------------------------------------------- causal


@pytest.mark.parametrize(("chunks", "tol"), [(32, 1.0), (1, 1.0), (4, 0.3), (7, 0.0), (200, 5.0)])
@pytest.mark.parametrize("shape", [(50,), (50, 2)])
def test_causal_weights_equal_the_paper(x64, chunks, tol, shape):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        r, t = 0.5 * rng.normal(size=shape), rng.uniform(-1.2, 3.3, 50)
        weights, _ = balance.causal(-1.0, 3.0, chunks=chunks, tol=tol).update(jnp.asarray(r), (), jnp.asarray(t))
        np.testing.assert_allclose(weights, causal_paper(r, t, -1.0, 3.0, chunks, tol), rtol=1e-12, atol=1e-300)


@settings(max_examples=25)
@given(data=st.data())
def test_causal_weights_start_at_one_and_never_increase_for_any_order_of_the_points(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    n, chunks = data.draw(st.integers(1, 300)), data.draw(st.sampled_from([1, 5, 32, 257]))
    scale = data.draw(st.sampled_from([0.0, 1e-30, 1e-8, 1e-3, 1.0, 1e8, 1e30]))
    t = rng.uniform(-0.5, 1.5, n)
    r = scale * rng.normal(size=n)
    if data.draw(st.booleans()):
        r[rng.integers(n)] = data.draw(st.sampled_from([np.nan, np.inf]))
    with jax.enable_x64(data.draw(st.booleans())):
        cell = balance.causal(0.0, 1.0, chunks=chunks, tol=data.draw(st.sampled_from([1e-3, 1.0, 100.0])))
        weights = np.asarray(jax.jit(cell.update)(jnp.asarray(r, float), (), jnp.asarray(t, float))[0])
    assert np.isfinite(weights).all()
    assert (np.diff(weights[np.argsort(t, kind="stable")]) <= 0).all()
    assert (weights[t <= 1 / chunks * 0.999] == 1).all()
    assert (weights >= 0).all()


def test_later_residuals_leave_earlier_weights_alone():
    t = jnp.linspace(0, 1, 64)
    cell = balance.causal(0, 1, chunks=4)
    small, _ = cell.update(0.1 * jnp.ones(64), (), t)
    large, _ = cell.update(jnp.where(t > 0.75, 1e3, 0.1), (), t)
    np.testing.assert_array_equal(small, large)
    early, _ = cell.update(jnp.where(t < 0.25, 1e3, 0.1), (), t)
    assert early[:16].tolist() == [1.0] * 16
    assert not early[16:].any()


def test_a_residual_that_is_not_finite_holds_back_what_comes_after():
    t = jnp.array([0.9, 0.1, 0.4, 0.6])
    weights, _ = balance.causal(0, 1, chunks=10).update(jnp.array([0.0, 0.0, jnp.nan, 0.0]), (), t)
    assert weights.tolist() == [0.0, 1.0, 1.0, 0.0]


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: balance.rba(gamma=1.1), "gamma = 1.1"),
        (lambda: balance.rba(eta=-1), "eta = -1"),
        (lambda: balance.sa(mask="squares"), 'mask = "squares".*Did you mean "square"'),
        (lambda: balance.brdr(eps=0), "eps = 0"),
        (lambda: balance.brdr(beta_c=1), "beta_c = 1.*at least 0 and below 1"),
        (lambda: balance.causal(1, 0), "t0 = 1 and t1 = 0"),
        (lambda: balance.causal(0, 1, chunks=0), "chunks = 0"),
        (lambda: balance.causal(0, 1, tol=-1.0), "tol = -1"),
        (lambda: balance.rba().init(0), r"init\(0\).*number of points"),
        (lambda: balance.sa().init(3, dtype=jnp.bfloat16), "float32 or float64"),
        (lambda: balance.rba().update(jnp.ones(4), balance.rba().init(3)), r"shape \(4,\).*made for 3 points"),
        (lambda: balance.causal(0, 1).update(jnp.ones(4), ()), "0 coordinates"),
        (lambda: balance.causal(0, 1).update(jnp.ones(4), (), jnp.ones(3)), r"shape \(4,\).*3 points"),
    ],
)
def test_what_does_not_fit_is_an_error_that_says_so(wrong, message):
    with pytest.raises(BalanceError, match=message):
        wrong()
