"""Where the rows of a run go while it runs: `crux.solve(10_000, sinks=pn.sinks.csv("run.csv"))`.

A sink is any callable `(step, values)`, values a dict of NumPy numbers and arrays by name. Where it holds rows back it
has a method `flush()`; `solve` calls that after each chunk of steps. For Weights & Biases, after `wandb.init()`:

    def to_wandb(step, values):
        if step % 100 == 0:
            wandb.log({name: value for name, value in values.items() if value.ndim == 0}, step=step)

    crux.solve(10_000, sinks=to_wandb)

and for MLflow, inside `with mlflow.start_run():`:

    def to_mlflow(step, values):
        if step % 100 == 0:
            mlflow.log_metrics({name: float(value) for name, value in values.items() if value.ndim == 0}, step=step)

    crux.solve(10_000, sinks=to_mlflow)

(MLflow allows letters, digits and `_-./ :` in names: call trackers so, or write `name.replace("(", "_")`.)
"""

from pinnace.sinks._components import components as components
from pinnace.sinks._contract import Flushing as Flushing
from pinnace.sinks._contract import Sink as Sink
from pinnace.sinks._csv import csv as csv
from pinnace.sinks._jsonl import jsonl as jsonl
from pinnace.sinks._tensorboard import tensorboard as tensorboard

__all__ = ["Flushing", "Sink", "components", "csv", "jsonl", "tensorboard"]
