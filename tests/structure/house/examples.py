"""The `>>>` examples of every docstring, found in the source so that no decorator hides one."""

import ast
import doctest
from typing import Any

from house.source import Module

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def examples(module: Module, names: dict[str, Any]) -> list[doctest.DocTest]:
    """One doctest for each docstring that has examples; they see `names`."""
    parser = doctest.DocTestParser()
    tests = []
    for node in ast.walk(module.tree):
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
            owner = module.name if isinstance(node, ast.Module) else f"{module.name}.{node.name}"
            line = node.body[0].lineno - 1
            test = parser.get_doctest(text, names, owner, str(module.path), line)
            tests += [test] if test.examples else []
    return tests


def failures(module: Module, names: dict[str, Any]) -> list[str]:
    """What the examples of a module print instead of what they promise."""
    told: list[str] = []
    for test in examples(module, names):
        doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=told.append)
    return told
