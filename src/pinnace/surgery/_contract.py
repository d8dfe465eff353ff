"""What anything must have to be used as surgery, whoever wrote it."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from jaxtyping import PyTree


@runtime_checkable
class Surgery(Protocol):
    """A cell that combines the gradients of several losses into one direction: two pure functions.

    `init(m)` gives the state for m losses: a pytree of arrays with fixed shapes and dtypes. `update(gradients,
    state)` is called exactly once a step and gives `(direction, state)`. `gradients`: m pytrees of the same
    structure, shapes and dtypes (`None` where nothing is trained), those of the entries with their weights
    applied. `direction`: one such pytree, which takes the place of their sum: the optimizer goes down it.
    `reads`: a set that holds "key" where `update` wants a random key of this step as `key=`, else empty.

    >>> import jax
    >>> class Mean:
    ...     reads = frozenset()
    ...
    ...     def init(self, m):
    ...         return ()
    ...
    ...     def update(self, gradients, state, *, key=None):
    ...         return jax.tree.map(lambda *leaves: sum(leaves) / len(leaves), *gradients), state
    >>> isinstance(Mean(), Surgery)
    True
    """

    @property
    def reads(self) -> frozenset[str]:
        """What `update` wants beside the gradients: nothing, or "key"."""
        ...

    def init(self, m: int) -> PyTree:
        """State for m losses."""
        ...

    def update(self, gradients: Sequence[PyTree], state: PyTree, *, key: Any = None) -> tuple[PyTree, PyTree]:
        """The direction of this step, and the state for the next."""
        ...
