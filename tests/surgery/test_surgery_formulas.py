"""Every surgery against its paper, written once more in NumPy; promises, transformations, errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pinnace as pn
from pinnace import surgery
from pinnace._errors import SurgeryError

# ---------------------------------------------------------------- the papers, in NumPy


def unit(g):
    top = np.abs(g).max()
    return g / top / np.linalg.norm(g / top) if top else g


def norm(g):
    top = np.abs(g).max()
    return top * np.linalg.norm(g / top) if top else 0.0


def config_paper(gs, key):
    rows = np.array([unit(g) for g in gs if g.any()])
    if not len(rows):
        return 0 * gs[0]
    v = np.linalg.pinv(rows, rcond=1e-11) @ np.ones(len(rows))
    if np.linalg.norm(v) < 1e-10:
        return 0 * gs[0]
    u = v / np.linalg.norm(v)
    return sum(norm(g) * (unit(g) @ u) for g in gs) * u


def pcgrad_paper(gs, key):
    total = 0 * gs[0]
    for i, own in enumerate(jax.random.split(key, len(gs))):
        v = gs[i].copy()
        for j in np.asarray(jax.random.permutation(own, len(gs))):
            if j != i and gs[j].any() and v @ unit(gs[j]) < 0:
                v = v - (v @ unit(gs[j])) * unit(gs[j])
        total = total + v
    return total


def dcgd_paper(variant, residuals=1):
    def direction(gs, key):
        r = np.sum(gs[:residuals], axis=0)
        b = np.sum(gs[residuals:], axis=0) if len(gs) > residuals else 0 * r
        if not r.any() or not b.any():
            return r + b
        if variant == "center":
            return (norm(r) + norm(b)) / 2 * (unit(r) + unit(b))
        with_r, with_b = norm(r) + b @ unit(r), norm(b) + r @ unit(b)
        without_b, without_r = r - (r @ unit(b)) * unit(b), b - (b @ unit(r)) * unit(r)
        if variant == "average":
            return (without_b + without_r) / 2 if min(with_r, with_b) < 0 else r + b
        return without_b if with_b < 0 else without_r if with_r < 0 else r + b

    return direction


CASES = {
    "config": (surgery.config(), config_paper),
    "pcgrad": (surgery.pcgrad(), pcgrad_paper),
    "center": (surgery.dcgd(), dcgd_paper("center")),
    "projection": (surgery.dcgd("projection"), dcgd_paper("projection")),
    "average": (surgery.dcgd("average"), dcgd_paper("average")),
    "center of two": (surgery.dcgd(residuals=2), dcgd_paper("center", 2)),
}
each = pytest.mark.parametrize("name", CASES)


def tree(g, dtype):
    """A vector as a network's gradient."""
    g = jnp.asarray(g, dtype)
    return {"first": (g[:1], None), "rest": {"w": g[1:, None]}}


def flat(tree):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)]).astype(np.float64)


@jax.jit
def combined(cell, gradients, key):
    return cell.update(gradients, cell.init(len(gradients)), key=key)[0]


def agree(name, gs, dtype, rtol, key=None):
    cell, paper = CASES[name]
    key = jax.random.key(5) if key is None else key
    gs = [np.asarray(g, dtype).astype(np.float64) for g in gs]
    got = flat(combined(cell, tuple(tree(g, dtype) for g in gs), key))
    assert np.isfinite(got).all()
    expected = paper(gs, key)
    scale = max(norm(g) for g in gs)
    np.testing.assert_allclose(got / (scale or 1), expected / (scale or 1), rtol=0, atol=rtol)
    return got


# ---------------------------------------------------------------- equal to the papers


@each
@pytest.mark.parametrize("m", [2, 3, 4, 5, 6])
def test_the_direction_is_that_of_the_paper(x64, name, m):
    for seed in range(12):
        rng = np.random.default_rng(seed)
        gs = rng.normal(size=(m, 40)) * 10.0 ** rng.uniform(-1, 1, (m, 1))
        agree(name, gs, jnp.float64, 1e-13, jax.random.key(seed))
        agree(name, gs, jnp.float32, 2e-5, jax.random.key(seed))


@each
@settings(max_examples=30)
@given(data=st.data())
def test_the_direction_is_that_of_the_paper_for_adversarial_gradients(name, data):
    m, size = data.draw(st.integers(2, 6)), data.draw(st.sampled_from([2, 3, 7, 30]))
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    gs = []
    for _ in range(m):
        kind = data.draw(st.sampled_from(["random", "random", "zero", "parallel", "opposite", "axis"]))
        g = rng.normal(size=size)
        if kind == "axis":
            g = np.eye(size)[rng.integers(size)] * rng.choice([-1.0, 1.0])
        if kind in ("parallel", "opposite") and gs:
            g = gs[rng.integers(len(gs))] * rng.choice([0.5, 1.0, 4.0]) * (-1 if kind == "opposite" else 1)
        gs.append(0 * g if kind == "zero" else g)
    exponents = data.draw(st.lists(st.sampled_from([-20, -3, 0, 0, 1, 20]), min_size=m, max_size=m))
    # Powers of two: multiples stay exactly parallel.
    gs = [g * 2.0 ** round(e * np.log2(10)) for g, e in zip(gs, exponents, strict=True)]
    with jax.enable_x64(True):
        agree(name, gs, jnp.float64, 1e-11)


@each
def test_scales_do_not_matter_in_float32(name):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        gs = rng.normal(size=(4, 30)) * 10.0 ** rng.choice([-20, -5, 0, 5, 20], (4, 1))
        agree(name, gs, np.float32, 2e-5, jax.random.key(seed))


@pytest.mark.parametrize("name", ["config", "center"])
def test_a_small_gradient_has_its_say_beside_a_large_one(name):
    """Its angle to the direction, not its length, is what counts."""
    rng = np.random.default_rng(4)
    for scale in (1e-20, 1e-30):
        gs = [1e18 * rng.normal(size=9), scale * rng.normal(size=9)]
        got = agree(name, gs, np.float32, 1e-5)
        cosines = [unit(g) @ unit(got) for g in gs]
        assert cosines[0] == pytest.approx(cosines[1], rel=1e-4)


# ---------------------------------------------------------------- promised in words


def random_gradients(m, size=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(m, size)) + rng.normal(size=size) * rng.choice([-3.0, 3.0], (m, 1))


@pytest.mark.parametrize("m", [2, 3, 6])
def test_config_makes_equal_angles_and_no_loss_rises(x64, m):
    for seed in range(10):
        gs = random_gradients(m, seed=seed)
        got = agree("config", gs, jnp.float64, 1e-10)
        cosines = [unit(g) @ unit(got) for g in gs]
        np.testing.assert_allclose(cosines, cosines[0], rtol=1e-9)
        assert cosines[0] > 0
        assert (gs.sum(axis=0) @ unit(got)) == pytest.approx(norm(got), rel=1e-9)


@pytest.mark.parametrize("name", ["center", "projection", "average", "config", "pcgrad"])
def test_neither_of_two_losses_rises(x64, name):
    for seed in range(30):
        gs = random_gradients(2, seed=seed)
        got = agree(name, gs, jnp.float64, 1e-11)
        assert min(gs[0] @ unit(got), gs[1] @ unit(got)) > -1e-10


@each
def test_gradients_that_agree_are_summed_or_turned_and_a_single_one_stays(x64, name):
    g = random_gradients(1)
    np.testing.assert_allclose(agree(name, g, jnp.float64, 1e-14), g[0], rtol=1e-12)
    parallel = [g[0], 2 * g[0], 0.5 * g[0]]
    np.testing.assert_allclose(agree(name, parallel, jnp.float64, 1e-13), 3.5 * g[0], rtol=1e-11)


@each
def test_zeros_have_no_direction(x64, name):
    gs = random_gradients(3, seed=3)
    np.testing.assert_array_equal(agree(name, 0 * gs, jnp.float64, 0), 0)
    with_zero = agree(name, [gs[0], gs[1], 0 * gs[0]], jnp.float64, 1e-12)
    if "two" not in name:
        np.testing.assert_allclose(with_zero, agree(name, gs[:2], jnp.float64, 1e-12), rtol=1e-9, atol=1e-12)


@each
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_opposite_gradients_leave_nothing_to_do(x64, name, dtype):
    g = random_gradients(1)[0]
    got = agree(name, [g, -1.7 * g], dtype, 3e-7 if dtype == jnp.float32 else 1e-15)
    if "two" not in name:
        assert np.abs(got).max() < 1e-5 * np.abs(g).max()


def test_almost_opposite_gradients_keep_their_digits(x64):
    """Angle 1e-7: through the Gram matrix no digit would be left."""
    a = np.array([1.0, 1e-7, 0.0])
    b = np.array([-1.0, 1e-7, 0.0])
    got = agree("config", [a, b], jnp.float64, 1e-20)
    np.testing.assert_allclose(got, [0, 2e-7, 0], rtol=1e-7, atol=1e-20)


def test_pcgrad_projects_onto_the_original_gradients():
    """Three in a plane, with the orders of a key: projecting on already projected ones gives other sums."""
    gs = [np.array([1.0, 0.0]), np.array([-0.5, 1.0]), np.array([-0.5, -1.0])]
    seen = {tuple(np.round(agree("pcgrad", gs, np.float32, 1e-6, jax.random.key(k)), 4)) for k in range(30)}
    # Each of the three meets its two opponents in one of two orders.
    assert len(seen) == 8


def test_pcgrad_draws_every_order_equally_often():
    gs = [np.array([1.0, 0.0]), np.array([-0.5, 1.0]), np.array([-0.5, -1.0])]
    keys = jax.random.split(jax.random.key(0), 800)
    trees = tuple(tree(g, jnp.float32) for g in gs)
    rows = jax.vmap(lambda key: combined(surgery.pcgrad(), trees, key))(keys)
    both = np.round(np.concatenate([rows["first"][0], rows["rest"]["w"][:, 0]], axis=1), 3)
    _, counts = np.unique(both, axis=0, return_counts=True)
    assert len(counts) == 8
    assert counts.min() > 60


def test_pcgrad_with_a_seed_needs_no_key_and_draws_anew():
    gs = [tree(g, jnp.float32) for g in ([1.0, 0.0], [-0.5, 1.0], [-0.5, -1.0])]
    cell = surgery.pcgrad(seed=3)
    assert cell.reads == frozenset()
    assert surgery.pcgrad().reads == {"key"}
    state, seen = cell.init(3), []
    for t in range(6):
        direction, state = cell.update(gs, state)
        key = jax.random.fold_in(jax.random.key(3), t)
        np.testing.assert_array_equal(flat(direction), flat(surgery.pcgrad().update(gs, cell.init(3), key=key)[0]))
        seen.append(tuple(flat(direction)))
    assert len(set(seen)) > 1


# ---------------------------------------------------------------- pytrees and transformations


@each
def test_leaves_of_all_kinds_come_back_as_they_were(x64, name):
    rng = np.random.default_rng(2)

    def gradient():
        z = rng.normal(size=3) + 1j * rng.normal(size=3)
        return {
            "half": jnp.asarray(rng.normal(size=2), jnp.bfloat16),
            "none": None,
            "scalar": jnp.float32(rng.normal()),
            "complex": jnp.asarray(z, jnp.complex64),
            "empty": jnp.zeros((0, 3)),
            "matrix": [jnp.asarray(rng.normal(size=(2, 2)))],
        }

    gs = [gradient() for _ in range(3)]
    cell, paper = CASES[name]
    direction, _ = cell.update(gs, cell.init(3), key=jax.random.key(1))
    assert jax.tree.structure(direction) == jax.tree.structure(gs[0])
    assert [leaf.dtype for leaf in jax.tree.leaves(direction)] == [leaf.dtype for leaf in jax.tree.leaves(gs[0])]

    def real(g):
        order = [g["complex"].real, g["complex"].imag, g["half"], g["matrix"][0], g["scalar"]]
        return np.concatenate([np.ravel(np.asarray(leaf, np.float64)) for leaf in order])

    got, expected = real(direction), paper([real(g) for g in gs], jax.random.key(1))
    np.testing.assert_allclose(got, expected, rtol=1e-2, atol=1e-2)
    np.testing.assert_allclose(direction["matrix"][0].ravel(), expected[8:12], rtol=1e-12, atol=1e-14)


@each
def test_jit_vmap_and_scan_equal_each_alone(x64, name):
    cell, _ = CASES[name]
    rng = np.random.default_rng(0)
    batch = jnp.asarray(rng.normal(size=(4, 3, 8)))
    batch = batch.at[2, 1].set(-batch[2, 0]).at[3, 2].set(0)
    keys = jax.random.split(jax.random.key(0), 4)

    def one(gs, key):
        direction, state = cell.update([tree(g, None) for g in gs], cell.init(3), key=key)
        return direction, state

    alone = [one(gs, key) for gs, key in zip(batch, keys, strict=True)]
    together = jax.vmap(one)(batch, keys)
    scanned = jax.lax.scan(lambda _, row: (None, one(*row)), None, (batch, keys))[1]
    for stacked in (together, scanned):
        for i, expected in enumerate(alone):
            jax.tree.map(lambda a, b, i=i: np.testing.assert_allclose(a[i], b, atol=1e-12), stacked, expected)


@each
def test_no_nan_on_the_way_that_debugging_would_stop_at(name):
    gs = np.zeros((3, 5), np.float32)
    gs[1, 0] = 1e30
    with jax.debug_nans(True):
        agree(name, gs, np.float32, 1e-6)
        agree(name, 0 * gs, np.float32, 0)


@each
def test_a_gradient_that_is_not_finite_is_not_hidden(name):
    gs = [tree(g, np.float32) for g in ([1.0, 2.0], [np.nan, 1.0], [1.0, 0.0])]
    assert not np.isfinite(flat(combined(CASES[name][0], tuple(gs), jax.random.key(0)))).all()


def test_surgeries_are_known_by_name_and_fit_the_contract():
    assert pn.surgery is surgery
    assert set(surgery.SURGERIES) == {"config", "pcgrad", "dcgd"}
    for factory in surgery.SURGERIES.values():
        cell = factory()
        assert isinstance(cell, surgery.Surgery)
        assert cell.reads <= {"key"}
        hash(cell)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: surgery.dcgd("centre"), 'variant = "centre".*Did you mean "center"'),
        (lambda: surgery.dcgd(residuals=0), "residuals = 0.*at least 1"),
        (lambda: surgery.dcgd(residuals=[0, -1]), r"residuals = \[0, -1\]"),
        (lambda: surgery.dcgd(residuals=[3]).init(2), r"residuals = \(3,\), but there are 2 losses"),
        (lambda: surgery.pcgrad(seed=-1), "seed = -1"),
        (lambda: surgery.pcgrad(seed=1.5), "seed = 1.5"),  # pyright: ignore[reportArgumentType]
        (lambda: surgery.config().init(0), r"init\(0\).*at least 1"),
        (lambda: surgery.pcgrad().update([jnp.ones(2)] * 2, jnp.array(0)), r"key=.*pcgrad\(seed=0\)"),
        (lambda: surgery.config().update([jnp.ones(2), jnp.ones(3)], ()), r"gradient 1 as float32\[3\].*float32\[2\]"),
        (lambda: surgery.config().update([{"w": jnp.ones(2)}, {"v": jnp.ones(2)}], ()), "gradient 1 as {v"),
        (lambda: surgery.config().update([{"w": None}] * 2, ()), "arrays of floats only"),
        (lambda: surgery.config().update([jnp.arange(2)] * 2, ()), "arrays of floats only"),
    ],
)
def test_what_does_not_fit_is_an_error_that_says_so(wrong, message):
    with pytest.raises(SurgeryError, match=message):
        wrong()
