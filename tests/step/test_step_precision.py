"""Precision of matrix products, of modules, and what the backward pass computes again."""

import re
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace.step import PRECISIONS, advance


def mlp(dtype=None, activation=jnp.tanh):
    return eqx.nn.MLP(2, "scalar", 8, 2, activation, key=jax.random.key(1), dtype=dtype)


def burgers(module, **options):
    dom = pn.domain.interval(-1, 1).time(0, 1)
    x, t = dom.variable("interior", 64)
    net = pn.nn(module).optimizer(optax.sgd(0.01))
    u = net(x, t)
    pde = (u.d(t) + u * u.d(x) - 0.01 * u.dd(x)).mse.named("pde")
    start = (net(x, 0.0) + pn.np.sin(pn.np.pi * x)).mse.named("start")
    return pn.core([pde, start], **options), u


def texts(crux, platform="cpu"):
    fixed, numbers = crux._recipe()
    traced = jax.jit(partial(advance.advance, fixed)).trace(numbers, crux.state)
    return traced.lower(lowering_platforms=(platform,)).as_text()


@pytest.mark.parametrize("name", ["high", "highest", "tensorfloat32", "BF16_BF16_F32_X3"])
def test_a_precision_reaches_every_product(name):
    text = texts(burgers(mlp(), precision=name)[0])
    products = [line for line in text.splitlines() if "dot_general" in line]
    told = {"high": "[HIGH, HIGH]", "highest": "[HIGHEST, HIGHEST]", "tensorfloat32": "[HIGH, HIGH]"}
    assert products and all(told.get(name, "num_primitive_operations = 3") in line for line in products)


@pytest.mark.parametrize("x64", [False, True], indirect=True)
def test_bfloat16_rounds_both_factors_and_sums_in_float32(x64):
    wide, narrow = np.random.default_rng(0).standard_normal((2, 1, 300))

    class Product(eqx.Module):
        weight: jax.Array

        def __call__(self, point):
            return self.weight @ point

    net = pn.nn(Product(jnp.asarray(wide[0]))).optimizer(optax.sgd(1.0))
    (place,) = pn.domain.data(place=[1.0])
    value = net(pn.np.stack([place * float(number) for number in narrow[0]]))
    crux = pn.core([value.sum], precision="bfloat16")
    a, b = (np.float32(one.astype(np.float32).astype(ml_dtypes.bfloat16)) for one in (wide[0], narrow[0]))
    crux.solve(1)
    np.testing.assert_allclose(crux.history["total"][0], a @ b, rtol=2e-6)
    assert abs(crux.history["total"][0] / (wide[0] @ narrow[0]) - 1) > 1e-4
    np.testing.assert_allclose(wide[0] - np.asarray(net.module.weight), b, atol=1e-5)


@pytest.fixture
def x64(request):
    with jax.enable_x64(request.param):
        yield request.param


@pytest.mark.parametrize("x64", [True], indirect=True)
def test_bfloat16_products_are_all_of_them_inside_loops_and_branches_too(x64):
    class Deep(eqx.Module):
        layers: jax.Array

        def __call__(self, point):
            def turn(z, layer):
                return jax.lax.cond(layer[0, 0] > 9.0, lambda z: z, lambda z: jnp.tanh(layer @ z), z), None

            z, _ = jax.lax.scan(jax.checkpoint(turn), point, self.layers)
            return jax.jit(jnp.sum)(z)

    layers = 0.4 * jax.random.normal(jax.random.key(3), (3, 2, 2))
    crux, _ = burgers(Deep(layers), precision="bfloat16", microbatch=20)
    products = [line for line in texts(crux, "cuda").splitlines() if "stablehlo.dot_general" in line]
    assert len(products) > 9 and all(re.search(r": \(\S+xbf16>, \S+xbf16>\) -> \S+xf32>", line) for line in products)
    here = texts(crux)
    assert here.count("format = e8m7") == 2 * here.count("stablehlo.dot_general") > 0
    exact, _ = burgers(Deep(layers))
    ratio = crux.solve(2).history["total"] / exact.solve(2).history["total"]
    assert np.all(np.abs(ratio - 1) < 0.05) and np.any(np.abs(ratio - 1) > 1e-6)


@pytest.mark.parametrize("x64", [True], indirect=True)
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_a_module_is_evaluated_in_its_own_precision(x64, dtype):
    crux, u = burgers(mlp(dtype))
    assert crux.eval(u).dtype == dtype
    assert crux.eval(u.d(u.args[0])).dtype == dtype
    products = [line for line in texts(crux).splitlines() if "stablehlo.dot_general" in line]
    told = "f32" if dtype == jnp.float32 else "f64"
    assert products and all(line.count(f"{told}>") >= 3 for line in products)
    crux.solve(3)
    assert {leaf.dtype for leaf in jax.tree.leaves(crux.state.params)} == {jnp.dtype(dtype)}
    exact, v = burgers(jax.tree.map(lambda a: a.astype(float) if eqx.is_array(a) else a, mlp(dtype)))
    exact.solve(3)
    tolerance = 1e-4 if dtype == jnp.float32 else 1e-12
    np.testing.assert_allclose(crux.history["pde"], exact.history["pde"], rtol=tolerance)
    np.testing.assert_allclose(crux.eval(u), exact.eval(v), rtol=10 * tolerance, atol=tolerance)


@pytest.mark.parametrize("x64", [True], indirect=True)
def test_losses_of_several_precisions_go_together(x64):
    x = pn.domain.interval(0, 1).variable("interior", 16)
    single = pn.nn(eqx.nn.MLP(1, "scalar", 4, 1, jnp.tanh, key=jax.random.key(0), dtype=jnp.float32))
    double = pn.nn(eqx.nn.MLP(1, "scalar", 4, 1, jnp.tanh, key=jax.random.key(1), dtype=jnp.float64))
    for net in (single, double):
        net.optimizer(optax.adam(1)).scale(1e-3)
    first, second = (single(x).d(x) - 1).mse.named("single"), (double(x).d(x) - 1).mse.named("double")
    both = (single(x) - double(x)).mse.named("both")
    weights = pn.fn.adaptive.relobralo([first, second, both])
    entries = [w * loss for w, loss in zip(weights, (first, second, both), strict=True)]
    runs = [pn.core(entries, microbatch=m).solve(4) for m in (None, 5)]
    for net, dtype in ((single, jnp.float32), (double, jnp.float64)):
        assert {leaf.dtype for leaf in jax.tree.leaves(eqx.filter(net.module, eqx.is_array))} == {jnp.dtype(dtype)}
    assert all(np.all(np.isfinite(run.history["total"])) for run in runs)


@pytest.mark.parametrize("x64", [True], indirect=True)
@pytest.mark.parametrize("activation", [jnp.tanh, jax.nn.silu, jnp.sin])
def test_what_is_computed_again_has_the_same_value_and_gradient(x64, activation):
    kept, _ = burgers(mlp(activation=activation))
    again, _ = burgers(mlp(activation=activation), remat=True)
    kept.solve(4)
    again.solve(4)
    np.testing.assert_allclose(again.history["total"], kept.history["total"], rtol=1e-13)
    for ours, theirs in zip(jax.tree.leaves(again.state.params), jax.tree.leaves(kept.state.params), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("x64", [False], indirect=True)
def test_the_backward_pass_computes_activations_again_and_no_product(x64):
    kept, again = texts(burgers(mlp())[0]), texts(burgers(mlp(), remat=True)[0])
    assert again.count("stablehlo.tanh") == 2 * kept.count("stablehlo.tanh")
    assert again.count("stablehlo.dot_general") == kept.count("stablehlo.dot_general")


@pytest.mark.parametrize("wrong", ["hihgest", "f32", 32])
def test_unknown_precisions_are_told(wrong):
    with pytest.raises(pn.PinnaceError, match=rf"precision={wrong!r} is not known") as caught:
        burgers(mlp(), precision=wrong)
    assert all(name in str(caught.value) for name in PRECISIONS)
    assert wrong != "hihgest" or 'Did you mean "highest"' in str(caught.value)


def test_remat_is_a_truth_value():
    with pytest.raises(pn.PinnaceError, match="remat is True or False; got 'dots'"):
        burgers(mlp(), remat="dots")
