"""`crux.check()`: whether derivatives are what differences say, and what else is suspicious about the losses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np

from pinnace._errors import PinnaceError
from pinnace.expr import Expr, nodes, text
from pinnace.expr import np as functions
from pinnace.lower import Compiled
from pinnace.step import (
    Derivative,
    Placement,
    Probe,
    Scale,
    State,
    derivatives_of,
    first_nonfinite,
    look,
    lower_derivative,
    probes,
    residuals_of,
    values_at,
)

WRONG = 1e-4
"""A derivative is wrong where it is off by so much of its largest value, beyond what differences leave open."""
OPEN = 1e-2
"""Differences that leave open so much of it say nothing."""
APART = 1e4
"""Residuals are of different size when their root mean squares are so far apart."""


@dataclass(frozen=True)
class Compared:
    """One derivative, or one residual as a whole, compared at some points."""

    losses: tuple[str, ...]
    """The losses that contain it."""
    text: str
    points: int
    error: float
    """The largest difference, in parts of its largest value."""
    uncertain: float
    """How far off the differences that it is compared with may be, in the same parts."""


@dataclass
class Check:
    """What `crux.check()` found; prints as text."""

    compared: list[Compared] = field(default_factory=list)
    """Every derivative and every residual, with how well they agree."""
    findings: dict[str, list[str]] = field(default_factory=dict)
    """What is suspicious, by the name of the loss."""

    @property
    def ok(self) -> bool:
        """Whether nothing is suspicious."""
        return not self.findings

    def __repr__(self) -> str:
        wide = max((len(one.text) for one in self.compared), default=0)
        lines = ["derivatives and residuals against differences, relative to their size, in float64"]
        lines += [f"  {one.text:<{min(wide, 60)}}  {_agreement(one)}" for one in self.compared]
        lines += ["suspicious" if self.findings else "nothing is suspicious"]
        lines += [f"  {', '.join(names)}: {finding}" for finding, names in self._by_finding().items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(', '.join(one.losses))}</td><td><code>{escape(one.text)}</code></td>"
            f"<td>{escape(_agreement(one))}</td></tr>"
            for one in self.compared
        )
        found = "".join(
            f"<li><b>{escape(', '.join(names))}</b>: {escape(finding)}</li>"
            for finding, names in self._by_finding().items()
        )
        verdict = f"<p>suspicious</p><ul>{found}</ul>" if found else "<p>nothing is suspicious</p>"
        return f"<table><tr><th>loss</th><th>compared</th><th>difference</th></tr>{rows}</table>{verdict}"

    def _by_finding(self) -> dict[str, list[str]]:
        """The losses that each sentence is about."""
        found: dict[str, list[str]] = {}
        for name, sentences in self.findings.items():
            for sentence in sentences:
                found.setdefault(sentence, []).append(name)
        return found

    def find(self, losses: Sequence[str], sentence: str) -> None:
        """Add what is suspicious about some losses."""
        for name in losses:
            self.findings.setdefault(name, []).append(sentence)


def check(compiled: Compiled, state: State, scale: Scale, points: int = 16, seed: int = 0) -> Check:
    """Compare and look: at so many random points of each set; everything in a report.

    Raises PinnaceError for a number of points below 1.
    """
    if isinstance(points, bool) or not isinstance(points, int) or points < 1:
        raise PinnaceError(f"check takes a number of points, from 1 on; got points={points!r}.")
    report = Check()
    _look_at_losses(report, compiled, state, scale)
    sizes: dict[str, float] = {}
    for probe in probes(compiled, state, scale, points, seed):
        with np.errstate(all="ignore"):
            _compare(report, compiled, probe)
            for name, loss in _named(compiled):
                mine = [probe.residuals[one] for one in residuals_of(loss) if one in probe.residuals]
                sizes[name] = max([sizes.get(name, 0.0), *(float(np.sqrt(np.mean(one**2))) for one in mine)])
    _look_at_sizes(report, sizes)
    return report


def _named(compiled: Compiled) -> Iterator[tuple[str, Expr]]:
    return zip(compiled.program.loss_names, compiled.program.losses, strict=True)


def _look_at_losses(report: Check, compiled: Compiled, state: State, scale: Scale) -> None:
    """Losses that are not finite, and those that nothing trained changes."""
    program = compiled.program
    values = values_at(compiled, Placement(scale, program.points), state, program.losses)
    norms = [Expr("gradient norm", (loss,), (None,)) for loss in compiled.losses]
    slopes = np.asarray(look(compiled, state, functions.stack(norms), None, scale))
    for name, value, slope in zip(program.loss_names, values, slopes, strict=True):
        if not np.isfinite(value):
            why = first_nonfinite(compiled, state, scale, name)
            report.find([name], f"is {value}" + (f" {why}" if why else ""))
        elif not np.isfinite(slope):
            report.find(
                [name],
                f"is finite, but its gradient is {slope}: look for a root, a quotient or an absolute value at 0, and "
                f"for `where`, which differentiates both of its branches",
            )
        elif slope == 0:
            known = "is zero, and so is its gradient: it holds by construction, and nothing is learned from it"
            dead = "does not change with anything that is trained: its gradient is zero"
            report.find([name], dead if value else known)


def _look_at_sizes(report: Check, sizes: Mapping[str, float]) -> None:
    counted = {name: size for name, size in sizes.items() if size > 0 and np.isfinite(size)}
    if counted:
        largest = max(counted, key=lambda name: counted[name])
        for name, size in counted.items():
            if size * APART < counted[largest]:
                report.find(
                    [name],
                    f"its residual is about {size:.1e}, and that of {largest} about {counted[largest]:.1e}: scale the "
                    f"equations, or weigh the losses (pn.fn.adaptive)",
                )


def _compare(report: Check, compiled: Compiled, probe: Probe) -> None:
    """Every derivative of one point set, then the residuals as a whole."""
    owners = {name: set(derivatives_of([loss])) for name, loss in _named(compiled)}
    by_expr = {one.expr: one for one in probe.derivatives}
    wrong: set[Expr] = set()
    for one in probe.derivatives:
        names = tuple(name for name, mine in owners.items() if one.expr in mine)
        before = lower_derivative(one.expr)
        compared = _compared(compiled, probe, one, names)
        report.compared.append(compared)
        sentence = _about(compiled, probe, one, by_expr.get(before))
        if sentence and before not in wrong:  # what is wrong already makes its derivatives wrong
            report.find(names, sentence)
        if sentence:
            wrong.add(one.expr)
    for residual, whole in probe.residuals.items():
        names = tuple(name for name, loss in _named(compiled) if residual in residuals_of(loss))
        parts = probe.assembled.get(residual)
        inside = [by_expr[node].values for node in derivatives_of([residual]) if node in by_expr]
        if parts is not None and inside:
            scale = max(map(_size, (whole, parts, *inside)))
            off = _size(whole - parts) / scale if scale else 0.0
            report.compared.append(Compared(names, f"residual of {', '.join(names)}", len(probe.at), off, 0.0))
            if off > WRONG:
                report.find(names, f"its residual is not what its single derivatives make of it, off by {off:.1%}")
    for node, axis in probe.unseen:
        names = tuple(name for name, loss in _named(compiled) if node in set(nodes([loss])))
        report.find(names, f"`{text(node, compiled.names)}` does not change with {probe.points.axes[axis]}")


def _compared(compiled: Compiled, probe: Probe, one: Derivative, names: tuple[str, ...]) -> Compared:
    scale = max(_size(one.values), _size(one.differences)) or 1.0
    off = np.abs(one.values - one.differences)[one.error < OPEN * scale]
    error = float(np.max(off, initial=0) / scale)
    return Compared(names, text(one.expr, compiled.names), len(probe.at), error, float(np.median(one.error) / scale))


def _about(compiled: Compiled, probe: Probe, one: Derivative, lower: Derivative | None) -> str | None:
    """What is odd about a derivative, in a sentence; None where nothing is."""
    shown, below = (text(expr, compiled.names) for expr in (one.expr, lower_derivative(one.expr)))
    scale = max(_size(one.values), _size(one.differences))
    off = np.abs(one.values - one.differences)
    wrong = (one.error < OPEN * scale) & ~(off <= WRONG * scale + 10 * one.error)
    if np.any(wrong):
        place = tuple(
            map(int, np.unravel_index(np.argmax(np.where(wrong, np.nan_to_num(off, nan=np.inf), -1)), off.shape))
        )
        count = int(np.count_nonzero(wrong.reshape(len(wrong), -1).any(axis=1)))
        return (
            f"`{shown}` is wrong at {count} of {len(probe.at)} points: {one.values[place]:.6g} at "
            f"{_place(probe, place[0])}, where differences of `{below}` give {one.differences[place]:.6g}. Look for a "
            f"rule of its own (custom_jvp), stop_gradient, or a kink"
        )
    if lower is not None and not np.any(one.values) and np.any(lower.values) and _has_field(one.expr):
        return (
            f"`{shown}` is 0 at all points, and `{below}` is not: piecewise linear activations such as relu have no "
            f"second derivative; take tanh, sin, gelu or softplus"
        )
    return None


def _has_field(expr: Expr) -> bool:
    return any(node.kind == "field" for node in nodes([expr]))


def _size(values: np.ndarray) -> float:
    """The largest finite magnitude."""
    sizes = np.abs(values)
    return float(np.max(sizes, initial=0, where=np.isfinite(sizes)))


def _place(probe: Probe, row: int) -> str:
    return ", ".join(f"{name} = {value:.6g}" for name, value in zip(probe.points.axes, probe.at[row], strict=True))


def _agreement(one: Compared) -> str:
    if one.uncertain > OPEN:
        return f"differences do not settle: they leave open {one.uncertain:.0e}"
    return f"off by {one.error:.0e}"
