"""Balancers that look at gradients: what the step gives them, when, and at what price."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn


def residuals(module, points):
    """The three residual vectors as functions of the arrays of a module, written by hand."""
    arrays, static = eqx.partition(module, eqx.is_array)

    def equation(f, p):
        def u(x, t):
            return f(jnp.stack([x, t]))

        x, t = p
        return jax.grad(u, 1)(x, t) + u(x, t) * jax.grad(u)(x, t) - 0.1 * jax.grad(jax.grad(u))(x, t)

    def at(where, rule):
        return lambda arrays: jax.vmap(lambda p: rule(eqx.combine(arrays, static), p))(points[where])

    return arrays, [
        at(0, equation),
        at(1, lambda f, p: f(p)),
        at(2, lambda f, p: f(p) + jnp.sin(np.pi * p[0])),
    ]


def norm(tree, counts=lambda leaf: True):
    return float(jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(tree) if counts(leaf))))


class Norms:
    """The norms of the gradients, as they are."""

    reads = frozenset({"grads"})

    def __init__(self, period=1):
        self.period = period

    def init(self, m):
        return jnp.zeros((), int), jnp.zeros(len(m) if isinstance(m, dict) else m)

    def due(self, state):
        return state[0] % self.period == 0

    def update(self, losses, state, *, grads):
        trees = [grads[key] for key in losses] if isinstance(losses, dict) else grads
        norms = jnp.stack([jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(tree))) for tree in trees])
        weights = dict(zip(losses, norms, strict=True)) if isinstance(losses, dict) else norms
        return weights, (state[0] + 1, norms)


class Traces:
    reads = frozenset({"traces"})

    def init(self, m):
        return ()

    def update(self, losses, state, *, traces):
        return jnp.asarray(traces), state


@pytest.mark.parametrize("microbatch", [None, 9])
def test_gradients_and_traces_of_raw_losses(burgers, x64, microbatch):
    """Each in the middle of weights, of filters and of point weights, against the same written by hand."""
    net, _, r, bc, ic = burgers()
    pde, attended = r.mse.named("pde"), (pn.fn.adaptive.rba(r) * r).mse.named("attended")
    norms = pn.weigh([pde, bc, ic], Norms())
    matrices = pn.weigh({"ic": ic, "pde": pde}, Norms(), filter=lambda leaf: leaf.ndim == 2)
    last = eqx.tree_at(lambda m: m.layers[-1].weight, jax.tree.map(lambda _: False, net.module), True)
    outermost = pn.weigh([pde, ic], Norms(), filter={net: last})
    traces = pn.weigh([pde, bc, 3 * ic, attended, r.weighted(2.0) + bc], Traces())
    steep = pn.weigh([pde], Traces(), filter={net: last})
    at = (0.3, 0.5)
    (number,) = pn.weigh([2 * (net(*at) - 1) ** 2], Traces())
    trackers = [
        number.tracker("trace of a number"),
        steep[0].tracker("trace of the last"),
        *(w.tracker(f"norm{k}") for k, w in enumerate(norms)),
        *(w.tracker(f"matrices {name}") for name, w in matrices.items()),
        *(w.tracker(f"last{k}") for k, w in enumerate(outermost)),
        *(w.tracker(f"trace{k}") for k, w in enumerate(traces)),
    ]
    with pytest.warns(pn.PinnaceWarning, match="not used"):
        crux = pn.core([1e-3 * norms[0] * pde, norms[1] * bc, norms[2] * ic, *trackers], microbatch=microbatch)
    module, points = net.module, crux.state.points
    row = {name: values[0] for name, values in crux.solve(1).history.items()}
    arrays, (f, g, h) = residuals(module, points)

    gradients = [jax.grad(lambda a, q=q: jnp.mean(q(a) ** 2))(arrays) for q in (f, g, h)]
    for k, gradient in enumerate(gradients):
        assert row[f"norm{k}"] == pytest.approx(norm(gradient), rel=1e-9)
    for name, gradient in (("pde", gradients[0]), ("ic", gradients[2])):
        expected = norm(gradient, lambda leaf: leaf.ndim == 2)
        assert row[f"matrices {name}"] == pytest.approx(expected, rel=1e-9)
    for k, gradient in enumerate((gradients[0], gradients[2])):
        assert row[f"last{k}"] == pytest.approx(norm(gradient.layers[-1].weight), rel=1e-9)

    sizes = np.abs(f(arrays))
    lam = 0.999 * 0.001 + 0.01 * sizes / sizes.max()
    kernels = [jax.jacrev(q)(arrays) for q in (f, g, h)]

    def trace(jacobian, weights=1.0):
        leaves = [leaf.reshape(len(leaf), -1) for leaf in jax.tree.leaves(jacobian)]
        return float(np.mean(weights * sum(np.sum(np.asarray(leaf) ** 2, axis=1) for leaf in leaves)))

    slope = jax.grad(lambda a: eqx.combine(a, eqx.partition(module, eqx.is_array)[1])(jnp.array(at)))(arrays)
    assert row["trace of a number"] == pytest.approx(2 * norm(slope) ** 2, rel=1e-9)
    assert row["trace of the last"] == pytest.approx(trace(kernels[0].layers[-1].weight), rel=1e-9)
    found = [row[f"trace{k}"] for k in range(5)]
    expected = [
        trace(kernels[0]),
        trace(kernels[1]),
        3 * trace(kernels[2]),
        trace(kernels[0], lam**2),
        2 * trace(kernels[0]) + trace(kernels[1]),
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_gradients_are_computed_at_the_steps_that_ask_only(burgers, x64):
    """Between them the step gives zeros; steps and chunks do not matter, and neither does who else watches."""
    _, _, r, bc, _ = burgers()
    pde = r.mse.named("pde")
    w, v = pn.weigh([pde, bc], Norms(period=3))
    crux = pn.core([(1 + 0 * w) * pde, (1 + 0 * v) * bc, w.tracker("w")])
    for steps in (2, 1, 5):
        crux.solve(steps)
        crux.eval(w * pde)
    assert [value > 0 for value in crux.history["w"]] == [k % 3 == 0 for k in range(8)]


@pytest.mark.parametrize("name", ["grad_norm", "ntk", "lra", "gradnorm"])
def test_equal_losses_weigh_the_same(burgers, x64, name):
    """Three losses with equal gradients: no gradient stands for its inverse, no mean for its absolute value."""
    net, _, r, _, _ = burgers()
    losses = [r.mse.named("a"), (-r).mse.named("b"), (1.0 * r).mse.named("c")]
    weights = getattr(pn.fn.adaptive, name)(losses, every=1)
    pairs = zip(weights, losses, strict=True)
    crux = pn.core([w * loss for w, loss in pairs] + [w.tracker() for w in weights])
    arrays, (f, _, _) = residuals(net.module, crux.state.points)
    first = crux.solve(4).history
    gradient = np.concatenate(
        [np.ravel(leaf) for leaf in jax.tree.leaves(jax.grad(lambda a: jnp.mean(f(a) ** 2))(arrays))]
    )
    assert first["w(a)"][0] == pytest.approx(1.0, rel=1e-9)
    ratio = np.abs(gradient).max() / np.abs(gradient).mean()
    expected = 0.9 + 0.1 * ratio if name == "lra" else 1.0
    np.testing.assert_allclose([first["w(b)"][0], first["w(c)"][0]], expected, rtol=1e-9)
    np.testing.assert_allclose(first["w(b)"], first["w(c)"], rtol=1e-9)


def test_what_has_no_kernel_is_told_with_its_name(burgers):
    _, _, r, bc, _ = burgers()
    w, v = pn.fn.adaptive.ntk([r.mae.named("pde"), bc])
    with pytest.raises(pn.PinnaceError, match=r"ntk looks at.*\.mae.*no sum of squares"):
        pn.core([w * r.mae.named("pde"), v * bc]).solve(1)
    w, v = pn.fn.adaptive.ntk([(r - r.mean).mse.named("pde"), bc])
    with pytest.raises(pn.PinnaceError, match=r"holds .*\.mean.*grad_norm"):
        pn.core([w * (r - r.mean).mse.named("pde"), v * bc]).solve(1)


def test_filters_that_mean_nothing_are_errors(burgers):
    net, _, r, bc, _ = burgers()
    other = pn.nn(eqx.nn.MLP(2, "scalar", 4, 1, key=jax.random.key(0)))
    with pytest.raises(pn.PinnaceError, match="does not look at gradients"):
        pn.weigh([r.mse, bc], pn.balance.relobralo(), filter=lambda leaf: True)
    w, v = pn.fn.adaptive.grad_norm([r.mse, bc], filter={other: True})
    with pytest.raises(pn.PinnaceError, match="no entry of core uses"):
        pn.core([w * r.mse, v * bc])
    w, v = pn.fn.adaptive.grad_norm([r.mse, bc], filter=[True, False])
    with pytest.raises(pn.PinnaceError, match="filter"):
        pn.core([w * r.mse, v * bc])
    assert net.binding is not None


@pytest.mark.parametrize("name", ["grad_norm", "ntk", "gradnorm"])
def test_their_state_is_kept_and_goes_on(burgers, again, x64, name):
    """Saved in the middle of a period, and taken from there once more: bit by bit the same."""
    _, _, r, bc, ic = burgers()
    losses = [r.mse.named("pde"), bc, ic]
    weights = getattr(pn.fn.adaptive, name)(losses, every=3)
    entries = [w * loss for w, loss in zip(weights, losses, strict=True)]
    again(pn.core([*entries, *(w.tracker() for w in weights)]))


def test_a_filter_by_network_leaves_the_others_out(x64):
    (x,) = pn.domain.data(x=[1.0, 2.0])
    p, q = (pn.parameter(v, name=n).optimizer(optax.sgd(0.0)) for v, n in ((2.0, "p"), (3.0, "q")))
    loss = (p * x + q).mse.named("loss")
    together, separate = pn.parameter(1.0, name="a"), pn.parameter(1.0, name="b")
    pn.optimizer([together, separate], optax.sgd(0.0))
    other = (together * x + separate).mse.named("other")
    (of_p,), (of_a,) = pn.weigh([loss], Norms(), filter={p: True}), pn.weigh([other], Norms(), filter={separate: True})
    row = pn.core([of_p * loss, of_a * other, of_p.tracker("p"), of_a.tracker("b")]).solve(1).history
    # by hand: 2 mean(x (2 x + 3)) = 19 and 2 mean(x + 1) = 5
    assert (row["p"][0], row["b"][0]) == (pytest.approx(19.0), pytest.approx(5.0))
