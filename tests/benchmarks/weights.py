"""Which balancer helps where: errors over seeds on four problems, and the time of a step.

    python -m tests.benchmarks.weights --docs     all balancers, 5 seeds; goes on where an earlier run ended
    python -m tests.benchmarks.weights --quick    200 steps, 2 seeds
    python -m tests.benchmarks.weights --problems helmholtz --balancers none,relobralo,"fixed(weights=[1,1000])"

All conditions are losses, so that there is something to balance; each balancer has its defaults, and gets the same
points and first networks as the others. The runs are those of `pinnace compare`. Each is in weights-STEPS-WIDTH.csv as
soon as it ends. Writes weights.csv and weights.md into the folder given by --out, and the table into docs/weights.md
with --docs.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import jax

from pinnace import zoo
from pinnace.cli.compare import everything, split
from tests.benchmarks.report import conditions, markdown, publish

PAGE = Path("docs/weights.md")
NONE, FIXED = "none", "fixed"
SOFT = {"burgers": {"conditions": "soft"}, "poisson": {"conditions": "soft"}, "allen_cahn": {"conditions": "soft"}}
PROBLEMS = ("burgers", "poisson", "helmholtz", "allen_cahn")
DEPTH, POINTS, RATE = 3, 1000, 5e-3
MARGIN = 1.05
"""How far beyond all runs without weights a median is called worse, or better."""


def problem(name: str, steps: int, width: int) -> zoo.Problem:
    """A problem of the zoo with all its conditions as losses, all of the same size."""
    texts = {"steps": steps, "width": width, "depth": DEPTH, "points": POINTS, "rate": RATE, **SOFT.get(name, {})}
    return zoo.by_name(name).read(f"{key}={value}" for key, value in texts.items())


def run(names: Sequence[str], balancers: Sequence[str], seeds: int, steps: int, width: int, path: Path) -> None:
    """Every run that the file does not have; the file is written after each."""
    kept = zoo.read_trials(path)
    for name in names:
        done = [(trial.balancer, trial.seed) for trial in kept if trial.problem == name]
        for trial in zoo.compare(problem(name, steps, width), balancers, range(seeds), done=done):
            kept.append(trial)
            zoo.write_trials(path, kept)
            told = f"error {trial.error:.2e}, {1e3 * trial.step_seconds:.3g} ms a step" if not trial.failed else ""
            print(f"{name}, {trial.balancer}, seed {trial.seed}: {told or trial.outcome}", flush=True)
        jax.clear_caches()


def errors_of(trials: Sequence[zoo.Trial], name: str) -> dict[str, zoo.Summary]:
    """The summaries of one problem by balancer."""
    return {one.balancer: one for one in zoo.summaries([trial for trial in trials if trial.problem == name])}


def cell(one: zoo.Summary | None, plain: zoo.Summary | None, best: bool) -> str:
    """Median and range; worse (better) where the median is beyond all runs without weights."""
    if one is None:
        return ""
    if math.isinf(one.errors[0]):
        return "failed"
    shown = [
        f"{error:.1e}" if math.isfinite(error) else "failed" for error in (one.median, one.errors[0], one.errors[-1])
    ]
    text = f"{f'**{shown[0]}**' if best else shown[0]} ({shown[1]} to {shown[2]})"
    if plain is None or plain is one:
        return text
    worse, better = one.median > MARGIN * plain.errors[-1], MARGIN * one.median < plain.errors[0]
    return text + (", worse" if worse else ", better" if better else "")


def ratios(trials: Sequence[zoo.Trial], balancer: str) -> list[float]:
    """Time of a step over that with fixed weights: same problem, same seed."""
    fixed = {(trial.problem, trial.seed): trial.step_seconds for trial in trials if trial.balancer == FIXED}
    mine = [trial for trial in trials if trial.balancer == balancer and (trial.problem, trial.seed) in fixed]
    found = [trial.step_seconds / fixed[trial.problem, trial.seed] for trial in mine]
    return [one for one in found if math.isfinite(one)]


def table(trials: Sequence[zoo.Trial], names: Sequence[str]) -> str:
    """One row a balancer, in the order of how often it is ahead of no weights; one column a problem."""
    found = {name: errors_of(trials, name) for name in names}
    balancers = list(dict.fromkeys(trial.balancer for trial in trials))
    bests = {name: min((one.median for one in found[name].values()), default=math.inf) for name in names}
    rows = []
    for balancer in sorted(balancers, key=lambda balancer: _rank(found, balancer)):
        cells = []
        for name in names:
            one = found[name].get(balancer)
            cells.append(cell(one, found[name].get(NONE), one is not None and one.median == bests[name] < math.inf))
        times = ratios(trials, balancer)
        cost = f"{median(times):.2f} ({min(times):.2f} to {max(times):.2f})" if times else ""
        rows.append([f"`{balancer}`", *cells, cost])
    return markdown(["balancer", *(zoo.by_name(name).name for name in names), "time of a step"], rows)


def _rank(found: dict[str, dict[str, zoo.Summary]], balancer: str) -> float:
    """The geometric mean of the errors over those without weights, a failure as a thousandfold error."""
    logs = []
    for summaries in found.values():
        if balancer in summaries and NONE in summaries:
            ratio = summaries[balancer].median / summaries[NONE].median
            logs.append(math.log(ratio) if 0 < ratio < math.inf else math.log(1e3))
    return sum(logs) / len(logs) if logs else math.inf


def text(trials: Sequence[zoo.Trial], names: Sequence[str], steps: int, width: int) -> str:
    """The section of the page."""
    seeds = len({trial.seed for trial in trials})
    head = (
        f"{conditions()}\n\n"
        f"Relative L2 errors: median over {seeds} seeds (best to worst), after {steps} steps of Adam at {RATE:g} "
        f"falling by a cosine, {DEPTH} hidden layers of {width}, {POINTS} points, float32. **Bold**: best of a column. "
        f'"Worse", "better": the median is beyond all runs with `{NONE}` (weights of 1) by 5 %. Time: over that with '
        f"`{FIXED}` weights, same problem and seed, median (range) over all runs. In the order of the mean ratio of "
        f"errors to `{NONE}`."
    )
    refused = {
        f"`{trial.balancer}` on {trial.problem}: {trial.outcome}, {trial.message}" for trial in trials if trial.failed
    }
    return "\n\n".join([head, table(trials, names), *(f"- {line}" for line in sorted(refused))])


def main() -> None:
    """Run what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", nargs="+", choices=[*zoo.PROBLEMS], default=list(PROBLEMS))
    parser.add_argument("--balancers", type=split, default=everything(), help="as for `pinnace compare` (all)")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--quick", action="store_true", help="200 steps, 2 seeds")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--docs", action="store_true", help=f"write the tables into {PAGE}")
    given = parser.parse_args()
    steps, seeds = (200, 2) if given.quick else (given.steps, given.seeds)
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"weights-{steps}-{given.width}.csv"
    try:
        run(given.problems, given.balancers, seeds, steps, given.width, path)
    except KeyboardInterrupt:
        print(f"interrupted; the runs so far are in {path}, and the same command goes on from there")
        return
    wanted = [
        trial
        for trial in zoo.read_trials(path)
        if trial.problem in given.problems and trial.balancer in given.balancers and trial.seed < seeds
    ]
    rows = [trial.row() for trial in wanted]
    publish("weights", text(wanted, given.problems, steps, given.width), rows, given.out, given.docs, PAGE)


if __name__ == "__main__":
    main()
