"""What is trained, and the optimizer and rate attached to it."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import equinox as eqx
import jax
import optax

from pinnace._errors import FieldError
from pinnace.expr import Expr, Identity
from pinnace.optim.untrained import untrained
from pinnace.schedule import LearningRateSchedule

PyTree = Any


class Binding:
    """An optimizer attached to what it trains, with the schedule that scales its updates.

    Its identity is the attachment: the same transformation attached again starts anew.
    """

    def __init__(self, tx: optax.GradientTransformation) -> None:
        self.tx = optax.with_extra_args_support(_checked(tx))
        self.schedule: LearningRateSchedule | None = None


class Trainable(Identity):
    """A module with parameters, an optimizer and a name: what networks and unknown numbers have in common."""

    stem: ClassVar[str] = "u"

    def __init__(self, module: PyTree, name: str | None) -> None:
        super().__init__(name)
        self.module = module
        self.binding: Binding | None = None
        self.frozen: PyTree = False
        self.chosen: PyTree = True

    def optimizer(self, tx: optax.GradientTransformation, *, filter: PyTree = True) -> Self:
        """Train with this optax transformation, from fresh moments and a count of zero.

        `filter` says which parameters: an Equinox filter, that is a function of a leaf or a tree of booleans.
        Attach a rate with `.scale(schedule)`; build the transformation with a rate of 1 then.

        >>> import equinox as eqx, jax, optax
        >>> import pinnace as pn
        >>> net = pn.nn(eqx.nn.MLP(1, 1, 8, 1, key=jax.random.key(0)))
        >>> net = net.optimizer(optax.adam(1)).scale(1e-3)
        """
        self.binding, self.chosen = Binding(tx), filter
        self.mask()
        return self

    def scale(self, schedule: Any) -> Self:
        """Multiply the updates by this rate at each step: a number, a schedule, or a function of (epoch, losses).

        Moments and count of the optimizer go on. Raises FieldError where no optimizer is attached.
        """
        if self.binding is None:
            raise FieldError(
                f"scale sets the rate of an optimizer, and {self!r} has none yet: write "
                f"`.optimizer(optax.adam(1)).scale(...)`."
            )
        self.binding.schedule = as_rate(schedule)
        return self

    def freeze(self, filter: PyTree = True) -> Self:
        """Keep these parameters: all, or those that an Equinox filter chooses. `freeze(False)` undoes it."""
        self.frozen = filter
        self.mask()
        return self

    def mask(self) -> PyTree:
        """A tree of booleans like `module`: which leaves are trained."""
        return jax.tree.map(
            lambda leaf, chosen, frozen, held: bool(eqx.is_inexact_array(leaf)) and chosen and not frozen and not held,
            self.module,
            self.spread(self.chosen),
            self.spread(self.frozen),
            untrained(self.module),
        )

    def spread(self, filter: PyTree) -> PyTree:
        """An Equinox filter as a tree of booleans like `module`.

        Raises FieldError for a tree of another structure.
        """

        def below(chosen: Any, part: PyTree) -> PyTree:
            return jax.tree.map(lambda leaf: _counts(chosen, leaf), part)

        if isinstance(filter, bool) or (callable(filter) and not isinstance(filter, eqx.Module)):
            return below(filter, self.module)
        try:
            return jax.tree.map(below, filter, self.module)
        except ValueError as wrong:
            raise FieldError(
                f"the filter for {self!r} is a function of a leaf, or a tree of booleans like its module; got a tree "
                f"of another structure: {wrong}."
            ) from None


def optimizer(members: Sequence[Any], tx: optax.GradientTransformation) -> "Group":
    """Train several networks and parameters as one vector, as L-BFGS and Gauss-Newton should.

    >>> import optax
    >>> import pinnace as pn
    >>> a, b = pn.parameter(1.0), pn.parameter(2.0)
    >>> group = pn.optimizer([a, b], optax.lbfgs()).scale(1.0)
    """
    if not isinstance(members, (list, tuple)) or not members:
        raise FieldError(f"pn.optimizer takes a list of networks and parameters; got {members!r}.")
    binding = Binding(tx)
    for member in members:
        trainable = trainable_of(member)
        trainable.binding, trainable.chosen = binding, True
    return Group(binding)


class Group:
    """Several networks and parameters under one optimizer; `scale` sets its rate."""

    def __init__(self, binding: Binding) -> None:
        self._binding = binding

    def scale(self, schedule: Any) -> "Group":
        """Multiply the updates by this rate at each step."""
        self._binding.schedule = as_rate(schedule)
        return self


def trainable_of(thing: Any) -> Trainable:
    """The trainable behind a network or a parameter.

    Raises FieldError for anything else.
    """
    if isinstance(thing, Trainable):
        return thing
    if isinstance(thing, Expr) and thing.kind == "parameter":
        return thing.data[0]
    raise FieldError(f"only networks (pn.nn) and parameters (pn.parameter) are trained; got {thing!r}.")


def as_rate(schedule: Any) -> LearningRateSchedule:
    """A number, a callable or a schedule, as a schedule."""
    return schedule if isinstance(schedule, LearningRateSchedule) else LearningRateSchedule(schedule)


def _counts(chosen: Any, leaf: Any) -> bool:
    """Whether a filter takes a leaf; functions are asked about what can be trained only."""
    return eqx.is_inexact_array(leaf) and bool(chosen(leaf)) if callable(chosen) else bool(chosen)


def _checked(tx: Any) -> optax.GradientTransformation:
    if isinstance(tx, optax.GradientTransformation):
        return tx
    if callable(tx):
        shown = getattr(tx, "__name__", "adam")
        raise FieldError(
            f"an optimizer is an optax transformation; got the function {shown}. Call it: optax.{shown}(1)."
        )
    raise FieldError(f"an optimizer is an optax transformation such as optax.adam(1e-3); got {tx!r}.")
