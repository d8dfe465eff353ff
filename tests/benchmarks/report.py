"""What the benchmarks leave behind: tables in Markdown, a CSV, figures; and which machine and versions they are of."""

import csv
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

DOCS = Path("docs/performance.md")
LIBRARIES = ("jax", "equinox", "optax", "numpy")


def markdown(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table whose columns line up."""
    cells = [list(map(str, head)), *(list(map(str, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in cells]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """One row a measurement."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def processor() -> str:
    """The model of the CPU, as far as the system tells, and how many cores this process may use."""
    model = platform.processor() or platform.machine()
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        lines = listing.read_text().splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    return f"{model}, {available_cores()} cores"


def available_cores() -> int:
    """The cores of this process."""
    return len(os.sched_getaffinity(0)) if "sched_getaffinity" in dir(os) else os.cpu_count() or 1


def conditions(others: Mapping[str, str] | None = None) -> str:
    """Date, machine and versions, in a line."""
    found = {"pinnace": version("pinnace"), **{name: version(name) for name in LIBRARIES}, **(others or {})}
    listed = ", ".join(f"{name} {number}" for name, number in found.items())
    return f"{date.today().isoformat()}; {processor()}; Python {platform.python_version()}, {listed}."


def put_into_docs(name: str, text: str, path: Path = DOCS) -> None:
    """Replace what stands between the markers of a section.

    Raises ValueError where the page has no such markers.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page = path.read_text()
    if begin not in page or end not in page:
        raise ValueError(f"{path} has no markers `{begin}` and `{end}` to write between.")
    before, rest = page.split(begin, 1)
    path.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{rest.split(end, 1)[1]}")


def publish(name: str, text: str, rows: list[dict[str, Any]], out: Path, docs: bool, page: Path = DOCS) -> None:
    """Print a text; write it and its rows into a folder, and the text into the page if that is wanted."""
    print(f"\n{text}")
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.md").write_text(text + "\n")
    write_csv(out / f"{name}.csv", rows)
    if docs:
        put_into_docs(name, text, page)


def seconds(value: float | None) -> str:
    """A time as a cell."""
    return "" if value is None or value != value else f"{value:.2f}"


def megabytes(value: float | None) -> str:
    """Bytes as a cell."""
    return "" if value is None else f"{value / 1e6:.0f}"


def milliseconds(value: float) -> str:
    """A time of a step as a cell."""
    return f"{1e3 * value:.3g}" if value < 1 else f"{1e3 * value:.0f}"
