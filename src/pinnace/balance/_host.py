"""Balancers for loops outside the language: names and plain numbers, and a state that a checkpoint can hold."""

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from pinnace._errors import BalanceError, did_you_mean, listed
from pinnace.balance._arguments import Arguments
from pinnace.balance._base import BalancerState, LossBalancer
from pinnace.balance._registry import BALANCERS, by_name


@jax.jit
def _moved(balancer: LossBalancer, losses: dict[str, Float[Array, ""]], state: BalancerState) -> BalancerState:
    return balancer.update(losses, state)[1]


class AdaptiveLossWeights:
    """Adaptive weights for losses by name, in a loop of one's own.

    `loss_names`: what the losses are called. `initial_weights`: a number by name, at least 0; the weights before the
    first move. `strategy`: "equal_init", "equal_init_ema", "ema", "fixed", or any other balancer of losses by name
    (`pinnace.balance.BALANCERS`); of "fixed" they are the weights, and the first three start from them. `ema_alpha`,
    `ema_beta`: shares of the past in the averages of losses and of weights. `update_frequency`: epochs from one move
    to the next. `eps`, `min_weight`, `max_weight`, `normalize`: as of `equal_init` and `ema`; the clamps hold for all
    strategies but "fixed". `numbers`: arguments of another balancer, for example `tau=0.5` with "relobralo". Raises
    BalanceError for a strategy that reads more than losses, and for arguments that do not fit.

    Source: the class of this name in adaptive loss weighting in PINN practice.

    >>> names = ["pde", "bc"]
    >>> adaptive = AdaptiveLossWeights(names, {"pde": 1.0, "bc": 1.0}, normalize=False)
    >>> weights = adaptive.update(1, {"pde": 0.01, "bc": 2.0})
    >>> {name: round(weight, 3) for name, weight in weights.items()}
    {'pde': 100.0, 'bc': 0.5}
    """

    def __init__(
        self,
        loss_names: Sequence[str],
        initial_weights: Mapping[str, float],
        strategy: str = "equal_init",
        ema_alpha: float = 0.9,
        update_frequency: int = 1,
        eps: float = 1e-8,
        min_weight: float | None = 1e-4,
        max_weight: float | None = 1e4,
        *,
        ema_beta: float = 0.9,
        normalize: bool = True,
        **numbers: Any,
    ) -> None:
        given = Arguments(AdaptiveLossWeights)
        self.loss_names = _names(loss_names)
        self.strategy = given.kind("strategy", strategy, BALANCERS)
        self.update_frequency = given.whole("update_frequency", update_frequency, least=1)
        _fit("initial_weights", initial_weights, self.loss_names)
        start = {name: given.real(f"initial_weights[{name!r}]", initial_weights[name], least=0) for name in loss_names}
        average = {
            "alpha": given.real("ema_alpha", ema_alpha, least=0, most=1),
            "beta": given.real("ema_beta", ema_beta, least=0, most=1),
        }
        clamps = {"min_weight": min_weight, "max_weight": max_weight}
        usual = {"initial_weights": start, "eps": eps, **clamps}
        known: dict[str, dict[str, Any]] = {
            "fixed": {"weights": start},
            "equal_init": {"normalize": normalize, **usual},
            "ema": {**average, **usual},
            "equal_init_ema": {"normalize": normalize, **average, **usual},
        }
        self._balancer = by_name(strategy, **{**known.get(strategy, clamps), **numbers})
        if self._balancer.reads:
            raise BalanceError(
                f'strategy "{strategy}" reads {listed(sorted(self._balancer.reads))}, not only losses. Write '
                f"balancer = pinnace.balance.{strategy}() and balancer.update(losses, state, "
                f"{min(self._balancer.reads)}=...)."
            )
        self._state = self._balancer.init(dict.fromkeys(self.loss_names, 0.0))
        self._weights, self._first = start, None

    def update(self, epoch: int, loss_values: Mapping[str, Any]) -> dict[str, float]:
        """The weights of this epoch, from the raw values of all losses at it; to be called once an epoch.

        The first call with finite losses moves, whatever its epoch; later ones where `update_frequency` divides the
        epochs since then, and all losses are finite. Raises BalanceError for names that are missing or unknown, and
        for values that are no scalars.
        """
        if isinstance(epoch, bool) or not isinstance(epoch, Integral):
            raise BalanceError(f"update got epoch = {epoch!r}, expected a whole number. Write update(epoch, losses).")
        _fit("update", loss_values, self.loss_names)
        if self._first is None or (epoch - self._first) % self.update_frequency == 0:
            dtype = self._state.weights.dtype
            losses = {name: jnp.asarray(loss_values[name], dtype) for name in self.loss_names}
            before = int(self._state.moves)
            self._state = _moved(self._balancer, losses, self._state)
            if int(self._state.moves) > before:
                self._first = int(epoch) if self._first is None else self._first
                self._weights = dict(zip(sorted(self.loss_names), self._state.weights.tolist(), strict=True))
        return self.get_weights()

    def get_weight(self, loss_name: str) -> float:
        """The weight of one loss. Raises BalanceError for a name that is not among the losses."""
        if loss_name not in self.loss_names:
            raise BalanceError(
                f'There is no loss "{loss_name}": expected one of {listed(self.loss_names)}.'
                f"{did_you_mean(loss_name, self.loss_names)}"
            )
        return self._weights[loss_name]

    def get_weights(self) -> dict[str, float]:
        """The weights by name."""
        return {name: self._weights[name] for name in self.loss_names}

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes, for a checkpoint: plain numbers, text and NumPy arrays.

        It can be pickled, saved with `numpy`, or, with its arrays as lists, written as JSON.
        """
        return {
            "strategy": self.strategy,
            "loss_names": list(self.loss_names),
            "first_epoch": self._first,
            "weights": self.get_weights(),
            "arrays": {name: np.asarray(leaf) for name, leaf in self._leaves()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave, as if never interrupted.

        Raises BalanceError for the state of another strategy, of other losses, or of another precision.
        """
        for key in ("strategy", "loss_names", "first_epoch", "weights", "arrays"):
            if key not in state:
                raise BalanceError(f'load_state_dict got a state without "{key}": expected one from state_dict().')
        if state["strategy"] != self.strategy:
            raise BalanceError(
                f'load_state_dict got the state of strategy "{state["strategy"]}", but this one has "{self.strategy}".'
            )
        if sorted(state["loss_names"]) != sorted(self.loss_names):
            raise BalanceError(
                f"load_state_dict got the state of losses {listed(state['loss_names'])}, but this one has "
                f"{listed(self.loss_names)}."
            )
        names, leaves = zip(*self._leaves(), strict=True)
        if sorted(state["arrays"]) != sorted(names):
            raise BalanceError(
                f"load_state_dict got arrays {listed(state['arrays'])}, expected {listed(names)}. "
                "Give the object the arguments that it had when the state was saved."
            )
        loaded = [_like(name, state["arrays"][name], leaf) for name, leaf in zip(names, leaves, strict=True)]
        self._state = jax.tree.unflatten(jax.tree.structure(self._state), loaded)
        self._weights = {name: float(state["weights"][name]) for name in self.loss_names}
        self._first = state["first_epoch"]

    def _leaves(self) -> list[tuple[str, Array]]:
        paths = jax.tree_util.tree_flatten_with_path(self._state)[0]
        return [(jax.tree_util.keystr(path).lstrip("."), leaf) for path, leaf in paths]


def _like(name: str, value: Any, leaf: Array) -> Array:
    array = np.asarray(value)
    if array.shape != leaf.shape or (isinstance(value, np.ndarray) and array.dtype != leaf.dtype):
        raise BalanceError(
            f"load_state_dict got {name} as {array.dtype}{list(array.shape)}, expected {leaf.dtype}{list(leaf.shape)}. "
            "Load with the same losses and the same precision (jax_enable_x64)."
        )
    return jnp.asarray(array, leaf.dtype)


def _names(loss_names: Sequence[str]) -> tuple[str, ...]:
    names = () if isinstance(loss_names, str) else tuple(loss_names)
    if not names or len(set(names)) < len(names) or not all(isinstance(name, str) for name in names):
        raise BalanceError(f'loss_names must be different names, for example ["pde", "bc"]; got {loss_names!r}.')
    return names


def _fit(what: str, given: Mapping[str, Any], names: tuple[str, ...]) -> None:
    if not isinstance(given, Mapping):
        raise BalanceError(f"{what} must give a number by name for {listed(names)}; got {given!r}.")
    missing = [name for name in names if name not in given]
    unknown = [name for name in given if name not in names]
    if missing or unknown:
        wrong = [f"no {listed(missing)}"] * bool(missing) + [f"unknown {listed(unknown)}"] * bool(unknown)
        hint = did_you_mean(unknown[0], missing or names) if unknown else ""
        raise BalanceError(f"{what} got {' and '.join(wrong)}, expected exactly {listed(names)}.{hint}")
