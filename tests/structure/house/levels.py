"""Who may import whom: the table of DESIGN section 6 as data."""

import ast
from collections.abc import Iterator

from house.source import PACKAGE, Import, Module, Package, folder_of

LEVELS = {
    "expr": 0,
    "points": 1,
    "balance": 1,
    "surgery": 1,
    "schedule": 1,
    "sinks": 1,
    "domain": 2,
    "optim": 2,
    "fn": 2,
    "net": 3,
    "exact": 3,
    "lower": 4,
    "step": 5,
    "train": 6,
    "plot": 7,
    "zoo": 7,
    "cli": 7,
}
FOR_ALL = {"_errors", "_types"}
PUBLIC_ONLY = 7
"""Folders of this level use the package as its users do."""
WITHOUT = {"expr": {"jax", "jaxlib", "equinox", "optax"}}
"""What a folder must not load, not even through what it imports."""


def levels(package: Package) -> list[str]:
    """A module imports only from its own folder and from lower levels."""
    return [
        module.says(item.line, complaint)
        for module in package.values()
        if module.folder
        for item in module.imports
        if (target := package.imported(item)) is not None
        if (complaint := _complaint(module, item, target))
    ] + [
        module.says(1, f'"{module.folder}" has no level')
        for module in package.values()
        if module.folder and module.folder not in LEVELS and module.folder not in FOR_ALL | {"__main__"}
    ]


def _complaint(module: Module, item: Import, target: str) -> str:
    here, there = module.folder, folder_of(target)
    if here == there or there in FOR_ALL:
        return ""
    mine = -1 if here in FOR_ALL else LEVELS.get(here, PUBLIC_ONLY)
    if mine == PUBLIC_ONLY:
        return _beyond_public(module, item, target)
    if not there:
        return f'"{here}" imports the face, which is above it'
    if there not in LEVELS or LEVELS[there] >= mine:
        return f'"{here}" (level {mine}) imports "{there}" (level {LEVELS.get(there, "none")})'
    return ""


def _beyond_public(module: Module, item: Import, target: str) -> str:
    """The face is for everybody, `from pinnace import zoo` too; of a lower folder only its face."""
    here, there = module.folder, folder_of(target)
    if item.module == PACKAGE and not (item.name or "").startswith("_"):
        return ""
    if there in LEVELS and LEVELS[there] >= PUBLIC_ONLY and here != "__main__":
        return f'"{here}" imports "{there}" of its own level; from {PACKAGE} import {there}'
    if target.count(".") > 1 or (item.name or "").startswith("_"):
        return f'"{here}" uses the public names only, not {item.target}'
    return ""


def plain_expressions(package: Package) -> list[str]:
    """The language computes nothing: expr, and what it imports, loads no jax."""
    return [
        module.says(item.line, f'"{folder}" must not load {item.module}')
        for folder, barred in WITHOUT.items()
        for module in _reached(package, folder)
        for item in module.imports
        if item.module.split(".")[0] in barred
    ]


def _reached(package: Package, folder: str) -> list[Module]:
    reached = {name for name, module in package.items() if module.folder == folder}
    front = set(reached)
    while front:
        targets = {package.imported(item) for name in front for item in package[name].imports}
        front = {target for target in targets if target in package and target not in reached}
        reached |= front
    return [package[name] for name in sorted(reached) if name != PACKAGE]


def face(package: Package) -> list[str]:
    """`pinnace/__init__.py` re-exports, and does nothing else."""
    return [
        package[PACKAGE].says(statement.lineno, "the face only re-exports")
        for statement in _beyond_exports(package[PACKAGE].tree.body)
    ]


def _beyond_exports(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        match statement:
            case ast.Expr(ast.Constant(str())):
                pass
            case ast.ImportFrom(module=str(origin), level=0) if origin.split(".")[0] == PACKAGE:
                pass
            case ast.Assign([ast.Name("__all__")], ast.List() | ast.Tuple()):
                pass
            case ast.Assign([ast.Name("__version__")], ast.Constant(str())):
                pass
            case _:
                yield statement
