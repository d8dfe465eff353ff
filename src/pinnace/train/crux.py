"""`core` and what it returns: a problem compiled into one step, with its state."""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, PyTree

from pinnace._errors import LoweringError, NonFiniteError, PinnaceError
from pinnace.expr import Expr, PointSet, Tracker, as_expr, text
from pinnace.lower import Compiled, lower
from pinnace.step import (
    Attached,
    Placement,
    Recipe,
    Scale,
    State,
    attached,
    cost_of_step,
    initial,
    look,
    reattached,
    recipe,
    restless,
    scale_of,
    searching,
    warn_of_searches,
)
from pinnace.surgery import Surgery
from pinnace.train import checkpoint
from pinnace.train.explain import explain
from pinnace.train.history import History, Layout
from pinnace.train.html import crux_html
from pinnace.train.loop import Sink, chunks
from pinnace.train.pace import Pace
from pinnace.train.processes import Processes
from pinnace.train.progress import Progress, interrupts
from pinnace.train.run import Outcome, Run


class Crux:
    """A problem compiled into one step, and everything that its steps change. Made by `core`."""

    def __init__(self, compiled: Compiled, key: int | Array, scale: Scale, surgery: Surgery | None = None) -> None:
        self._compiled = compiled
        self._attached = attached(compiled)
        self._scale, self._processes = scale, Processes(scale.mesh)
        self._surgery, self._searched = surgery, False
        self._placement = Placement(scale, compiled.program.points)
        recipe(compiled, self._attached, scale, surgery)  # a filter that fits no network is told here
        start = initial(compiled, self._attached, jax.random.key(key) if isinstance(key, int) else key, surgery)
        self._state = self._placement.place(start)
        self._texts = [text(entry, compiled.names, top=True) for entry in compiled.written]
        self._losses = _definitions(compiled)
        self._paced: tuple[Recipe, Pace] | None = None
        self.history = History()
        """Everything logged over all runs."""

    @property
    def steps(self) -> int:
        """All steps so far."""
        return int(self._state.step)

    @property
    def points(self) -> tuple[PointSet, ...]:
        """The point sets of the problem, in order of first use; `crux.eval(x)` has the coordinates as they are."""
        return self._compiled.program.points

    @property
    def state(self) -> State:
        """Everything that changes, as one pytree on one device; on several processes all of them have to ask."""
        return self._placement.plain(self._state)

    def solve(
        self,
        steps: int | None = None,
        *,
        until: int | None = None,
        progress: bool = True,
        callbacks: Iterable[Callable[[Run], Any]] | Callable[[Run], Any] = (),
        on_nonfinite: str = "stop",
        sinks: Iterable[Sink] | Sink = (),
    ) -> Run:
        """Take so many steps more, or as many as there are `until` a total; call it again to go on.

        Optimizers and rates are looked at anew: what has changed since the last call holds from here on. `callbacks`
        are called with the run between chunks of about a third of a second and stop it by returning True;
        `sinks(step, values)` once for each step. Ctrl-C ends the run after the current chunk and returns it. A loss
        that is no longer finite stops the run (`on_nonfinite="stop"`), or raises NonFiniteError ("raise"); either way
        the parameters are those of the last step whose losses were finite.

        Where several processes share the mesh, each calls this; what stops one of them stops all.
        """
        count = self._count(steps, until)
        if on_nonfinite not in ("stop", "raise"):
            raise PinnaceError(f'on_nonfinite is "stop" or "raise"; got {on_nonfinite!r}.')
        fixed, numbers = self._recipe()
        self.history.cut(self.steps)
        program = self._compiled.program
        weights = tuple(tracker.name for tracker in program.trackers if tracker.expr.kind == "weight")
        run = Run(History(), self.steps, losses=("total", *program.loss_names), weights=weights)
        bar = Progress(count, progress and self._processes.first)
        began = time.perf_counter()
        try:
            with interrupts() as interrupt:
                chunks(
                    fixed,
                    numbers,
                    self._state,
                    count,
                    keep=self._keep,
                    run=run,
                    histories=(run.history, self.history),
                    layout=self._layout(),
                    progress=bar,
                    interrupt=interrupt,
                    pace=self._pace_of(fixed),
                    processes=self._processes,
                    callbacks=_several(callbacks),
                    sinks=_several(sinks),
                )
        finally:
            bar.close()
            run.seconds = time.perf_counter() - began
            self._write_back()
        if run.outcome is Outcome.NONFINITE and on_nonfinite == "raise":
            raise NonFiniteError(run.message)
        return run

    def eval(self, expr: Any, points: Mapping[Expr, Any] | None = None) -> Array:
        """Any expression at the current points, or at given ones, `{x: xs, t: ts}`. Moves nothing.

        Given values broadcast against each other; the result has their shape, then that of the expression. A weight
        has the value that it had in the last step.
        """
        return look(self._compiled, self._state, as_expr(expr), points, self._scale)

    def explain(self) -> str:
        """Losses, point sets, fields with the derivatives that each needs, parameters, and the cost of a step.

        The cost: floating-point operations, matrix products, and the memory of a step, which is compiled for that.
        """
        fixed, numbers = self._recipe()
        cost = cost_of_step(fixed, numbers, self._state)
        return explain(self._compiled, self._state, cost, self._surgery)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Everything that changes, and the history, to one file; whole or not at all.

        The file does not depend on devices. Where several processes share the mesh all of them call this, the first
        one writes, and the others wait for it.
        """
        state = self.state
        if self._processes.first:
            checkpoint.write(path, state, self.history, self._header())
        self._processes.meet()

    def load(self, path: str | os.PathLike[str]) -> "Crux":
        """Go on from a file that `save` wrote for the same problem.

        Raises CheckpointError that shows the difference where it was another problem; nothing has changed then.
        """
        self._attach()
        saved = checkpoint.load(path)
        self._state = self._placement.place(checkpoint.restore(saved, self.state, self._header(), path))
        self.history = saved.history
        self._write_back()
        return self

    def _repr_html_(self) -> str:
        return crux_html(self._compiled, self._state, self.history)

    def __repr__(self) -> str:
        return f"Crux after {self.steps} steps of\n  " + "\n  ".join(self._texts)

    def _pace_of(self, recipe: Recipe) -> Pace:
        """How fast this step went so far; another step starts anew."""
        if self._paced is None or self._paced[0] != recipe:
            self._paced = recipe, Pace()
        return self._paced[1]

    def _keep(self, state: State) -> None:
        self._state = state

    def _recipe(self) -> tuple[Recipe, PyTree]:
        self._attach()
        fixed, numbers = recipe(self._compiled, self._attached, self._scale, self._surgery)
        return fixed, self._placement.copies(numbers)

    def _attach(self) -> None:
        now = attached(self._compiled)
        if [_identity(one) for one in now] != [_identity(one) for one in self._attached]:
            self._state = self._placement.place(reattached(self.state, self._attached, now))
            self._searched = False
        self._attached = now
        if not self._searched:
            self._searched = True
            warn_of_searches(restless(self._compiled), partial(searching, now, self._state))

    def _write_back(self) -> None:
        program, trained = self._compiled.program, self._placement.modules(self._state)
        for trainable, params, static in zip(program.trainables, trained, program.statics, strict=True):
            trainable.module = eqx.combine(params, static.tree)

    def _count(self, steps: int | None, until: int | None) -> int:
        given = until if steps is None else steps
        if (steps is None) == (until is None) or isinstance(given, bool) or not isinstance(given, int) or given < 0:
            raise PinnaceError(
                f"solve takes a number of steps, solve(1000), or a total, solve(until=1000); got steps={steps!r}, "
                f"until={until!r}."
            )
        return given if steps is not None else max(0, given - self.steps)

    def _layout(self) -> Layout:
        program = self._compiled.program
        return Layout(
            program.loss_names,
            tuple(one.group.names for one in self._attached if one.schedule is not None),
            tuple((tracker.name, tracker.every) for tracker in program.trackers),
        )

    def _header(self) -> dict[str, Any]:
        return {"losses": [*self._texts, *self._losses], "steps": self.steps, "jax": jax.__version__}


def core(
    entries: Sequence[Expr | Tracker],
    *,
    key: int | Array = 0,
    mesh: Mesh | None = None,
    microbatch: int | None = None,
    remat: bool = False,
    precision: str | None = None,
    surgery: Surgery | None = None,
) -> Crux:
    """Compile losses and trackers into one jitted step: `core([w_pde * pde, w_bc * bc, w_pde.tracker()])`.

    The total is the sum of the losses. Parameters are copied from the networks now, and the trained ones written back
    at the end of each `solve`. Everything random comes from `key`, an int or a key of jax.random.

    How the step is computed, at the same values: `mesh=jax.make_mesh((n,), ("points",))` spreads the points over n
    devices, and parameters of wide layers over a second axis "model"; `microbatch=m` sends large point sets through m
    points at a time, at bounded memory; `remat=True` computes again in the backward pass what is cheap. To rounding:
    `precision` is that of matrix products ("highest", "tensorfloat32", "bfloat16", ...). See docs/devices.md.

    `surgery=pn.surgery.config()` combines the gradients of the losses, weights included, instead of adding them up.

    Raises LoweringError for what is no scalar loss, for two losses of one name, for a field without optimizer, and for
    options that mean nothing.

    >>> import equinox as eqx, jax, optax
    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 64)
    >>> u = pn.nn(eqx.nn.MLP(1, "scalar", 8, 1, key=jax.random.key(0))).optimizer(optax.adam(1e-2))
    >>> crux = pn.core([(u(x).d(x) - pn.np.cos(x)).mse.named("ode")])
    >>> run = crux.solve(20)
    >>> bool(run.history["ode"][-1] < run.history["ode"][0])
    True
    """
    if isinstance(key, bool) or not (isinstance(key, int) or _is_key(key)):
        raise LoweringError(f"the key of core is an int or a key of jax.random.key(...); got {key!r}.")
    scale = scale_of(mesh, microbatch, remat, precision)
    if surgery is not None and not isinstance(surgery, Surgery):
        raise LoweringError(
            f"surgery combines gradients by `init(m)` and `update(gradients, state)`; got {surgery!r}. Write for "
            f"example surgery=pn.surgery.config()."
        )
    return Crux(lower(entries), key, scale, surgery)


def _definitions(compiled: Compiled) -> list[str]:
    program = compiled.program
    pairs = zip(program.loss_names, compiled.losses, strict=True)
    return [f"{name}: {text(loss, compiled.names)}" for name, loss in pairs]


def _identity(one: Attached) -> tuple[Any, ...]:
    """What must stay for an attachment to go on as it is."""
    return one.binding, one.group, id(one.schedule)


def _is_key(key: Any) -> bool:
    return isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and key.shape == ()


def _several(given: Any) -> tuple[Any, ...]:
    return (given,) if callable(given) else tuple(given)
