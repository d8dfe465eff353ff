"""What a user reads before and after a run."""

from collections.abc import Mapping
from typing import Any

from pinnace import zoo


def heading(problem: zoo.Problem, settings: Mapping[str, Any], seed: int) -> str:
    """The problem and its settings."""
    words = [f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in settings.items()]
    return "\n".join(
        [f"{problem.name}: {problem.title}", f"  {problem.equation}", f"  {_wrapped([*words, f'seed={seed}'])}"]
    )


def report(result: Mapping[str, Any]) -> str:
    """Losses, weights, rate, errors and time."""
    lines = ["", f"  {result['steps']} steps in {result['seconds']:.0f} s: {result['message']}", ""]
    lines += _losses(result)
    lines += [f"  rate {_one(result['rates'])}", ""] if result["rates"] else []
    for name, unknown in result["unknowns"].items():
        lines.append(
            f"  {name} = {_number(unknown['found'])}, true {_number(unknown['true'])}, "
            f"off by {_number(unknown['relative_error'], '.2%')}"
        )
    lines += [f"  {name}: relative L2 error {_number(error, '.2e')}" for name, error in result["others"].items()]
    error, floor = result["relative_l2_error"], result["floor"]
    lines.append(f"  relative L2 error {_number(error, '.2e')}  (that of the reference: {floor:.0e})")
    return "\n".join(lines)


def _losses(result: Mapping[str, Any]) -> list[str]:
    if not result["losses"]:
        return []
    weights = result["weights"]
    width = max(map(len, result["losses"]))
    lines = [f"  {'loss':<{width}}  {'first':>9}  {'last':>9}" + ("  last weight" if weights else "")]
    for name, ends in result["losses"].items():
        weight = weights.get(f"w({name})")
        row = f"  {name:<{width}}  {_number(ends['first'], '9.2e')}  {_number(ends['last'], '9.2e')}"
        lines.append(row + (f"  {_number(weight['last'], '11.4g')}" if weight else ""))
    return lines


def _one(rates: Mapping[str, Any]) -> str:
    """All fields of a problem share one rate."""
    ends = next(iter(rates.values()))
    return f"{_number(ends['first'], '.1e')} to {_number(ends['last'], '.1e')}"


def _number(value: float | None, style: str = ".5g") -> str:
    return "not finite" if value is None else format(value, style)


def _wrapped(words: list[str], width: int = 96) -> str:
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += f"{word} "
    return "\n  ".join(line.rstrip() for line in lines)
