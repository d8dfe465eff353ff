"""How long files and functions may be, and what modules may not be called."""

import ast
from statistics import median

from house.source import Package

MEDIAN_FILE, ANY_FILE, ANY_FUNCTION = 200, 500, 80
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc"}


def median_budget(package: Package) -> list[str]:
    """The median file is short."""
    length = median(module.length for module in package.values())
    return [f"the median file has {length:g} lines, more than {MEDIAN_FILE}"] if length > MEDIAN_FILE else []


def file_budget(package: Package) -> list[str]:
    """No file is long."""
    return [
        module.says(module.length, f"{module.length} lines, more than {ANY_FILE}")
        for module in package.values()
        if module.length > ANY_FILE
    ]


def function_budget(package: Package) -> list[str]:
    """No function is long, its docstring included."""
    return [
        module.says(node.lineno, f"{node.name} has {length} lines, more than {ANY_FUNCTION}")
        for module in package.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > ANY_FUNCTION
    ]


def module_names(package: Package) -> list[str]:
    """A module is called after what it does."""
    return [
        module.says(1, f'"{part}" says nothing')
        for module in package.values()
        for part in module.name.split(".")
        if part.strip("_") in VAGUE
    ]
