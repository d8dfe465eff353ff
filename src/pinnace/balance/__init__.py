"""Loss balancers: pure `(init, update)` pairs that turn the values of m losses into m weights.

>>> import jax.numpy as jnp
>>> from pinnace import balance
>>> balancer = balance.relobralo(tau=0.5)
>>> state = balancer.init(2)
>>> weights, state = balancer.update(jnp.array([1.0, 1e-3]), state)
>>> weights.tolist()
[1.0, 1.0]

Both functions are pure and work under `jit`, `vmap` and `scan`. The balancer itself is a pytree whose
numbers are leaves: passed to a jitted function as an argument, other numbers compile nothing.
"""

from pinnace.balance._base import BalancerState as BalancerState
from pinnace.balance._base import LossBalancer as LossBalancer
from pinnace.balance._base import Moment as Moment
from pinnace.balance._brdr import brdr as brdr
from pinnace.balance._causal import causal as causal
from pinnace.balance._contract import Balancer as Balancer
from pinnace.balance._contract import reads_of as reads_of
from pinnace.balance._dwa import dwa as dwa
from pinnace.balance._equal import ema as ema
from pinnace.balance._equal import equal_init as equal_init
from pinnace.balance._equal import equal_init_ema as equal_init_ema
from pinnace.balance._fixed import fixed as fixed
from pinnace.balance._grad_norm import grad_norm as grad_norm
from pinnace.balance._gradnorm import gradnorm as gradnorm
from pinnace.balance._host import AdaptiveLossWeights as AdaptiveLossWeights
from pinnace.balance._lbpinns import lbpinns_loss_balancing as lbpinns_loss_balancing
from pinnace.balance._lra import lra as lra
from pinnace.balance._ntk import ntk as ntk
from pinnace.balance._point_weights import PointWeights as PointWeights
from pinnace.balance._rba import rba as rba
from pinnace.balance._registry import BALANCERS as BALANCERS
from pinnace.balance._registry import POINT_WEIGHTS as POINT_WEIGHTS
from pinnace.balance._registry import by_name as by_name
from pinnace.balance._relobralo import relobralo as relobralo
from pinnace.balance._rlw import rlw as rlw
from pinnace.balance._sa import sa as sa
from pinnace.balance._softadapt import softadapt as softadapt
from pinnace.balance._trace import ntk_trace as ntk_trace
