"""Losses in, placeholders out: a balancer as part of the language."""

from collections.abc import Mapping, Sequence
from typing import Any

from pinnace._errors import BalanceError
from pinnace.balance import Balancer, LossBalancer, reads_of
from pinnace.expr import Expr, Identity, Names, PointSet, factory_name, text
from pinnace.fn.form import Form, OfLosses

OF_PARAMETERS = frozenset({"grads", "traces"})
"""What balancers read that depends on the parameters chosen."""


class Cell(Identity):
    """Something that weighs, with what it looks at; moves once a step, however often its weights are used.

    `inputs` are the expressions whose values it sees, `losses` those of them that are raw losses, `form` says how it
    is called, `reads` what else it wants to know, `filter` of which parameters; `stays` are points that must not move,
    and `restless` tells whether its weights are other ones at each step.
    """

    stem = "balancer"

    def __init__(
        self,
        balancer: Any,
        inputs: Sequence[Expr],
        form: Form,
        *,
        losses: Sequence[Expr] = (),
        reads: frozenset[str] = frozenset(),
        filter: Any = True,
        stays: PointSet | None = None,
    ) -> None:
        super().__init__(factory_name(balancer))
        self.balancer, self.inputs, self.form = balancer, tuple(inputs), form
        self.losses, self.reads, self.filter = tuple(losses), reads, filter
        self.stays = stays
        self.restless = balancer.restless if isinstance(balancer, LossBalancer) else True

    def target(self, index: int, names: Names) -> str:
        """What the loss, or the residual, behind a weight is called."""
        return text(self.inputs[index], names)

    def label(self, index: int, names: Names) -> str:
        """What a weight is called: w(pde), and rba(residual) where it is one a point."""
        return f"{'w' if self.losses else self.name}({self.target(index, names)})"

    def targets(self, names: Names) -> str:
        """All that it looks at."""
        return ", ".join(self.target(index, names) for index in range(len(self.losses or self.inputs)))


def weigh(losses: Sequence[Expr] | Mapping[str, Expr], balancer: Balancer, *, filter: Any = True) -> Any:
    """Weights for some losses from any balancer, your own included: one placeholder a loss.

    A list of losses gives a tuple of placeholders, a dict gives a dict. The balancer is anything with
    `init(m) -> state` and `update(losses, state) -> (weights, state)`, see `pinnace.balance.Balancer`. The
    placeholders are constants for differentiation; multiply losses by them and log them with `.tracker()`.

    For balancers that look at gradients, `filter` says by which parameters: an Equinox filter (a function of a leaf, or
    a tree of booleans like the module of the one network), or a dict `{net: filter}`, which leaves others out.
    Raises BalanceError where there is no list of scalar losses, and for a filter that nothing would look at.

    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 10)
    >>> a, b = pn.weigh([(x - 1).mse.named("a"), x.mse.named("b")], pn.balance.relobralo())
    >>> print(a)
    w(a)
    """
    reads = reads_of(balancer)
    keys = tuple(losses) if isinstance(losses, Mapping) else None
    listed = list(losses.values()) if isinstance(losses, Mapping) else losses
    _check(listed)
    if filter is not True and not reads & OF_PARAMETERS:
        raise BalanceError(
            f"{type(balancer).__name__} does not look at gradients, so filter={filter!r} does nothing. Leave it out."
        )
    behind = [_residual(loss, type(balancer).__name__) for loss in listed] if "residuals" in reads else []
    form = OfLosses(len(listed), keys)
    cell = Cell(balancer, [*listed, *behind], form, losses=listed, reads=reads, filter=filter)
    weights = tuple(Expr("weight", cell.inputs, (cell, index)) for index in range(len(cell.losses)))
    return dict(zip(keys, weights, strict=True)) if keys is not None else weights


def _residual(loss: Expr, name: str) -> Expr:
    """What a loss reduces: for a balancer that looks at residuals."""
    while loss.kind == "named":
        (loss,) = loss.args
    if loss.kind != "reduce" or loss.data[0] == "relative_l2":
        raise BalanceError(
            f"{name} looks at the residuals behind the losses, and `{text(loss)}` is not the reduction of one. Give "
            f"losses such as `r.mse`."
        )
    return loss.args[0]


def _check(losses: Any) -> None:
    if isinstance(losses, Expr):
        raise BalanceError(f"a balancer takes a list of losses, [pde, bc]; got the one expression `{text(losses)}`.")
    if not isinstance(losses, (list, tuple)) or not losses:
        raise BalanceError(f"a balancer takes a list (or a dict) of losses, [pde, bc]; got {losses!r}.")
    for loss in losses:
        if not isinstance(loss, Expr):
            raise BalanceError(f"a balancer takes losses, which are expressions; got {loss!r}.")
        shown = text(loss)
        if loss.points is not None or loss.shape:
            where = f"a value at each of {loss.points.size} points" if loss.points else f"shape {loss.shape}"
            raise BalanceError(
                f"`{shown}` has {where}, but a balancer weighs scalars. Reduce it, for example `({shown}).mse`."
            )
        if loss.kind == "weight":
            raise BalanceError(f"`{shown}` is a weight; a balancer takes the losses themselves.")
    if len(set(losses)) < len(losses):
        twice = next(loss for k, loss in enumerate(losses) if loss in losses[:k])
        raise BalanceError(f"`{text(twice)}` is in the list twice; a balancer gives one weight a loss.")
