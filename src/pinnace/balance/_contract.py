"""What anything must have to be used as a balancer, whoever wrote it."""

from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array, PyTree

from pinnace._errors import BalanceError, did_you_mean, listed

SIGNALS = ("step", "grads", "traces", "residuals", "key")


@runtime_checkable
class Balancer(Protocol):
    """A cell that weighs losses: two pure functions, and optionally what the second one reads.

    `init(m)` gives the state for m losses: a pytree of arrays with fixed shapes and dtypes. `update(losses,
    state)` is called exactly once a step and gives `(weights, state)`: one weight a loss, and the same
    pytree of arrays again, so that it can be the carry of a loop. Weights are constants for
    differentiation.

    An attribute `reads`, a set of some of the following, asks for more than the losses: `update` is then
    called with exactly these as keyword arguments, and nothing that is not in it is computed. Without the
    attribute only the losses are given.

    - "step": the number of this step, from 0;
    - "grads": for each loss the gradient of its raw value with respect to the trained parameters, a
      sequence of m pytrees (for losses in a dict, a dict of pytrees with its keys);
    - "traces": for each loss that is a mean of squares the trace of its neural tangent kernel over the
      number of its residuals, as `ntk_trace` computes it: `[m]`, or a dict with the keys of the losses;
    - "residuals": for each loss that reduces a residual, such as `r.mse`, the values of this at its points, a
      sequence of m arrays `[n, *shape]`, or a dict with the keys of the losses;
    - "key": a random key.

    Subclassing `LossBalancer` instead gives modes, `every`, clamps and the rule for non-finite losses as
    well.

    >>> import jax.numpy as jnp
    >>> class Inverse:
    ...     def init(self, m):
    ...         return jnp.ones(m)
    ...
    ...     def update(self, losses, state):
    ...         state = 0.9 * state + 0.1 / (losses + 1e-8)
    ...         return state, state
    >>> isinstance(Inverse(), Balancer)
    True
    """

    def init(self, m: Any) -> PyTree:
        """State for m losses."""
        ...

    def update(self, losses: Any, state: PyTree, *args: Any, **signals: Any) -> tuple[Any, PyTree]:
        """Weights of this step, and the state for the next."""
        ...


@runtime_checkable
class _Reads(Protocol):
    reads: frozenset[str]


def reads_of(balancer: Balancer) -> frozenset[str]:
    """The keyword arguments that the balancer's `update` wants beside the losses.

    Raises BalanceError if `balancer` is none, or wants something that does not exist.

    >>> from pinnace import balance
    >>> reads_of(balance.rlw())
    frozenset()
    """
    if not isinstance(balancer, Balancer):
        raise BalanceError(
            f"{balancer!r} is not a balancer: expected an object with `init(m)` and `update(losses, state)`, "
            "for example pinnace.balance.relobralo()."
        )
    reads = frozenset(balancer.reads) if isinstance(balancer, _Reads) else frozenset[str]()
    for name in sorted(reads.difference(SIGNALS)):
        raise BalanceError(
            f'{type(balancer).__name__} reads "{name}", which does not exist: expected some of '
            f"{listed(SIGNALS)}.{did_you_mean(name, SIGNALS)}"
        )
    return reads


def given_signals(reads: frozenset[str], **signals: PyTree[Array] | None) -> dict[str, PyTree]:
    """The signals that are read; an error names the one that is missing."""
    missing = [name for name in sorted(reads) if signals[name] is None]
    if missing:
        raise BalanceError(
            f"This balancer reads {listed(missing)}, but `update` was called without. "
            f"Write update(losses, state, {missing[0]}=...)."
        )
    return {name: signals[name] for name in reads}
