"""`pn.fn.adaptive`: every balancer and adaptive rate under its name, for losses of the language.

Each balancer takes a list (or a dict) of losses and the arguments of its namesake in `pinnace.balance`, and gives
one placeholder a loss: `w_pde, w_bc = pn.fn.adaptive.relobralo([pde, bc], alpha=0.99)`. Point weights take a residual
and give one placeholder for all its points: `lam = pn.fn.adaptive.rba(r)`, then `(lam * r).mse`. What moves points is
an entry of `core`: `pn.fn.adaptive.rad(r, every=1000)`.
"""

import inspect
from collections.abc import Callable
from typing import Any

from pinnace import balance
from pinnace._errors import BalanceError
from pinnace.expr import Expr
from pinnace.fn.cell import OF_PARAMETERS, weigh
from pinnace.fn.movers import r3 as r3
from pinnace.fn.movers import rad as rad
from pinnace.fn.movers import rar_d as rar_d
from pinnace.fn.point_weights import brdr as brdr
from pinnace.fn.point_weights import causal as causal
from pinnace.fn.point_weights import rba as rba
from pinnace.fn.point_weights import sa as sa
from pinnace.schedule import dlrs as dlrs

FILTER = inspect.Parameter("filter", inspect.Parameter.KEYWORD_ONLY, default=True)
Losses = inspect.Parameter("losses", inspect.Parameter.POSITIONAL_ONLY)


def of_losses(factory: Callable[..., balance.LossBalancer]) -> Callable[..., Any]:
    """The same balancer, for losses of the language.

    >>> of_losses(balance.rlw).__name__
    'rlw'
    """

    signature = inspect.signature(factory)
    extra = [FILTER] if signature.return_annotation.reads & OF_PARAMETERS else []

    def place(losses: Any, /, *misplaced: Any, **numbers: Any) -> Any:
        if isinstance(losses, Expr) or any(isinstance(extra, Expr) for extra in misplaced):
            count = 1 + len(misplaced)
            raise BalanceError(
                f"{factory.__name__} takes its losses as one list; got {count} "
                f"expression{'s' * (count > 1)}. Write {factory.__name__}([pde, bc], ...)."
            )
        if misplaced:
            raise BalanceError(f"{factory.__name__} takes its numbers by name; got {misplaced!r} after the losses.")
        chosen = {one.name: numbers.pop(one.name) for one in extra if one.name in numbers}
        try:
            bound = signature.bind(**numbers)
        except TypeError as wrong:
            raise BalanceError(f"{factory.__name__}{signature}: {wrong}.") from None
        return weigh(losses, factory(**bound.arguments), **chosen)

    keywords = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in signature.parameters.values()]
    place.__name__ = place.__qualname__ = factory.__name__
    beside = "; `filter` says by which parameters gradients are taken, see `pinnace.weigh`" if extra else ""
    place.__doc__ = (
        f"Weights for a list (or a dict) of losses, one placeholder a loss; the arguments are those of "
        f"`pinnace.balance.{factory.__name__}`{beside}:\n\n{inspect.getdoc(factory)}"
    )
    setattr(place, "__signature__", signature.replace(parameters=[Losses, *keywords, *extra], return_annotation=Any))  # noqa: B010
    return place


relobralo = of_losses(balance.relobralo)
softadapt = of_losses(balance.softadapt)
dwa = of_losses(balance.dwa)
lbpinns_loss_balancing = of_losses(balance.lbpinns_loss_balancing)
rlw = of_losses(balance.rlw)
equal_init = of_losses(balance.equal_init)
ema = of_losses(balance.ema)
equal_init_ema = of_losses(balance.equal_init_ema)
grad_norm = of_losses(balance.grad_norm)
lra = of_losses(balance.lra)
ntk = of_losses(balance.ntk)
gradnorm = of_losses(balance.gradnorm)


def fixed(losses: Any, /, weights: Any) -> Any:
    """Constant weights, as placeholders: what other balancers are compared with.

    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 10)
    >>> w_a, w_b = fixed([x.mse.named("a"), (x - 1).mse.named("b")], [1.0, 10.0])
    """
    return weigh(losses, balance.fixed(weights))
