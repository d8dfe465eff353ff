"""Import cycles."""

from collections.abc import Iterator

from house.source import Package


def cycles(package: Package) -> list[str]:
    """No module imports itself, by whatever detour."""
    edges = {
        name: sorted({package.imported(item) for item in module.imports} & set(package) - {name})
        for name, module in package.items()
    }
    return [f"import cycle: {' -> '.join(_from_first(cycle))}" for cycle in _cycles(edges)]


def _from_first(cycle: list[str]) -> list[str]:
    start = cycle.index(min(cycle))
    return [*cycle[start:], *cycle[:start], cycle[start]]


def _cycles(edges: dict[str, list[str]]) -> Iterator[list[str]]:
    """One cycle for each backward edge of a depth-first search."""
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> Iterator[list[str]]:
        if name in trail:
            yield trail[trail.index(name) :]
        elif name not in done:
            for target in edges[name]:
                yield from visit(target, [*trail, name])
            done.add(name)

    for name in edges:
        yield from visit(name, [])
