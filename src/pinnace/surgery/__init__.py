"""Gradient surgery: one direction from the gradients of several losses, where a sum would let them fight.

>>> import jax.numpy as jnp
>>> from pinnace import surgery
>>> combine = surgery.config()
>>> state = combine.init(2)
>>> grads = [{"w": jnp.array([1.0, 0.0])}, {"w": jnp.array([-0.5, 0.5])}]
>>> direction, state = combine.update(grads, state)
>>> bool(jnp.all(jnp.stack([jnp.vdot(g["w"], direction["w"]) for g in grads]) > 0))
True

In the language: `pn.core(entries, surgery=pn.surgery.config())`. All of it is pure and works under `jit`, `vmap` and
`scan`.
"""

from pinnace.surgery._config import config as config
from pinnace.surgery._contract import Surgery as Surgery
from pinnace.surgery._dcgd import dcgd as dcgd
from pinnace.surgery._pcgrad import pcgrad as pcgrad
from pinnace.surgery._registry import SURGERIES as SURGERIES
