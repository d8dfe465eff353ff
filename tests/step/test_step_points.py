"""Weights of points, and points that move: inside the step, in the state, whatever the batches."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn

A = pn.fn.adaptive
RULES = {
    "rba": (A.rba, pn.balance.rba()),
    "sa": (A.sa, pn.balance.sa()),
    "brdr": (A.brdr, pn.balance.brdr()),
}


@pytest.mark.parametrize(("name", "microbatch"), [*((name, None) for name in RULES), ("brdr", 9)])
def test_point_weights_move_once_a_step_by_their_rule(burgers, x64, name, microbatch):
    """Used twice, tracked twice, looked at between solves: always the rule on the residuals of that step."""
    place, rule = RULES[name]
    _, _, r, bc, ic = burgers()
    lam = place(r)
    losses = [(lam * r).mse.named("pde"), r.weighted(lam).named("again"), bc, ic]
    weighed = [w * loss for w, loss in zip(A.relobralo(losses), losses, strict=True)]
    crux = pn.core([*weighed, lam.tracker("lam"), r.tracker("r")], microbatch=microbatch)
    for steps in (3, 1, 4):
        crux.solve(steps)
        crux.eval(lam * r)
    history, state = crux.history, rule.init(32)
    for k in range(8):
        moved, state = rule.update(jnp.asarray(history["r"][k]), state)
        weights = np.asarray(moved)
        np.testing.assert_allclose(history["lam"][k], weights, rtol=1e-12)
        assert history["pde"][k] == pytest.approx(np.mean((weights * history["r"][k]) ** 2), rel=1e-12)
        assert history["again"][k] == pytest.approx(np.mean(weights * history["r"][k] ** 2), rel=1e-12)
    np.testing.assert_array_equal(crux.eval(lam), history["lam"][-1])


@pytest.mark.parametrize("microbatch", [None, 9])
def test_causal_weights_fall_with_time_on_points_that_move(burgers, x64, microbatch):
    _, (_, t), r, bc, ic = burgers(64, resample=1)
    w = A.causal(r, t, chunks=8, tol=3.0)
    crux = pn.core([r.weighted(w), bc, ic, w.tracker("w"), t.tracker("t"), r.tracker("r")], microbatch=microbatch)
    history = crux.solve(5).history
    for k in range(5):
        chunk = np.clip(np.floor(history["t"][k] * 8).astype(int), 0, 7)
        means = [np.mean(history["r"][k][chunk == j] ** 2) if np.any(chunk == j) else 0.0 for j in range(8)]
        expected = np.exp(-3.0 * (np.cumsum(means) - means))
        np.testing.assert_allclose(history["w"][k], expected[chunk], rtol=1e-9)
        assert history["w"][k][np.argmin(history["t"][k])] == 1


def test_gradients_hold_point_weights_constant(x64):
    """One step of plain descent goes along the gradient with the weights of this step as numbers."""
    p = pn.parameter(0.7, name="p").optimizer(optax.sgd(1.0))
    (x,) = pn.domain.data(x=[0.1, 0.5, 0.9])
    r = p * x - x**2
    crux = pn.core([(A.rba(r, gamma=0.5, eta=0.2) * r).mse])
    crux.solve(1)
    xs = np.array([0.1, 0.5, 0.9])
    sizes = np.abs(0.7 * xs - xs**2)
    lam = 0.5 * 0.02 + 0.2 * sizes / sizes.max()
    assert float(crux.eval(p)) == pytest.approx(0.7 - np.mean(2 * lam**2 * (0.7 * xs - xs**2) * xs), rel=1e-12)


@pytest.mark.parametrize("microbatch", [None, 5])
def test_vector_residuals_have_one_weight_a_point(x64, microbatch):
    dom = pn.domain.interval(0, 1)
    x = dom.variable("interior", 16)
    a, b = pn.parameter(0.3).optimizer(optax.sgd(0.1)), pn.parameter(0.2).optimizer(optax.sgd(0.1))
    r = pn.np.stack([a - x, b - x**2])
    lam = A.rba(r)
    total = (lam * r[0]).mse + r.weighted(lam) + (lam * r).mse + (r @ pn.np.stack([lam, 1.0])).mse
    crux = pn.core([total, lam.tracker("lam"), r.tracker("r")], microbatch=microbatch)
    history = crux.solve(1).history
    rows, weights = history["r"][0], history["lam"][0][:, None]
    parts = [
        weights[:, 0] * rows[:, 0],
        np.sqrt(weights) * rows,
        weights * rows,
        weights[:, 0] * rows[:, 0] + rows[:, 1],
    ]
    assert history["total"][0] == pytest.approx(sum(np.mean(part**2) for part in parts), rel=1e-12)
    sizes = np.linalg.norm(rows, axis=1)
    np.testing.assert_allclose(history["lam"][0], 0.999 * 0.001 + 0.01 * sizes / sizes.max(), rtol=1e-12)


def test_point_weights_stand_where_points_stay(burgers):
    _, (x, t), moving, _, _ = burgers(resample=5)
    for place in (A.rba, A.sa, A.brdr):
        with pytest.raises(pn.PinnaceError, match=r"weight for each point.*drawn again.*causal"):
            place(moving)
    _, (x, t), r, bc, ic = burgers()
    lam = A.rba(r)
    with pytest.raises(pn.PinnaceError, match="moves them"):
        pn.core([(lam * r).mse, bc, ic, A.rad(r, every=5)])
    with pytest.raises(pn.PinnaceError, match="one value in all"):
        A.rba(r.mse)
    with pytest.raises(pn.PinnaceError, match="a coordinate of space"):
        A.causal(r, x)
    with pytest.raises(pn.PinnaceError, match="of the same points"):
        A.causal(r, pn.domain.interval(0, 1).time(0, 1).variable("interior", 8)[1])
    with pytest.raises(pn.PinnaceError, match="as a coordinate"):
        A.causal(r, 2 * t)
    crux = pn.core([(lam * r).mse, bc, ic])
    with pytest.raises(pn.PinnaceError, match="points of the problem only"):
        crux.eval(lam, {x: 0.0, t: 0.5})
    with pytest.raises(pn.PinnaceError, match="cannot be moved"):
        pn.core([(lam * r).at({x: 0.5}).mse, bc, ic]).solve(1)


@pytest.mark.parametrize("place", [A.rba, A.sa, A.brdr])
def test_state_of_points_is_kept_and_goes_on(burgers, again, x64, place):
    _, _, r, bc, ic = burgers()
    again(pn.core([r.weighted(place(r)).named("pde"), bc, ic]))


MOVERS = {
    "rad": (lambda r: A.rad(r, every=4), 32),
    "rar_d": (lambda r: A.rar_d(r, every=4, add=5), 5),
    "r3": (lambda r: A.r3(r, every=4), None),
}


@pytest.mark.parametrize(("name", "microbatch"), [*((name, None) for name in MOVERS), ("rad", 9)])
def test_points_move_at_their_steps_and_stay_in_their_region(burgers, x64, name, microbatch):
    make, number = MOVERS[name]
    _, (x, t), r, bc, ic = burgers()
    crux = pn.core([r.mse, bc, ic, make(r), x.tracker("x"), t.tracker("t"), r.tracker("r")], microbatch=microbatch)
    drawn = np.asarray(crux.state.points[0])
    for steps in (3, 2, 6):
        crux.solve(steps)
    np.testing.assert_array_equal(crux.history["x"][0], drawn[:, 0])
    x, t, r = (crux.history[column] for column in ("x", "t", "r"))
    moved = [int(np.sum(x[k + 1] != x[k])) for k in range(10)]
    assert [k + 1 for k in range(10) if moved[k]] == [4, 8]
    assert number is None or {moved[3], moved[7]} == {number}
    assert np.all(np.abs(x) < 1) and np.all((t > 0) & (t < 1))
    if name == "rar_d":
        assert np.array_equal(x[0, :16], x[-1, :16]) and np.array_equal(x[4, 21:], x[0, 21:])
        assert np.all(x[8, 21:26] != x[0, 21:26])


def test_r3_keeps_exactly_what_is_above_the_mean(x64):
    """The residuals that decide are those of the step that moves, at the points before."""
    dom = pn.domain.interval(0, 1)
    x = dom.variable("interior", 64)
    p = pn.parameter(0.0).optimizer(optax.sgd(0.0))
    crux = pn.core([(p - x**2).mse, A.r3(p - x**2, every=1), x.tracker("x")])
    x = crux.solve(2).history["x"]
    np.testing.assert_array_equal(x[1] == x[0], x[0] ** 2 > np.mean(x[0] ** 2))


@pytest.mark.parametrize(("k", "c"), [(1.0, 1.0), (2.0, 0.0), (1.0, 0.0)])
def test_rad_draws_by_its_density(x64, k, c):
    """Against the law |r|^k / mean |r|^k + c on the unit interval, r = x, by its distribution function."""
    x = pn.domain.interval(0, 1).variable("interior", 512, sampler="uniform")
    p = pn.parameter(0.0).optimizer(optax.sgd(0.0))
    crux = pn.core([(p - x).mse, A.rad(p - x, every=1, k=k, c=c, pool=200), x.tracker("x")])
    drawn = np.sort(crux.solve(9).history["x"][1:].ravel())
    # with 200 candidates for each point, that none is taken twice changes little
    law = (drawn ** (k + 1) + c * drawn) / (1 + c)
    distance = np.max(np.abs(law - (np.arange(len(drawn)) + 0.5) / len(drawn)))
    assert distance < 1.63 / np.sqrt(len(drawn)) + 0.005


def test_where_the_residual_is_zero_points_are_uniform(x64):
    x = pn.domain.interval(0, 1).variable("interior", 400, sampler="uniform")
    p = pn.parameter(0.0).optimizer(optax.sgd(0.0))
    for entry in (A.rad(0 * p * x, every=1, c=0.0), A.rar_d(0 * p * x, every=1, add=200), A.r3(0 * p * x, every=1)):
        crux = pn.core([(p * x).mse, entry, x.tracker("x")])
        found = np.sort(crux.solve(2).history["x"][-1])
        assert np.all(np.isfinite(found))
        assert np.max(np.abs(found - (np.arange(400) + 0.5) / 400)) < 1.63 / np.sqrt(400)


def test_movers_that_cannot_move_say_why(burgers):
    _, (x, _), r, bc, ic = burgers()
    with pytest.raises(pn.PinnaceError, match="Leave one of them out"):
        pn.core([r.mse, bc, ic, A.rad(r, 5), A.r3(r, 5)])
    with pytest.raises(pn.PinnaceError, match="no loss looks at"):
        pn.core([bc, ic, A.rad(r, 5)])
    for wrong in (lambda: A.rad(r, 0), lambda: A.rad(r, 2.5), lambda: A.r3(r, True)):
        with pytest.raises(pn.PinnaceError, match="every"):
            wrong()
    for wrong in (lambda: A.rad(r, 5, k=-1.0), lambda: A.rad(r, 5, c=float("nan")), lambda: A.rad(r, 5, pool=0)):
        with pytest.raises(pn.PinnaceError, match="rad got"):
            wrong()
    with pytest.raises(pn.PinnaceError, match="more than all 32"):
        A.rar_d(r, 5, add=30)
    for sampler in ("grid", "sobol"):
        y = pn.domain.interval(0, 1).variable("boundary" if sampler == "sobol" else "interior", 8, sampler=sampler)
        with pytest.raises(pn.PinnaceError, match="the same however often"):
            A.rad(y, every=5)
    (z,) = pn.domain.data(z=[1.0, 2.0])
    with pytest.raises(pn.PinnaceError, match="the same however often"):
        A.r3(z, every=5)
    with pytest.raises(pn.PinnaceError, match="resample="):
        A.rad(burgers(resample=3)[2], every=5)
    with pytest.raises(pn.PinnaceError, match="at least one loss"):
        pn.core([A.rad(r, 5)])
    assert x.points.size == 32


def test_residuals_that_are_not_finite_do_not_attract_points(x64):
    x = pn.domain.interval(-1, 1).variable("interior", 64, sampler="uniform")
    p = pn.parameter(0.0).optimizer(optax.sgd(0.0))
    crux = pn.core([(p - x).mse, A.rad(pn.np.sqrt(x) + p, every=1, c=0.0), x.tracker("x")])
    found = crux.solve(2).history["x"][-1]
    assert np.all(found > 0)


def test_moved_points_are_kept_and_go_on(burgers, again, x64):
    _, (x, _), r, bc, ic = burgers()
    again(pn.core([r.mse.named("pde"), bc, ic, A.rad(r, every=3), x.tracker("x")]))
