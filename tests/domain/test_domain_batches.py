"""Point sets of which each step sees a few, all of them in turn."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn

SEEN = np.arange(23.0)


def still():
    """A loss that any problem needs, whose parameter stays."""
    return pn.parameter(1.0, name="p").optimizer(optax.sgd(0.0))


def rounds(rows, size, total):
    """The rows of a history, cut into rounds through all points: `[rounds, points seen]`."""
    turns = total // size
    return rows[: len(rows) // turns * turns].reshape(-1, turns * size)


def test_each_round_sees_a_row_once_in_an_order_of_its_own_and_losses_are_those_of_the_batch(x64):
    k, seen = pn.domain.data(k=SEEN, seen=SEEN**2, batch=5)
    assert k.points.size == 5 and "each step out of 23" in repr(k.points)
    p = still()
    crux = pn.core([(p * k - seen).mse.named("misfit"), k.tracker("k"), seen.tracker("seen")])
    for steps in (1, 6, 13):
        crux.solve(steps)
    rows = crux.history["k"].astype(int)
    np.testing.assert_array_equal(crux.history["seen"], rows**2)
    np.testing.assert_allclose(crux.history["misfit"], np.mean((rows - rows**2) ** 2, axis=1), rtol=1e-13)
    seen = rounds(rows, 5, 23)
    assert len(seen) == 5 and all(len(set(one)) == 20 for one in seen)
    assert len({tuple(one) for one in seen}) == 5 and set(seen.ravel()) == set(range(23))


def test_a_run_goes_on_bit_for_bit_in_the_middle_of_a_round(tmp_path, x64):
    x, t = pn.domain.interval(-1, 1).time(0, 1).variable("interior", 50, batch=7, resample=11)
    k = pn.domain.data(k=SEEN, batch=4)[0]
    p = pn.parameter(0.3, name="p").optimizer(optax.adam(0.1))
    crux = pn.core([(p * x - t).mse + (p * k - 1).mse, x.tracker("x"), k.tracker("k"), p.tracker("p")], key=3)
    crux.solve(13)
    crux.save(tmp_path / "part.npz")
    crux.solve(17)
    once = dict(crux.history)
    crux.load(tmp_path / "part.npz").solve(17)
    for name, rows in once.items():
        np.testing.assert_array_equal(crux.history[name], rows, err_msg=name)
    with pytest.raises(pn.PinnaceError):
        pn.core([(p * pn.domain.data(k=SEEN, batch=5)[0] - 1).mse]).load(tmp_path / "part.npz")


def test_batches_are_of_the_points_that_there_would_be_without(x64):
    """Drawn anew in the middle of a round, too."""
    rows = {}
    for batch in (None, 8):
        x, y = pn.domain.disk().variable("interior", 40, sampler="uniform", resample=7, batch=batch)
        crux = pn.core([(still() * x * y).mse, pn.np.stack([x, y]).tracker("at")], key=11)
        rows[batch] = crux.solve(22).history["at"]
    for whole, some in zip(rows[None], rows[8], strict=True):
        places = np.argmax(np.all(whole[None] == some[:, None], axis=2), axis=1)
        np.testing.assert_array_equal(whole[places], some)
        assert len(set(places)) == 8
    assert np.any(rows[8][0] != rows[8][1])


def test_normals_are_those_of_the_points_of_the_step(x64):
    x, y = pn.domain.disk((0.5, 0), 2).variable("boundary", 16, batch=3)
    nx, ny = pn.normal(x, y)
    out = pn.np.stack([nx - (x - 0.5) / 2, ny - y / 2])
    length = pn.integral(0 * x + 1).tracker("length")
    crux = pn.core([still() ** 2, out.mse.tracker("off"), x.tracker("x"), length])
    history = crux.solve(10).history
    np.testing.assert_allclose(history["length"], 4 * np.pi, rtol=1e-14)
    assert np.max(history["off"]) < 1e-28 and len(np.unique(history["x"])) == 16


def test_a_grid_in_batches_is_no_grid_and_a_batch_of_all_is_none():
    rectangle = pn.domain.rectangle((0, 1), (0, 2))
    x, _ = rectangle.variable("interior", 200, sampler="grid", batch=30)
    points = np.asarray(x.points.plan.init(jax.random.key(0))[0])
    assert x.points.plan.grid is None and len(np.unique(points, axis=0)) == 30
    assert len(np.unique(points[:, 0])) <= 10 and len(np.unique(points[:, 1])) <= 20
    x, _ = rectangle.variable("interior", 200, sampler="grid", batch=200)
    assert x.points.plan.grid == (10, 20) and "out of" not in repr(x.points)


def test_a_large_set_costs_a_step_no_more_than_a_small_one():
    """Nothing as long as the set is made in a step."""
    x = pn.domain.interval(0, 1).variable("interior", 9000, batch=10)
    plan = x.points.plan
    points, state = plan.init(jax.random.key(0))

    def update(points, state, step):
        return plan.update(points, state, step=step, key=jax.random.key(0))

    def sizes(jaxpr):
        for equation in jaxpr.eqns:
            yield from (out.aval.size for out in equation.outvars)
            for inner in jax.tree.leaves(equation.params, is_leaf=lambda leaf: hasattr(leaf, "jaxpr")):
                if hasattr(inner, "jaxpr"):
                    yield from sizes(inner.jaxpr)

    traced = jax.make_jaxpr(update)(points, state, jnp.asarray(4)).jaxpr
    assert max(sizes(traced)) <= 20
    np.testing.assert_array_equal(update(points, state, 0)[0], points)


def test_what_does_not_go_with_batches_says_why():
    dom = pn.domain.interval(0, 1)
    for wrong in (0, -1, 2.5, True, "10", [1.0]):
        with pytest.raises(pn.PinnaceError, match="batch, the points that each step sees"):
            dom.variable("interior", 10, batch=wrong)
        with pytest.raises(pn.PinnaceError, match="batch, the points that each step sees"):
            pn.domain.data(x=SEEN, batch=wrong)
    with pytest.raises(pn.PinnaceError, match="batch=3 is more than all 2 points of boundary"):
        dom.variable("boundary", 100, batch=3)
    with pytest.raises(pn.PinnaceError, match="batch=24 is more than all 23 points of the data"):
        pn.domain.data(x=SEEN, batch=24)
    x = dom.variable("interior", 10, batch=5)
    (y,) = pn.domain.data(y=SEEN, batch=5)
    for r in (x**2, y**2):
        for move in (pn.fn.adaptive.rad, pn.fn.adaptive.r3, pn.fn.adaptive.rar_d):
            with pytest.raises(pn.PinnaceError, match="by batch= already; leave it out"):
                move(r, every=5)
        for place in (pn.fn.adaptive.rba, pn.fn.adaptive.sa, pn.fn.adaptive.brdr):
            with pytest.raises(pn.PinnaceError, match=r"drawn again during training, by batch=.*Leave batch= out"):
                place(r)
    with pytest.raises(pn.PinnaceError, match="have no normal"):
        pn.normal(y)
    lbfgs = pn.parameter(1.0).optimizer(optax.lbfgs())
    with pytest.warns(pn.PinnaceWarning, match="leave resample= and batch= out"):
        pn.core([(lbfgs * x - 1).mse]).solve(1)
    ends = dom.variable("boundary", batch=1)
    assert ends.points.size == 1
