"""The rules that all balancers share. A concrete one is its formula: `move`, and where it starts."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Int, PyTree

from pinnace._errors import BalanceError
from pinnace.balance._arguments import Arguments
from pinnace.balance._contract import given_signals
from pinnace.balance._losses import Losses, PerLoss, as_vector, check_fit, how_many, in_the_face_of
from pinnace.balance._measured import as_traces, as_trees
from pinnace.balance._mode import MODES

MEASURED = frozenset({"grads", "traces", "residuals"})


class BalancerState(NamedTuple):
    """Everything of a balancer that changes: arrays of fixed shape and dtype."""

    calls: Int[Array, ""]
    moves: Int[Array, ""]
    weights: Float[Array, " m"]
    scaling: PyTree[Array]
    memory: PyTree[Array]


class Moment(NamedTuple):
    """What a formula sees when it moves.

    `losses` as the mode shows them, `weights` of the previous move (clamped), `t` the number of moves
    before this one, and those of the signals that the balancer reads: `grads` as a tuple of m pytrees and
    `traces` as a vector, both in the order of `losses`.
    """

    losses: Float[Array, " m"]
    weights: Float[Array, " m"]
    t: Int[Array, ""]
    step: Int[Array, ""] | None = None
    grads: tuple[PyTree, ...] | None = None
    traces: Float[Array, " m"] | None = None
    residuals: PyTree = None
    key: Any = None


class LossBalancer(eqx.Module):
    """A balancer that moves at calls 0, k, 2k, ... (`every=k`) where everything that it reads is finite.

    Where it does not move, its weights, its memory and its random draws stand, until the next of these
    calls. A move is: scaling by `mode`, the formula (`move`), clamps. A subclass gives `move`, and what it
    needs of `reads`, `weights_before`, `memory_before`, `listen`, `due`, `clamp` and `per_loss`.

    >>> class Inverse(LossBalancer):
    ...     def move(self, now, memory):
    ...         return 1 / (1 + now.losses), memory
    >>> balancer = Inverse(max_weight=0.5)
    >>> balancer.update([0.0, 3.0], balancer.init(2))[0].tolist()
    [0.5, 0.25]
    """

    mode: str = eqx.field(default="raw", static=True, kw_only=True)
    every: int | Array = eqx.field(default=1, kw_only=True)
    min_weight: float | Array | None = eqx.field(default=None, kw_only=True)
    max_weight: float | Array | None = eqx.field(default=None, kw_only=True)

    reads: ClassVar[frozenset[str]] = frozenset()

    def __check_init__(self) -> None:
        Arguments(type(self)).common(self.mode, self.every, self.min_weight, self.max_weight)

    @abstractmethod
    def move(self, now: Moment, memory: Any) -> tuple[Float[Array, " m"], Any]:
        """The formula: weights before clamps, and what is remembered for the next move."""

    def weights_before(self, m: int, dtype: Any) -> Float[Array, " m"]:
        """The weights before the first move."""
        return jnp.ones(m, dtype)

    def memory_before(self, m: int, dtype: Any) -> PyTree[Array]:
        """What the formula remembers, before the first move."""
        return ()

    def per_loss(self) -> dict[str, PerLoss]:
        """The arguments that may be given one a loss."""
        return {}

    @property
    def restless(self) -> bool:
        """Whether its weights are other ones at each step, so that a line search compares losses that differ."""
        return isinstance(self.every, int) and self.every == 1

    def due(self, state: BalancerState) -> Bool[Array, ""]:
        """Whether the next `update` moves, if all is finite; else gradients need not be computed."""
        return state.calls % self.every == 0

    def listen(self, losses: Float[Array, " m"], memory: Any, due: Bool[Array, ""]) -> tuple[Float[Array, " m"], Any]:
        """What a move would see of the losses; called at every step, and what it remembers always counts."""
        return losses, memory

    def clamp(self, weights: Float[Array, " m"]) -> Float[Array, " m"]:
        """Weights within `min_weight` and `max_weight`."""
        return jnp.clip(weights, self.min_weight, self.max_weight)

    def init(self, m: int | Losses, *, dtype: Any = None) -> BalancerState:
        """The state for m losses, with weights at their initial value.

        `m`: their number, or the losses themselves (only their number and names matter). `dtype` of the
        state: float32 or float64, by default JAX's default float. Raises BalanceError for another dtype, no
        losses, or an argument given for another number of losses.

        >>> from pinnace import balance
        >>> balance.fixed([1.0, 100.0]).init(2).weights.tolist()
        [1.0, 100.0]
        """
        number = how_many(m)
        kind = jnp.dtype(jnp.result_type(float) if dtype is None else dtype)
        if kind not in (jnp.dtype("float32"), jnp.dtype("float64")):
            raise BalanceError(f"init(dtype={kind.name}): expected float32 or float64. Leave it out for the default.")
        for argument, numbers in self.per_loss().items():
            check_fit(argument, numbers, m, number)
        return BalancerState(
            calls=jnp.zeros((), int),
            moves=jnp.zeros((), int),
            weights=self.weights_before(number, kind),
            scaling=MODES[self.mode].start(number, kind),
            memory=self.memory_before(number, kind),
        )

    def update(
        self,
        losses: Losses,
        state: BalancerState,
        *,
        step: Int[Array, ""] | int | None = None,
        grads: PyTree = None,
        traces: Losses | None = None,
        residuals: PyTree = None,
        key: Any = None,
    ) -> tuple[Any, BalancerState]:
        """The weights of this step, and the next state. To be called once a step.

        `losses`: raw values, a vector `[m]`, a sequence of m scalars, or a dict of scalars (then the
        weights are a dict with the same keys). The keyword arguments matter where they are in `reads`, see
        `Balancer`; where the balancer is not `due`, gradients and traces need not be computed: zeros do.
        Weights come in the dtype of the losses and are constants for differentiation. Raises BalanceError
        for losses of another number or shape, and for a signal that is missing or does not fit.

        >>> from pinnace import balance
        >>> balancer = balance.equal_init(normalize=False)
        >>> weights, state = balancer.update({"pde": 2.0, "bc": 0.5}, balancer.init(2))
        >>> {name: round(float(w), 3) for name, w in weights.items()}
        {'pde': 0.5, 'bc': 2.0}
        """
        m, dtype = state.weights.shape[0], state.weights.dtype
        values = as_vector(losses, m)
        for argument, numbers in self.per_loss().items():
            check_fit(argument, numbers, losses, m)
        signals = given_signals(self.reads, step=step, grads=grads, traces=traces, residuals=residuals, key=key)
        if "grads" in signals:
            signals["grads"] = as_trees(signals["grads"], losses, m)
        if "traces" in signals:
            signals["traces"] = as_traces(signals["traces"], losses, m).astype(dtype)
        after = self._after(jax.lax.stop_gradient(values).astype(dtype), state, signals)
        return in_the_face_of(losses, after.weights.astype(values.dtype)), after

    def _after(self, values: Float[Array, " m"], state: BalancerState, signals: dict[str, Any]) -> BalancerState:
        """The next state: moved where it is due and all is finite."""
        measured = {name: jax.lax.stop_gradient(signals[name]) for name in MEASURED & self.reads}
        due = self.due(state)
        heard, memory = self.listen(values, state.memory, due)
        audible = _all_finite(heard)
        # Ones where nothing may move: a formula never meets a NaN, and `jax_debug_nans` stays quiet.
        seen, scaling = MODES[self.mode].see(jnp.where(audible, heard, 1), state.scaling)
        now = Moment(seen, state.weights, state.moves, **{**signals, **measured})

        def stand() -> BalancerState:
            return BalancerState(state.calls + 1, state.moves, state.weights, state.scaling, memory)

        def attempt() -> BalancerState:
            weights, remembered = self.move(now, memory)
            weights = self.clamp(weights)
            # These too: numbers beyond what the formulas were made for must not poison the state either.
            moves = due & audible & _all_finite(weights) & _no_nan(remembered)

            def kept(new: Array, old: Array) -> Array:
                return jnp.where(moves, new, old).astype(old.dtype)

            return BalancerState(
                calls=state.calls + 1,
                moves=state.moves + moves,
                weights=kept(weights, state.weights),
                scaling=jax.tree.map(kept, scaling, state.scaling),
                memory=jax.tree.map(kept, remembered, memory),
            )

        # Gradients are large: between moves, not even their norms are taken.
        if measured:
            return _where(due & audible, lambda: _where(_all_finite(measured), attempt, stand), stand)
        return attempt()


def _where(
    condition: Bool[Array, ""], then: Callable[[], BalancerState], otherwise: Callable[[], BalancerState]
) -> BalancerState:
    """One of two: by Python where the condition is known, since `lax.cond` compiles anew for each call."""
    if isinstance(condition, Tracer):
        return jax.lax.cond(condition, then, otherwise)
    return then() if condition else otherwise()


def _no_nan(memory: PyTree[Array]) -> Bool[Array, ""]:
    """Infinities may stand for what was not seen yet."""
    numbers = filter(eqx.is_inexact_array, jax.tree.leaves(memory))
    return ~jnp.any(jnp.array([jnp.any(jnp.isnan(leaf)) for leaf in numbers], bool))


def _all_finite(tree: PyTree[Array]) -> Bool[Array, ""]:
    finite = [jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)]
    return jnp.all(jnp.stack(finite)) if finite else jnp.array(True)
