"""A step of pinnace against the same step by hand, nested jvp, nested grad, and other libraries.

    python -m tests.benchmarks.step                    all problems, without the peers
    python -m tests.benchmarks.step --peers            with all peers, installed first if they are not
    python -m tests.benchmarks.step --peers jinns jno --only burgers kdv
    python -m tests.benchmarks.step --check            nothing is timed: do all variants agree?

Same network, points, loss and optimizer on all sides; sides whose first loss differs get no ratio. By hand: layer-wise
Taylor with the linear part as one term, see `taylor.py`; of several variants the fastest counts. Writes step.csv,
step.md and step.png into the folder given by --out, and the tables into docs/performance.md with --docs.
"""

import argparse
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.check import check
from tests.benchmarks.environment import CACHE, PEERS, PeerError, Worker, fastest, install, version, write_task
from tests.benchmarks.figure import ratios as figure
from tests.benchmarks.problems import PROBLEMS, Problem
from tests.benchmarks.report import conditions, markdown, megabytes, milliseconds, put_into_docs, seconds, write_csv
from tests.benchmarks.rounds import SECONDS, Ratio, interleaved, ratio
from tests.benchmarks.sides import Built, by_hand, pinnace
from tests.benchmarks.taylor import layers_of

AGREE = 1e-4
"""How far the first losses may lie apart, relative, in float32."""


@dataclass
class Result:
    """One problem: what was built on each side, its times, and why some sides are missing."""

    problem: Problem
    built: dict[str, Built] = field(default_factory=dict)
    detail: dict[str, str] = field(default_factory=dict)
    """Which variant a side is."""
    imported: dict[str, float] = field(default_factory=dict)
    times: dict[str, list[float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def ratio(self, side: str) -> Ratio:
        """pinnace over a side."""
        return ratio(self.times["pinnace"], self.times[side])

    def cell(self, side: str) -> str:
        """The ratio, or why there is none."""
        return str(self.ratio(side)) if side in self.times else "n/a"


def measure(problem: Problem, peers: dict[str, Path], rounds: int, per_round: float, limit: float) -> Result:
    """All sides of one problem, in turn."""
    found = Result(problem)
    module = problem.module()
    found.built["pinnace"], crux = pinnace(problem.loss, module)
    points, layers = crux.state.points[0], layers_of(module)
    for name, loss in problem.hand.items():
        found.built[f"by hand, {name}"] = by_hand(loss, layers, points)
    found.built["nested jvp"] = by_hand(problem.jvp, layers, points)
    found.built["nested grad"] = by_hand(problem.grad, layers, points)
    workers: list[Worker] = []
    with tempfile.TemporaryDirectory() as folder:
        task = Path(folder) / "task.npz"
        write_task(task, points, layers)
        try:
            for name, python in peers.items():
                try:
                    worker = fastest(PEERS[name], python, problem.name, task, limit)
                except PeerError as why:
                    found.missing[name] = str(why)
                    continue
                workers.append(worker)
                found.built[name], found.detail[name] = worker.built, worker.way
                found.imported[name] = worker.imported
            drop_those_that_differ(found)
            sides = {name: built.steps for name, built in found.built.items()}
            found.times = interleaved(sides, rounds, per_round)
        finally:
            for worker in workers:
                worker.close()
    keep_best_by_hand(found)
    return found


def drop_those_that_differ(found: Result) -> None:
    """A side that computes another loss is not compared."""
    ours = found.built["pinnace"].loss
    for name, built in list(found.built.items()):
        if not abs(built.loss - ours) <= AGREE * abs(ours):
            found.missing[name] = f"its loss is {built.loss:.7g}, not {ours:.7g}"
            del found.built[name]


def keep_best_by_hand(found: Result) -> None:
    """Of the variants by hand the fastest is "by hand"."""
    variants = [name for name in found.times if name.startswith("by hand, ")]
    best = min(variants, key=lambda name: median(found.times[name]))
    found.times["by hand"], found.built["by hand"] = found.times[best], found.built[best]
    found.detail["by hand"] = best.removeprefix("by hand, ")


def rows_of(found: Result) -> list[dict[str, Any]]:
    """A row of the CSV for each side."""
    rows: list[dict[str, Any]] = []
    for side, times in found.times.items():
        built, against = found.built[side], found.ratio(side)
        rows.append(
            {
                "problem": found.problem.name,
                "side": side,
                "variant": found.detail.get(side, ""),
                "loss": built.loss,
                "ms": 1e3 * median(times),
                "ms_low": 1e3 * min(times),
                "ms_high": 1e3 * max(times),
                "ratio": against.median,
                "ratio_low": against.low,
                "ratio_high": against.high,
                "first_s": built.first,
                "compile_s": built.compile,
                "import_s": found.imported.get(side, ""),
                "temporaries_bytes": built.memory,
                "peak_bytes": built.peak,
            }
        )
    rows += [{"problem": found.problem.name, "side": side, "variant": why} for side, why in found.missing.items()]
    return rows


def step_table(results: list[Result], sides: list[str]) -> str:
    """The ratios of a step."""
    head = ["problem", "pinnace, ms", *(title(side) for side in sides), "fastest by hand"]
    return markdown(
        head,
        [
            [
                found.problem.title,
                milliseconds(median(found.times["pinnace"])),
                *(found.cell(side) for side in sides),
                found.detail["by hand"],
            ]
            for found in results
        ],
    )


def first_table(results: list[Result], sides: list[str]) -> str:
    """Seconds to the first step and memory."""
    shown = ["pinnace", *sides]

    def cell(found: Result, side: str) -> str:
        built = found.built.get(side)
        return "n/a" if built is None else f"{seconds(built.first)} s, {megabytes(built.memory) or '?'} MB"

    return markdown(
        ["problem", *map(title, shown)],
        [[found.problem.title, *(cell(found, side) for side in shown)] for found in results],
    )


def title(side: str) -> str:
    """What a side is called in a table."""
    return PEERS[side].title if side in PEERS else side


def notes(results: list[Result]) -> str:
    """Which way of its own each peer is fastest by, and why cells are empty."""
    ways = [
        f"{found.problem.title}: {', '.join(f'{title(side)} {found.detail[side]}' for side in told)}"
        for found in results
        if (
            told := [
                side for side in found.detail if side in PEERS and len(PEERS[side].ways_for(found.problem.name)) > 1
            ]
        )
    ]
    missing = [
        f"- {found.problem.title}, {title(side)}: {why}" for found in results for side, why in found.missing.items()
    ]
    lines = [f"Of several ways each peer's fastest is shown. {'; '.join(ways)}."] if ways else []
    return "\n".join([*lines, *(["", "n/a:", "", *missing] if missing else [])])


def report(results: list[Result], peers: dict[str, Path], out: Path, docs: bool) -> None:
    """Write everything."""
    sides = ["by hand", "nested jvp", "nested grad", *peers]
    versions = {PEERS[name].package: version(python, PEERS[name].package) for name, python in peers.items()}
    if "deepxde-torch" in peers:
        versions["torch"] = version(peers["deepxde-torch"], "torch")
    text = "\n\n".join(
        part
        for part in (
            conditions(versions),
            "Seconds of pinnace over those of the other, a step: median over interleaved rounds, and range.",
            step_table(results, sides),
            "Seconds from the arrays to the end of the first step, and megabytes of temporaries of the compiled step.",
            first_table(results, sides),
            notes(results),
        )
        if part
    )
    print(f"\n{text}")
    out.mkdir(parents=True, exist_ok=True)
    (out / "step.md").write_text(text + "\n")
    write_csv(out / "step.csv", [row for found in results for row in rows_of(found)])
    figure(
        out / "step.png",
        [found.problem.title for found in results],
        {title(side): [found.ratio(side) if side in found.times else None for found in results] for side in sides},
    )
    if docs:
        put_into_docs("step", text)


def installed(names: list[str], cache: Path) -> dict[str, Path]:
    """The interpreters of those peers that can be had."""
    found = {}
    for name in names:
        try:
            found[name] = install(PEERS[name], cache)
        except PeerError as why:
            print(f"{PEERS[name].title} is left out, {why}")
    return found


def main() -> None:
    """Compare on all problems."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PROBLEMS, default=list(PROBLEMS), help="problems")
    parser.add_argument("--peers", nargs="*", choices=PEERS, help="all, or those named")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of one side in one round")
    parser.add_argument("--limit", type=float, default=90, help="seconds in which a peer has to answer")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the peers' environments are")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--docs", action="store_true", help="also into docs/performance.md")
    parser.add_argument("--check", action="store_true", help="compare values and gradients, time nothing")
    given = parser.parse_args()
    problems = [PROBLEMS[name] for name in given.only]
    if given.check:
        check(problems)
        return
    peers = {} if given.peers is None else installed(given.peers or list(PEERS), given.cache)
    results = []
    for problem in problems:
        found = measure(problem, peers, given.rounds, given.seconds, given.limit)
        results.append(found)
        shown = [side for side in found.times if side != "pinnace" and not side.startswith("by hand, ")]
        cells = ", ".join(f"{title(side)} {found.ratio(side)}" for side in shown)
        print(f"{problem.title}: {milliseconds(median(found.times['pinnace']))} ms; over {cells}", flush=True)
    report(results, peers, given.out, given.docs)


if __name__ == "__main__":
    main()
