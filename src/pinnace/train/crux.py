"""`core` and what it returns: a problem compiled into one step, with its state."""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, PyTree

from pinnace._errors import LoweringError, NonFiniteError, PinnaceError, listed
from pinnace.expr import Expr, PointSet, Tracker, as_expr, text
from pinnace.lower import Compiled, lower
from pinnace.sinks import Sink
from pinnace.step import (
    Attached,
    Placement,
    Recipe,
    Scale,
    State,
    attached,
    cost_of_step,
    first_nonfinite,
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
from pinnace.train.best import Best, Keeper
from pinnace.train.check import Check, check
from pinnace.train.doubts import Doubts
from pinnace.train.explain import explain
from pinnace.train.faults import Fault
from pinnace.train.guests import Callbacks, Sinks
from pinnace.train.history import History, Layout, record
from pinnace.train.html import crux_html
from pinnace.train.interrupts import interrupts
from pinnace.train.loop import POLICIES, Loop, tries_of
from pinnace.train.meter import Meter
from pinnace.train.pace import Pace
from pinnace.train.passage import Judge, Outcome, Passage, Track
from pinnace.train.processes import Processes
from pinnace.train.progress import Progress
from pinnace.train.run import Run
from pinnace.train.saving import Checkpoints, check_checkpoint, set_aside
from pinnace.train.stop import Rule, rules_of
from pinnace.train.watched import check_watched

UNFINISHED = (Outcome.INTERRUPTED, Outcome.TIME)
"""After these, patience goes on counting in the next run."""


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
        self._told: dict[str, Any] | None = None
        self._files: set[Path] = set()
        self._doubted: set[str] = set()
        self._unfinished: int | None = None
        self._paced: tuple[Recipe, Pace] | None = None
        self.history = History()
        """Everything logged over all runs."""
        self.best: Best | None = None
        """The best state so far, once `solve(best=...)` was asked to keep it."""

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
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int | None = None,
        on_nonfinite: str = "stop",
        sinks: Iterable[Sink] | Sink = (),
        best: str | None = None,
        stop: Iterable[Rule] | Rule = (),
    ) -> Run:
        """Take so many steps more, or as many as there are `until` a total; call it again to go on.

        Optimizers and rates are looked at anew: what has changed since the last call holds from here on.

        `callbacks` are called with the run between chunks of about a third of a second and stop it by returning True;
        `sinks(step, values)` once for each step. One that raises is reported once, and training goes on. `stop` holds
        rules such as `pn.stop.below("error", 1e-3)`, `pn.stop.patience("error", 2000)` and `pn.stop.seconds(600)`;
        `best="error"` keeps the state in which a raw loss or a tracker was smallest, as `run.best`: go back to it by
        `crux.restore(run.best)`.

        `checkpoint` is a file that gets the whole state twice a minute, or at each `checkpoint_every`-th step, and at
        the end; `crux.load` and another `solve` go on from it bit for bit. A file of another run that is there already
        is kept as `NAME.previous.npz`.

        Ctrl-C ends the run after the current chunk and returns it; a second one raises KeyboardInterrupt, with the
        state of the last chunk kept. Where losses, weights, rates or parameters are no longer finite, the run stops
        with the last state that was (`on_nonfinite="stop"`); or raises NonFiniteError then ("raise"); or goes back
        100 steps and on with half the rate, 8 times at most ("rollback").

        Where several processes share the mesh, each calls this; what stops one of them stops all.
        """
        count = self._count(steps, until)
        if on_nonfinite not in POLICIES:
            raise PinnaceError(f"on_nonfinite is one of {listed(POLICIES)}; got {on_nonfinite!r}.")
        check_checkpoint(checkpoint, checkpoint_every)
        rules = rules_of(stop, self._compiled)
        watched = None if best is None else check_watched(self._compiled, best, "best")
        prepared = self._recipe()
        self.history.cut(self.steps)
        run = self._begun()
        bar = Progress(count, progress and self._processes.first)
        saver = self._saver(checkpoint, checkpoint_every, run)
        doubts = Doubts(self._compiled, self.history, run.note, self._doubted)
        witnesses = [
            *(rule.witness() for rule in rules),
            Meter(bar, self._compiled.program.loss_names, self._labels()),
            Sinks(_several(sinks) if self._processes.first else (), run.note),
            Callbacks(_several(callbacks), run, run.note),
            doubts,
            saver,
        ]
        began = time.perf_counter()
        try:
            with interrupts() as interrupt:
                parts = self._loop(prepared, run, rules, watched)
                seen = [witness for witness in witnesses if witness is not None]
                policy = {"tries": tries_of(on_nonfinite), "marks": checkpoint_every, "interrupt": interrupt}
                run.end(Loop(witnesses=seen, **policy, **parts).run(self._state, count))
            doubts.close()
            if run.outcome not in UNFINISHED:
                self._unfinished = None
        finally:
            bar.close()
            run.seconds = time.perf_counter() - began
            self._write_back()
            if saver is not None and self.steps > run.first:
                saver.write()
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
        return explain(self._compiled, self._state, cost, self._surgery, self._attached)

    def check(self, points: int = 16, seed: int = 0) -> Check:
        """Compare every derivative in the losses, and each residual, with finite differences, and tell what is odd.

        At so many random points of each point set, chosen by `seed`, in double precision whatever the networks have.
        Also found: losses and gradients that are not finite, losses that nothing trained changes, second derivatives
        that are zero (relu), networks that do not see a coordinate, residuals of very different size. The report
        prints as text; `.ok` tells whether nothing is suspicious. Moves nothing; compiles for some seconds.
        """
        return check(self._compiled, self._state, self._scale, points, seed)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Everything that changes, and the history, to one file; whole or not at all.

        The file does not depend on devices. Where several processes share the mesh all of them call this, the first
        one writes, and the others wait for it. Raises OSError where the file cannot be written; what was there before
        stays then.
        """
        trees = {"state": self.state}
        header = {"steps": self.steps, "unfinished": self._unfinished, **self._header()}
        if self.best is not None:
            state = reattached(self._placement.plain(self.best.settle()), self.best.attached, self._attached)
            trees["best"] = state
            header["best"] = {"name": self.best.name, "step": self.best.step, "value": self.best.value}
        try:
            if self._processes.first:
                checkpoint.write(path, trees, self.history, header)
                self._files.add(Path(path).resolve())
        finally:
            self._processes.meet()

    def load(self, path: str | os.PathLike[str], *, strict: bool = True) -> "Crux":
        """Go on from a file that `save` or `solve(checkpoint=...)` wrote for the same problem.

        Raises CheckpointError that shows the difference where it was another problem, and where it was written by
        other versions of pinnace or of what it is built on, with which the next steps might differ in their last bits;
        `strict=False` takes these. A file that is damaged is refused. Nothing has changed after an error.
        """
        now = attached(self._compiled)
        template = reattached(self.state, self._attached, now)
        saved = checkpoint.load(path)
        checkpoint.check(saved, template, self._header(), path, strict)
        best, arrays = None, saved.part("best")
        if saved.header.get("best") and checkpoint.fits(arrays, template):
            state = self._placement.place(checkpoint.restore(arrays, template))
            best = Best(**saved.header["best"], _state=state, _attached=now)
        self._attach()
        self._state = self._placement.place(checkpoint.restore(saved.part("state"), template))
        self.history, self.best, self._unfinished = saved.history, best, saved.header["unfinished"]
        self._files.add(Path(path).resolve())
        self._write_back()
        return self

    def restore(self, best: Best) -> "Crux":
        """Go back to the best state of a run: `crux.restore(run.best)`. Training goes on from there.

        Optimizers that were attached since then start anew. Raises PinnaceError where nothing was kept.
        """
        if not isinstance(best, Best):
            raise PinnaceError(
                f"restore takes what a run kept as its best, crux.restore(run.best) after solve(..., best=...); got "
                f"{best!r}."
            )
        self._attach()
        plain = self._placement.plain(best.settle())
        self._state = self._placement.place(reattached(plain, best.attached, self._attached))
        self._unfinished = None
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

    def _begun(self) -> Run:
        """A run that has not taken a step yet."""
        program = self._compiled.program
        weights = tuple(tracker.name for tracker in program.trackers if tracker.expr.kind == "weight")
        if self._unfinished is None:
            self._unfinished = self.steps
        return Run(History(), self.steps, losses=("total", *program.loss_names), weights=weights)

    def _loop(
        self, prepared: tuple[Recipe, PyTree], run: Run, rules: Sequence[Rule], watched: str | None
    ) -> dict[str, Any]:
        """What a loop is made of, witnesses and policies left out."""
        fixed, numbers = prepared
        track, first = Track(fixed, numbers, self._layout()), self._unfinished or 0
        keeper = None if watched is None else Keeper(watched, self.best, self._attached)

        def judges() -> list[Judge]:
            found = (rule.judge(self.history, first) for rule in rules)
            return [judge for judge in found if judge is not None]

        return {
            "track": track,
            "keep": partial(self._keep, track, run, keeper),
            "judges": judges,
            "explain": self._explain,
            "went_back": run.note,
            "owners": [str(cell.name) for cell in self._compiled.cells],
            "fields": self._compiled.program.names,
            "pace": self._pace_of(fixed),
            "processes": self._processes,
        }

    def _explain(self, fault: Fault) -> str:
        """A fault, with the first expression below the guilty loss that was not finite."""
        if fault.guilty is None:
            return fault.sentence()
        return fault.sentence(first_nonfinite(self._compiled, fault.at, self._scale, fault.guilty))

    def _keep(self, track: Track, run: Run, keeper: Keeper | None, state: State, passage: Passage | None) -> None:
        """A new state with the rows that lead to it; without rows, one that the run has gone back to."""
        self._state = state
        for history in (run.history, self.history):
            if passage is None:
                history.cut(self.steps)
        if passage is not None:
            record((run.history, self.history), track.layout, passage.rows, passage.first, passage.count)
            if keeper is not None:
                keeper.look(passage)
                self.best = run.best = keeper.best

    def _saver(self, path: str | os.PathLike[str] | None, every: int | None, run: Run) -> Checkpoints | None:
        if path is None:
            return None
        file = Path(path)
        if self._processes.first and file.resolve() not in self._files:
            aside = set_aside(file)
            if aside is not None:
                run.notes += (f"{file} was there already; it is {aside} now",)
        return Checkpoints(file, every, self.save, run.note, lambda due: self._processes.agree(int(due), 1)[0] > 0)

    def _labels(self) -> list[tuple[int, list[str]]]:
        """The names of the weights of each balancer of losses."""
        names = self._compiled.names
        return [
            (number, [cell.label(index, names) for index in range(len(cell.losses))])
            for number, cell in enumerate(self._compiled.cells)
            if cell.losses
        ]

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
        if self._told is None:
            self._told = checkpoint.header_of(self._compiled)
        return self._told


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


def _identity(one: Attached) -> tuple[Any, ...]:
    """What must stay for an attachment to go on as it is."""
    return one.binding, one.group, id(one.schedule)


def _is_key(key: Any) -> bool:
    return isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and key.shape == ()


def _several(given: Any) -> tuple[Any, ...]:
    return (given,) if callable(given) else tuple(given)
