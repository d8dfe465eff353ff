"""A training that may be killed: `python killed.py FILE STEPS` goes on from the file if there is one.

Ends by writing a digest of everything that changes to FILE.digest. All kinds of state are in it: random draws, points
that are drawn anew, point weights, L-BFGS beside Adam, a rate and a balancer that remember.
"""

import hashlib
import sys
import time
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import pinnace as pn


def problem():
    dom = pn.domain.interval(0, 1).time(0, 1)
    x, t = dom.variable("interior", 32, resample=3)
    x0, t0 = dom.variable("initial", 8)
    net = pn.nn(eqx.nn.MLP(2, "scalar", 8, 1, jnp.tanh, key=jax.random.key(0)), name="u")
    net.optimizer(optax.adam(1)).scale(pn.fn.adaptive.dlrs(lr0=1e-2, window=3))
    k = pn.parameter(0.3, name="k", positive=True).optimizer(optax.lbfgs(memory_size=4))
    u = net(x, t)
    miss = net(x0, t0) - pn.np.sin(np.pi * x0)
    pde = (u.d(t) + k * u.d(x)).mse.named("pde")
    ic = (pn.fn.adaptive.rba(miss) * miss).mse.named("ic")
    w_pde, w_ic = pn.fn.adaptive.rlw([pde, ic], seed=5)
    v_pde, v_ic = pn.fn.adaptive.relobralo([pde, ic], expected_rho=0.5)
    entries = [w_pde * v_pde * pde, w_ic * v_ic * ic, w_pde.tracker(), k.tracker("k", every=3)]
    return pn.core(entries, key=3), pde


def digest(crux):
    found = hashlib.sha256()
    for leaf in jax.tree.leaves(crux.state):
        found.update(np.asarray(leaf).tobytes())
    for name in crux.history:
        found.update(name.encode() + crux.history.steps(name).tobytes() + crux.history[name].tobytes())
    found.update(repr((crux.best.step, crux.best.value)).encode())
    for leaf in jax.tree.leaves(crux.best.settle()):
        found.update(np.asarray(leaf).tobytes())
    return found.hexdigest()


def slowly(run):
    if run.steps <= 5:
        print("goes", flush=True)
    time.sleep(0.01)


def main(path, steps):
    import warnings

    warnings.simplefilter("ignore", pn.PinnaceWarning)  # L-BFGS and points that move
    crux, _ = problem()
    if path.exists():
        crux.load(path)
    print("begins", crux.steps, flush=True)
    crux.solve(
        until=steps,
        checkpoint=path,
        checkpoint_every=5,
        callbacks=slowly,
        best="pde",
        stop=pn.stop.patience("pde", 10_000),
    )
    path.with_suffix(".digest").write_text(digest(crux))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
