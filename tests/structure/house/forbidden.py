"""What no module does: hidden imports, private jax, broad excepts, probing for attributes."""

import ast
from collections.abc import Iterator

from house.source import PACKAGE, Module, Package

BROAD = {"Exception", "BaseException"}

FOREIGN = {
    ("pinnace.expr.functions", "__array_namespace__"): "JAX arrays are told by the array API, without jax",
    ("pinnace.expr.node", "__array__"): "arrays of any library are constants",
    ("pinnace.expr.text", "__name__"): "users pass any callable to pn.apply: partials have no name",
    ("pinnace.optim.trainable", "__name__"): "the message about an optimizer that was not called names it",
}
"""Where an object of somebody else is asked for an attribute: (module, attribute) and the reason."""


def inner_imports(package: Package) -> list[str]:
    """The package is imported at the top of a module, by an import statement."""
    statements = [
        module.says(item.line, f"{item.target} is not imported at the top")
        for module in package.values()
        for item in module.imports
        if not item.top and package.imported(item) is not None
    ]
    return statements + [
        module.says(call.lineno, "a dynamic import, which this test cannot follow")
        for module in package.values()
        for call in _calls(module, "import_module", "__import__")
        if not _of_another(call)
    ]


def _of_another(call: ast.Call) -> bool:
    match call.args:
        case [ast.Constant(str(name)), *_]:
            return name.split(".")[0] not in {PACKAGE, ""}
    return False


def private_jax(package: Package) -> list[str]:
    """Only the public jax."""
    return [
        module.says(line, "jax._src is private")
        for module in package.values()
        for line in sorted({*_private_imports(module), *_private_attributes(module)})
    ]


def _private_imports(module: Module) -> Iterator[int]:
    return (item.line for item in module.imports if f"{item.target}.".startswith("jax._src."))


def _private_attributes(module: Module) -> Iterator[int]:
    for node in ast.walk(module.tree):
        match node:
            case ast.Attribute(ast.Name("jax"), "_src"):
                yield node.lineno
            case ast.Constant(str(text)) if text.startswith("jax._src"):
                yield node.lineno


def broad_excepts(package: Package) -> list[str]:
    """An except, or suppress, names what it expects."""
    return [
        module.says(line, "a bare or broad except hides what it does not expect")
        for module in package.values()
        for line in _broad(module)
    ]


def _broad(module: Module) -> Iterator[int]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and (node.type is None or _names(node.type) & BROAD):
            yield node.lineno
    for call in _calls(module, "suppress"):
        if any(_names(argument) & BROAD for argument in call.args):
            yield call.lineno


def _names(node: ast.expr) -> set[str]:
    """The last parts of the names in an expression such as `(KeyError, builtins.Exception)`."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return {name for part in parts if (name := _last(part))}


def probing(package: Package) -> list[str]:
    """An object is asked whether it has an attribute only where it is somebody else's."""
    return [
        module.says(call.lineno, f"asks an object whether it has {attribute}")
        for module in package.values()
        for call, attribute in _asked(module)
        if (module.name, attribute) not in FOREIGN
    ]


def no_longer_probed(package: Package) -> list[str]:
    """Entries of FOREIGN that nothing needs any more."""
    asked = {(module.name, attribute) for module in package.values() for _, attribute in _asked(module)}
    return [f"{module} does not ask for {attribute}" for module, attribute in sorted(FOREIGN.keys() - asked)]


def _asked(module: Module) -> Iterator[tuple[ast.Call, str]]:
    for call in _calls(module, "hasattr", "getattr"):
        match call.args:
            case [_, ast.Constant(str(attribute)), *_]:
                pass
            case _:
                attribute = ast.unparse(call)
        if _last(call.func) == "hasattr" or len(call.args) > 2:
            yield call, attribute


def _calls(module: Module, *names: str) -> Iterator[ast.Call]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _last(node.func) in names:
            yield node


def _last(node: ast.expr) -> str:
    match node:
        case ast.Name(name) | ast.Attribute(_, name):
            return name
    return ""
