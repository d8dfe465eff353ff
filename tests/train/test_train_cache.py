"""JAX's persistent cache of compilations: a second process compiles nothing, whatever adapts in the step."""

import json
import os
import subprocess
import sys

SCRIPT = """
import json, sys
import equinox as eqx, jax, optax
import pinnace as pn
from pinnace import LearningRateSchedule as lrs

events = []
jax.monitoring.register_event_listener(lambda name, **_: events.append(name))

dom = pn.domain.interval(-1, 1).time(0, 1)
x, t = dom.variable("interior", 64, resample=5)
x0, t0 = dom.variable("initial", 16)
losses = []
for k, name in enumerate(sys.argv[1:]):
    net = pn.nn(eqx.nn.MLP(2, "scalar", 4, 1, key=jax.random.key(k)))
    rate = [lrs.exponential(1e-3, 0.9, 10, 1e-5), lrs(lambda epoch, losses: 1e-3 if losses[0] > 1 else 1e-4)][k % 2]
    net.optimizer(optax.adam(1)).scale(rate)
    u = net(x, t)
    pde, ic = (u.d(t) - (0.1 + k) * u.dd(x)).mse, (net(x0, t0) - x0).mse
    weights = getattr(pn.fn.adaptive, name)([pde, ic])
    losses += [weights[0] * pde, weights[1] * ic, weights[0].tracker(f"w{k}")]
laplacian = pn.np.laplacian(u, [x, t], estimator="hutchinson", samples=2)
crux = pn.core([*losses, (laplacian - u).mse])
crux.solve(3, progress=False)
crux.eval(u)
counts = {name: events.count("/jax/compilation_cache/" + name) for name in ("cache_hits", "cache_misses")}
print(json.dumps(counts | {"total": float(crux.history["total"][-1])}))
"""


def test_a_second_process_compiles_nothing(tmp_path):
    environment = os.environ | {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "PYTHONHASHSEED": "random",
    }
    cells = ["relobralo", "softadapt", "dwa", "lbpinns_loss_balancing", "rlw", "ema", "equal_init"]
    found = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *cells], env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout.splitlines()[-1]))
    first, second = found
    assert first["cache_misses"] > 0
    assert second["cache_misses"] == 0 and second["cache_hits"] >= first["cache_misses"]
    assert first["total"] == second["total"]
