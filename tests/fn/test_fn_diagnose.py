"""Measurements of what is trained, and summaries of solutions, against the same by hand in double precision."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace.lower import measured as rules

D = pn.diagnose
DOMAIN = pn.domain.interval(0, 1).time(0, 1)
RATE = 0.1
RARE = ("cosine", "update", "error", "quantiles")


@pytest.fixture(scope="module", autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def problem(rare=(), only=None, **options):
    """A network, part of it frozen, and a coefficient; the heat equation, with values of both as they are logged."""
    x, t = DOMAIN.variable("interior", 21)
    xb, tb = DOMAIN.variable("boundary", 10)
    net = pn.nn(eqx.nn.MLP(2, 2, 4, 1, jnp.tanh, key=jax.random.key(1)), name="net")
    net.optimizer(optax.sgd(RATE)).freeze(lambda leaf: leaf.shape == (4, 2))
    k = pn.parameter(0.3, name="k").optimizer(optax.sgd(RATE))
    held = pn.parameter(2.0, name="held").freeze()
    u = net(x, t)
    r = (u.d(t) - k * u.dd(x) + held).named("r")
    pde, bc = r.mse.named("pde"), net(xb, tb).mse.named("bc")
    w, v = pn.fn.adaptive.fixed([pde, bc], [3.0, 0.5])
    lam = pn.fn.adaptive.rba(u[0])
    measured = {
        "norm": D.gradient_norm(pde),
        "weighted": D.gradient_norm(w * pde + v * bc),
        "of net": D.gradient_norm(pde, of=net),
        "of k": D.gradient_norm(pde, of=k),
        "of held": D.gradient_norm(pde, of=held),
        "attended": D.gradient_norm((lam * u[0]).mse),
        "cosine": D.gradient_cosine(pde, bc),
        "cosine of net": D.gradient_cosine(bc, pde, of=u),
        "spectrum": D.ntk_spectrum(r, top=5),
        "spectrum of k": D.ntk_spectrum(r, top=2, of=k),
        "parameters": D.parameter_norm(),
        "of the net": D.parameter_norm(net),
        "update": D.update_norm(),
        "update of k": D.update_norm(k),
        "error": pn.np.relative_l2(u, pn.np.stack([x, pn.np.sin(t)])),
        "quantiles": pn.np.quantile(r, [0.0, 0.25, 0.9, 1.0]),
        "median": pn.np.quantile(abs(r), 0.5),
        "ratio": D.gradient_norm(bc) / D.gradient_norm(pde),
    }
    trackers = [expr.tracker(name) for name, expr in measured.items() if only is None or name in only]
    trackers += [measured[name].tracker(f"rare {name}", every=2) for name in rare]
    crux = pn.core([w * pde, v * bc, *trackers], **options)
    return crux, net, k, measured, (x, t)


@pytest.fixture(scope="module")
def logged():
    """Three steps, logged; the measurements, the points, and the modules before each step."""
    crux, net, k, measured, coordinates = problem(RARE)
    modules, rows = [], []
    for _ in range(3):
        modules.append((net.module, k.data[0].module))
        rows.append(crux.solve(1, progress=False).history)
    modules.append((net.module, k.data[0].module))
    return crux, measured, crux.state.points, modules, coordinates


class Layers(eqx.Module):
    """The network, written out."""

    mlp: eqx.nn.MLP

    def __call__(self, p):
        first, last = self.mlp.layers
        return last.weight @ jnp.tanh(first.weight @ p + first.bias) + last.bias


@jax.jit
def residuals(trained, points):
    """Those of the equation and of the boundary, and the field, written out; and their Jacobians."""
    flat, unravel = jax.flatten_util.ravel_pytree(trained)

    def parts(flat):
        f, k = unravel(flat)

        def r(p):
            slope, curve = jax.jacfwd(f)(p), jax.jacfwd(jax.jacfwd(f))(p)
            return slope[:, 1] - k * curve[:, 0, 0] + 2.0

        return jax.vmap(r)(points[0]), jax.vmap(f)(points[1]), jax.vmap(f)(points[0])

    return flat, parts(flat), jax.jacfwd(parts)(flat)


def by_hand(points, module, number):
    """What a step should have logged, from residuals written out and a Jacobian of all trained numbers."""
    numbers, _ = jax.flatten_util.ravel_pytree(eqx.filter((module, number()), eqx.is_array))
    mine = np.arange(numbers.size) >= module.layers[0].weight.size  # the first of all are frozen
    leaves = jax.tree.map(lambda leaf: leaf if eqx.is_array(leaf) else None, module)
    flat, parts, slopes = residuals((Layers(leaves), number()), tuple(map(jnp.asarray, points)))
    r, b, u = map(np.asarray, parts)
    jr, jb, ju = (np.asarray(j).reshape(-1, flat.size)[:, mine] for j in slopes)
    flat = np.asarray(flat)[mine]
    pde, bc = 2 * r.ravel() @ jr / r.size, 2 * b.ravel() @ jb / b.size
    is_k = np.arange(flat.size) == flat.size - 1
    norm = np.linalg.norm

    def cosine(a, b):
        return a @ b / norm(a) / norm(b)

    def spectrum(j, top):
        return np.sort(np.linalg.eigvalsh(j @ j.T / len(j)))[::-1][:top]

    ref = np.stack([points[0][:, 0], np.sin(points[0][:, 1])], axis=1)
    return {
        "norm": norm(pde),
        "weighted": norm(3 * pde + 0.5 * bc),
        "of net": norm(pde[~is_k]),
        "of k": norm(pde[is_k]),
        "of held": 0.0,
        "cosine": cosine(pde, bc),
        "cosine of net": cosine(pde[~is_k], bc[~is_k]),
        "spectrum": spectrum(jr, 5),
        "spectrum of k": [norm(jr[:, is_k]) ** 2 / len(jr), 0.0],
        "parameters": norm(flat),
        "of the net": norm(flat[~is_k]),
        "update": RATE * norm(3 * pde + 0.5 * bc),
        "update of k": RATE * norm(3 * pde[is_k]),
        "error": np.sqrt(((u - ref) ** 2).sum() / (ref**2).sum()),
        "quantiles": np.quantile(r, [0.0, 0.25, 0.9, 1.0]),
        "median": np.median(np.abs(r)),
        "ratio": norm(bc) / norm(pde),
    }, (u[:, 0], ju.reshape(len(u), 2, -1)[:, 0])


def test_every_measurement_is_what_it_says(logged):
    crux, _, points, modules, _ = logged
    for step in range(3):
        expected, (u, slopes) = by_hand(points, *modules[step])
        for name, value in expected.items():
            np.testing.assert_allclose(crux.history[name][step], value, rtol=1e-9, atol=1e-13, err_msg=name)
        if step == 0:
            lam = 0.999 * 0.001 + 0.01 * np.abs(u) / np.abs(u).max()
            attended = np.linalg.norm(2 * (lam**2 * u) @ slopes / len(u))
            np.testing.assert_allclose(crux.history["attended"][0], attended, rtol=1e-9)


def test_rare_trackers_log_the_same_rows(logged):
    crux, *_ = logged
    for name in RARE:
        assert crux.history.steps(f"rare {name}").tolist() == [0, 2]
        np.testing.assert_allclose(crux.history[f"rare {name}"], crux.history[name][::2], rtol=1e-12, err_msg=name)


def test_batches_log_the_same(logged):
    crux = logged[0]
    names = ("weighted", "attended", "error", "quantiles")
    batched = problem(only=names, microbatch=6)[0]
    batched.solve(2, progress=False)
    for name in names:
        np.testing.assert_allclose(batched.history[name], crux.history[name][:2], rtol=1e-9, err_msg=name)


def test_eval_gives_them_at_other_points_too(logged):
    crux, measured, points, modules, (x, t) = logged
    names = ("norm", "cosine of net", "error", "of the net", "spectrum", "quantiles")
    numbers, vectors = [measured[name] for name in names[:4]], [measured[name] for name in names[4:]]
    together = pn.np.concatenate([pn.np.stack(numbers), *vectors])
    others = np.random.default_rng(0).random((7, 2))
    elsewhere, _ = by_hand((others, points[1]), *modules[3])
    expected = np.concatenate([np.atleast_1d(elsewhere[name]) for name in names])
    np.testing.assert_allclose(crux.eval(together, {x: others[:, 0], t: others[:, 1]}), expected, rtol=1e-9)
    with pytest.raises(pn.PinnaceError, match=r"known inside the step only.*tracker"):
        crux.eval(measured["update"])


def test_a_large_kernel_is_estimated_from_evenly_spaced_points(monkeypatch, logged):
    crux, measured, points, modules, _ = logged
    monkeypatch.setattr(rules, "ROWS", 10)
    chosen = np.asarray(points[0])[[0, 4, 8, 12, 16]]  # five points of two values each
    expected, _ = by_hand((chosen, points[1]), *modules[3])
    found = crux.eval(D.ntk_spectrum(measured["spectrum"].args[0], top=6))
    np.testing.assert_allclose(found[:5], expected["spectrum"], rtol=1e-9)


def test_zero_gradients_small_kernels_and_references_of_zero():
    (x,) = pn.domain.data(x=[1.0, 2.0])
    p, q = (pn.parameter(v, name=n).optimizer(optax.sgd(0.0)) for v, n in ((2.0, "p"), (3.0, "q")))
    fit, dead = (p * x - 1).mse.named("fit"), (q * 0 + x).mse.named("dead")
    crux = pn.core([fit, dead])
    assert crux.eval(D.gradient_norm(dead)) == 0
    assert np.isnan(crux.eval(D.gradient_cosine(fit, dead)))
    np.testing.assert_allclose(crux.eval(D.ntk_spectrum(p * x, top=4)), [2.5, 0, 0, 0], rtol=1e-12)
    assert np.isinf(crux.eval(pn.np.relative_l2(p * x, 0 * x))) and np.isnan(crux.eval(pn.np.relative_l2(0 * x, 0 * x)))
    assert crux.eval(pn.np.relative_l2(p, 1.6)) == pytest.approx(0.25)
    assert crux.eval(D.gradient_norm(1e-200 * fit)) == pytest.approx(1e-200 * float(crux.eval(D.gradient_norm(fit))))


@pytest.mark.parametrize("count", [1, 25])
def test_quantiles_are_those_of_numpy(count):
    values = np.random.default_rng(count).normal(size=count)
    values[-1:] = values[0]
    (x,) = pn.domain.data(x=values)
    p = pn.parameter(1.0).optimizer(optax.sgd(0.0))
    q = [0.0, 0.1, 1 / 3, 0.5, 0.99, 1.0]
    pairs = pn.np.stack([p * x, x**2])
    together = [pn.np.quantile(p * x, q), pn.np.quantile(pairs, [0.3]), pn.np.quantile(pn.np.log(-1 - x * x), [0.5])]
    expected = [np.quantile(values, q), np.quantile(np.stack([values, values**2]), [0.3]), [np.nan]]
    for microbatch in (None, 4):
        found = pn.core([(p * x).mse], microbatch=microbatch).eval(pn.np.concatenate(together))
        np.testing.assert_allclose(found, np.concatenate(expected), rtol=1e-13)
    np.testing.assert_array_equal(pn.np.quantile(values, q), np.quantile(values, q))
    assert pn.np.relative_l2(values, 2 * values) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda u, r, k: D.gradient_norm(r), r"value at each of 21 points.*Reduce it"),
        (lambda u, r, k: D.gradient_norm(2.0), "takes a loss"),
        (lambda u, r, k: D.gradient_norm(r.mse, of=r), "looks at a network"),
        (lambda u, r, k: D.gradient_cosine(r.mse, D.gradient_norm(r.mse)), "cannot look into `gradient_norm"),
        (lambda u, r, k: D.ntk_spectrum(r.mse), "takes a residual"),
        (lambda u, r, k: D.ntk_spectrum(r, top=0), "from 1 on"),
        (lambda u, r, k: pn.np.relative_l2(u, r[0]), r"shape \(2,\).*\(\)"),
        (lambda u, r, k: pn.np.relative_l2(u, 0.0), "norm of zero"),
        (lambda u, r, k: pn.np.relative_l2(u, DOMAIN.variable("initial", 4)[0]), "lives on"),
        (lambda u, r, k: pn.np.quantile(r, 90), "from 0 to 1"),
        (lambda u, r, k: pn.np.quantile(r, []), "from 0 to 1"),
        (lambda u, r, k: pn.core([r.mse, D.gradient_norm(r.mse)]), r"cannot be part of a loss.*tracker"),
        (lambda u, r, k: pn.core([r.mse * D.parameter_norm()]), "cannot be part of a loss"),
        (lambda u, r, k: pn.core([r.mse, D.parameter_norm(k).tracker()]), "which no entry of core uses"),
        (lambda u, r, k: pn.core([r.mse]).eval(D.parameter_norm(k)), "which no entry of core uses"),
        (lambda u, r, k: pn.core([r.mse]).eval(D.ntk_spectrum(r - r.mean)), "runs over points itself"),
    ],
)
def test_what_has_no_meaning_is_told(make, expected):
    x, t = DOMAIN.variable("interior", 21)
    net = pn.nn(eqx.nn.MLP(2, 2, 4, 1, key=jax.random.key(1))).optimizer(optax.sgd(RATE))
    with pytest.raises(pn.PinnaceError, match=expected):
        make(net(x, t), net(x, t).d(x), pn.parameter(1.0))


def test_a_rate_cannot_look_at_what_it_makes():
    (x,) = pn.domain.data(x=[1.0])
    p = pn.parameter(2.0, name="p").optimizer(optax.sgd(1.0))
    p.data[0].scale(lambda epoch, losses: 0.1 * losses["moved"])
    with pytest.raises(pn.PinnaceError, match="moved"):
        pn.core([(p * x).mse, D.update_norm().tracker("moved")]).solve(1, progress=False)
