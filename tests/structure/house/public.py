"""Every public name says what it is and which types it takes."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from house.source import Module, Package

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign
CALLED = {"__init__", "__call__"}
"""Methods that users call without writing their names."""


@dataclass(frozen=True)
class Found:
    """Where a name is defined: a statement of a module, the module itself, or (None) outside the package."""

    module: Module
    statement: Definition | ast.Module | None


def public_names(package: Package) -> list[str]:
    """What the face and the faces of the folders export is annotated and documented."""
    complaints = (
        complaint
        for module in package.values()
        if module.is_package and module.name.count(".") < 2
        for name in exported(module)
        for complaint in _complaints(package, module, name)
    )
    return list(dict.fromkeys(complaints))


def exported(module: Module) -> list[str]:
    """`__all__`; without one, what is imported as `X as X` and what is defined here."""
    names = [item.bound for item in module.imports if item.top and item.alias in {item.name, item.module}]
    for statement in module.tree.body:
        match statement:
            case ast.Assign([ast.Name("__all__")], value):
                return [name for name in ast.literal_eval(value) if not name.startswith("_")]
        names += _defined(statement)
    return [name for name in names if not name.startswith("_")]


def _defined(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
            return [name]
        case ast.AnnAssign(ast.Name(name)):
            return [name]
        case ast.Assign(targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
    return []


def find(package: Package, module: Module, name: str) -> Found | None:
    """The definition of a name, through all re-exports; None where there is none."""
    for statement in reversed(module.tree.body):
        if isinstance(statement, Definition) and name in _defined(statement):
            return Found(module, statement)
    for item in module.imports:
        if item.top and item.bound == name:
            origin = package.get(package.imported(item) or "")
            if origin is None:
                return Found(module, None)
            whole = item.name is None or origin.name == item.target
            return Found(origin, origin.tree) if whole else find(package, origin, item.name)
    submodule = package.get(f"{module.name}.{name}")
    return Found(submodule, submodule.tree) if submodule else None


def _complaints(package: Package, module: Module, name: str) -> Iterator[str]:
    found = find(package, module, name)
    if found is None:
        yield module.says(1, f"exports {name}, which is not defined")
        return
    where, statement = found.module, found.statement
    match statement:
        case ast.Module():
            if not ast.get_docstring(statement):
                yield where.says(1, f"{name} has no docstring")
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from _function(where, statement, name, bool(ast.get_docstring(statement)))
        case ast.ClassDef():
            yield from _class(package, where, statement)
        case ast.Assign() | ast.AnnAssign():
            if not _followed_by_text(where, statement):
                yield where.says(statement.lineno, f"{name} has no docstring below it")


def _class(package: Package, module: Module, node: ast.ClassDef) -> Iterator[str]:
    if not ast.get_docstring(node):
        yield module.says(node.lineno, f"{node.name} has no docstring")
    for method in node.body:
        if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if method.name in CALLED or not method.name.startswith("_"):
            known = method.name in CALLED or _setter(method) or _documented(package, module, node, method.name)
            yield from _function(module, method, f"{node.name}.{method.name}", known)


def _setter(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(mark, ast.Attribute) and mark.attr == "setter" for mark in method.decorator_list)


def _documented(package: Package, module: Module, node: ast.ClassDef, method: str) -> bool:
    """Whether a method, or the one of a base class that it stands for, has a docstring."""
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name == method:
            if ast.get_docstring(part):
                return True
    for base in node.bases:
        found = find(package, module, base.id) if isinstance(base, ast.Name) else None
        if found and isinstance(found.statement, ast.ClassDef):
            if _documented(package, found.module, found.statement, method):
                return True
    return False


def _function(
    module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef, name: str, documented: bool
) -> Iterator[str]:
    if not documented:
        yield module.says(node.lineno, f"{name} has no docstring")
    if bare := [argument.arg for argument in _arguments(node) if argument.annotation is None]:
        yield module.says(node.lineno, f"{name} does not annotate {', '.join(bare)}")
    if node.returns is None and node.name != "__init__":
        yield module.says(node.lineno, f"{name} does not annotate what it returns")


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    given = node.args
    listed = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [argument for argument in listed if argument and argument.arg not in {"self", "cls"}]


def _followed_by_text(module: Module, statement: ast.stmt) -> bool:
    body = module.tree.body
    match body[body.index(statement) + 1 : body.index(statement) + 2]:
        case [ast.Expr(ast.Constant(str()))]:
            return True
    return False
