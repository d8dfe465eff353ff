"""All balancers and point weights by name, for those who choose at run time. A new one is a file, and a line here."""

import inspect
from collections.abc import Callable
from typing import Any

from pinnace._errors import BalanceError, did_you_mean, listed
from pinnace.balance._base import LossBalancer
from pinnace.balance._brdr import brdr
from pinnace.balance._causal import causal
from pinnace.balance._dwa import dwa
from pinnace.balance._equal import ema, equal_init, equal_init_ema
from pinnace.balance._fixed import fixed
from pinnace.balance._grad_norm import grad_norm
from pinnace.balance._gradnorm import gradnorm
from pinnace.balance._lbpinns import lbpinns_loss_balancing
from pinnace.balance._lra import lra
from pinnace.balance._ntk import ntk
from pinnace.balance._point_weights import PointWeights
from pinnace.balance._rba import rba
from pinnace.balance._relobralo import relobralo
from pinnace.balance._rlw import rlw
from pinnace.balance._sa import sa
from pinnace.balance._softadapt import softadapt

BALANCERS: dict[str, Callable[..., LossBalancer]] = {
    "relobralo": relobralo,
    "softadapt": softadapt,
    "dwa": dwa,
    "lbpinns_loss_balancing": lbpinns_loss_balancing,
    "rlw": rlw,
    "fixed": fixed,
    "equal_init": equal_init,
    "ema": ema,
    "equal_init_ema": equal_init_ema,
    "grad_norm": grad_norm,
    "lra": lra,
    "ntk": ntk,
    "gradnorm": gradnorm,
}
"""The factories by name."""

POINT_WEIGHTS: dict[str, Callable[..., PointWeights]] = {"rba": rba, "sa": sa, "brdr": brdr, "causal": causal}
"""The factories of point weights by name."""


def by_name(name: str, **numbers: Any) -> LossBalancer:
    """The balancer of that name, with these arguments.

    Raises BalanceError for a name or an argument that does not exist, and for one that is missing.

    >>> by_name("relobralo", tau=0.5).tau
    0.5
    """
    if name not in BALANCERS:
        raise BalanceError(
            f'There is no balancer "{name}": expected one of {listed(BALANCERS)}.{did_you_mean(name, BALANCERS)}'
        )
    factory = BALANCERS[name]
    parameters = inspect.signature(factory).parameters
    for argument in numbers:
        if argument not in parameters:
            raise BalanceError(
                f'{name} has no argument "{argument}": expected some of {listed(parameters)}.'
                f"{did_you_mean(argument, parameters)}"
            )
    for argument, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and argument not in numbers:
            raise BalanceError(f'{name} needs its argument "{argument}". Write {name}({argument}=...).')
    return factory(**numbers)
