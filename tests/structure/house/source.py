"""A package as its source: modules, and the imports that each of them makes."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGE = "pinnace"


@dataclass(frozen=True)
class Import:
    """One module (or one name of a module) that is imported."""

    line: int
    module: str
    """Absolute: relative imports are resolved."""
    name: str | None
    """The name taken from the module, None for `import module`."""
    alias: str | None
    """What comes after `as`."""
    top: bool
    """Whether it is a statement of the module itself, not inside a function, class or condition."""

    @property
    def target(self) -> str:
        return self.module if self.name is None else f"{self.module}.{self.name}"

    @property
    def bound(self) -> str:
        """The name that the importing module gets."""
        return self.alias or self.name or self.module.split(".")[0]


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    name: str
    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def folder(self) -> str:
        return folder_of(self.name)

    @property
    def length(self) -> int:
        return len(self.text.splitlines())

    @cached_property
    def imports(self) -> list[Import]:
        return list(self._imports())

    def _imports(self) -> Iterator[Import]:
        for node in ast.walk(self.tree):
            top = node in self.tree.body
            match node:
                case ast.Import():
                    for alias in node.names:
                        yield Import(node.lineno, alias.name, None, alias.asname, top)
                case ast.ImportFrom():
                    for alias in node.names:
                        yield Import(node.lineno, self._origin(node), alias.name, alias.asname, top)

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        here = self.name.split(".") + ([""] if self.is_package else [])
        return ".".join([*here[: -node.level], *(node.module or "").split(".")]).rstrip(".")

    def says(self, line: int, message: str) -> str:
        return f"{self.path}:{line}: {message}"


class Package(dict[str, Module]):
    """The modules of a package by their dotted names."""

    def imported(self, item: Import) -> str | None:
        """The module of this package that an import reaches, None for one of somebody else."""
        if item.module.split(".")[0] != PACKAGE:
            return None
        return item.target if item.target in self and not self._hides(item) else item.module

    def _hides(self, item: Import) -> bool:
        """Whether a face exports something by the name of a module: `core` of `step/core.py`."""
        face = self.get(item.module)
        return face is not None and any(
            other.bound == item.name and other.target != item.target for other in face.imports if other.top
        )


def folder_of(name: str) -> str:
    """The first name below the package: the unit that has a level. "" for the face."""
    return [*name.split("."), ""][1]


def read(source: Path) -> Package:
    """The package below a source folder (`src`)."""
    package = Package()
    for path in sorted((source / PACKAGE).rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        package[name] = Module(name, path.relative_to(source), path.read_text(encoding="utf-8"))
    return package
