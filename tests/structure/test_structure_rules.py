"""Each rule of the house catches the violation that it is about, and lets a sound package pass."""

from pathlib import Path

import pytest
from house import RULES, read
from house.examples import failures
from house.silence import import_effects

NODE = '''"""Nodes."""

import numpy as np


class Expr:
    """What to compute."""

    def __init__(self, value: float):
        self.value = value

    def doubled(self) -> float:
        """Twice the value.

        >>> Expr(2.0).doubled()
        4.0
        """
        return 2 * float(np.asarray(self.value))


ZERO = Expr(0.0)
"""Nothing."""
'''

SOUND = {
    "__init__.py": '"""The face."""\n\nfrom pinnace.expr import Expr as Expr\n\n__version__ = "0.1.0"\n',
    "_errors.py": '"""Errors."""\n',
    "expr/__init__.py": '"""The language."""\n\nfrom pinnace.expr.node import ZERO as ZERO\n'
    "from pinnace.expr.node import Expr as Expr\n",
    "expr/node.py": NODE,
    "step/__init__.py": '"""The step."""\n\nfrom pinnace.step.core import core as core\n',
    "step/core.py": '"""Core."""\n\nfrom pinnace._errors import __doc__\nfrom pinnace.expr import Expr\n\n\n'
    'def core(entry: Expr) -> Expr:\n    """Compile."""\n    import scipy\n\n    return entry\n',
    "zoo/__init__.py": '"""Problems."""\n\nimport pinnace as pn\nfrom pinnace.step import core\n',
    "cli.py": '"""Commands."""\n\nfrom pinnace import zoo\n\n\ndef main() -> None:\n    """Run."""\n',
    "__main__.py": '"""python -m pinnace."""\n\nfrom pinnace.cli import main\n',
}


def plant(root: Path, files: dict[str, str]) -> Path:
    for name, text in (SOUND | files).items():
        path = root / "src" / "pinnace" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root / "src"


def core(body: str) -> dict[str, str]:
    return {"step/core.py": f'"""Core."""\n\n{body}\n'}


def exported(body: str) -> dict[str, str]:
    """A body that defines `f`, which the face of step exports."""
    return core(body) | {"step/__init__.py": '"""The step."""\n\nfrom pinnace.step.core import f as f\n'}


TRY = "try:\n    pass\n"

PLANTED = [
    (
        "levels",
        {"expr/node.py": "from pinnace.step import core\n"},
        '"expr" (level 0) imports "step" (level 5)',
    ),
    ("levels", {"expr/node.py": "import pinnace.step.core\n"}, '"expr" (level 0) imports "step"'),
    ("levels", {"expr/node.py": "from ..step import core\n"}, '"expr" (level 0) imports "step"'),
    ("levels", {"expr/node.py": "from .. import step\n"}, '"expr" (level 0) imports "step"'),
    ("levels", {"expr/node.py": "from pinnace import step\n"}, '"expr" (level 0) imports "step"'),
    ("levels", {"expr/__init__.py": "from ..step import core\n"}, '"expr" (level 0) imports "step"'),
    ("levels", {"balance/a.py": "import pinnace.points\n", "points/__init__.py": ""}, "imports"),
    ("levels", core("from pinnace import Expr"), "the face, which is above"),
    ("levels", {"_errors.py": "from pinnace.expr import Expr\n"}, '"_errors" (level -1) imports "expr"'),
    ("levels", {"extra/__init__.py": ""}, '"extra" has no level'),
    ("levels", {"zoo/a.py": "from pinnace.cli import main\n"}, "of its own level"),
    ("levels", {"zoo/a.py": "from pinnace.step.core import core\n"}, "public names only"),
    ("levels", {"zoo/a.py": "from pinnace.step import _core\n"}, "public names only"),
    ("face", {"__init__.py": "import jax\n"}, "only re-exports"),
    ("face", {"__init__.py": "def solve():\n    return 1\n"}, "only re-exports"),
    ("face", {"__init__.py": "from optax import adam as adam\n"}, "only re-exports"),
    ("plain expressions", {"expr/node.py": "import jax.numpy as jnp\n"}, "must not load jax"),
    ("plain expressions", {"expr/node.py": "def f():\n    from optax import adam\n"}, "must not load optax"),
    (
        "plain expressions",
        {"expr/node.py": "from pinnace._types import Array\n", "_types.py": "import equinox\n"},
        "must not load equinox",
    ),
    (
        "cycles",
        {"step/a.py": "from pinnace.step import b\n", "step/b.py": "import pinnace.step.a\n"},
        "pinnace.step.a -> pinnace.step.b -> pinnace.step.a",
    ),
    ("cycles", core("from pinnace.step import f"), "pinnace.step -> pinnace.step.core -> pinnace.step"),
    ("median file", {f"step/f{i}.py": "\n" * 201 for i in range(20)}, "201 lines"),
    ("any file", core("\n" * 500), "lines, more than 500"),
    ("any function", core("def f():\n" + "    pass\n" * 80), "f has 81 lines"),
    ("any function", core("class A:\n  async def f():\n" + "    pass\n" * 80), "f has 81 lines"),
    ("module names", {"step/utils.py": ""}, '"utils" says nothing'),
    ("module names", {"step/_helpers/a.py": ""}, '"_helpers" says nothing'),
    ("module names", {"step/common.py": ""}, '"common" says nothing'),
    ("module names", {"step/misc.py": ""}, '"misc" says nothing'),
    ("inner imports", core("def f():\n    from pinnace.expr import Expr"), "not imported at the top"),
    ("inner imports", core("def f():\n    from . import other"), "not imported at the top"),
    ("inner imports", core("if True:\n    import pinnace.expr"), "not imported at the top"),
    ("inner imports", core('import_module("pinnace.expr")'), "dynamic import"),
    ("inner imports", core('importlib.import_module(".expr", "pinnace")'), "dynamic import"),
    ("inner imports", core("__import__(name)"), "dynamic import"),
    ("private jax", core("from jax._src import core"), "private"),
    ("private jax", core("from jax import _src"), "private"),
    ("private jax", core("import jax\njax._src.core"), "private"),
    ("private jax", core('import_module("jax._src.core")'), "private"),
    ("broad excepts", core(f"{TRY}except:\n    pass"), "hides"),
    ("broad excepts", core(f"{TRY}except Exception:\n    pass"), "hides"),
    ("broad excepts", core(f"{TRY}except (KeyError, BaseException) as e:\n    raise"), "hides"),
    ("broad excepts", core(f"{TRY}except builtins.Exception:\n    pass"), "hides"),
    ("broad excepts", core("with contextlib.suppress(Exception):\n    pass"), "hides"),
    ("probing", core('hasattr(node, "kind")'), "asks an object whether it has kind"),
    ("probing", core('getattr(node, "kind", None)'), "asks an object whether it has kind"),
    ("probing", core("getattr(node, name, None)"), "asks an object whether"),
    ("probing", core("hasattr(*both)"), "asks an object whether"),
    ("public names", exported("def f() -> int:\n    return 1"), "f has no docstring"),
    ("public names", exported('def f(a, *, b: int) -> int:\n    """."""'), "f does not annotate a"),
    ("public names", exported('def f(*a: int, **k) -> int:\n    """."""'), "f does not annotate k"),
    ("public names", exported('def f():\n    """."""'), "f does not annotate what it returns"),
    ("public names", exported("class f:\n    pass"), "f has no docstring"),
    ("public names", exported('class f:\n    """."""\n    def g(self) -> int: ...'), "f.g has no docstring"),
    (
        "public names",
        exported('class f:\n    """."""\n    def __init__(self, a): ...'),
        "f.__init__ does not",
    ),
    ("public names", exported("f = 1"), "f has no docstring below it"),
    ("public names", exported("f: int = 1"), "f has no docstring below it"),
    ("public names", exported("g = 1"), "exports f, which is not defined"),
    ("public names", {"step/__init__.py": '__all__ = ["g"]\n'}, "exports g, which is not defined"),
    ("public names", {"step/__init__.py": 'from pinnace.expr import g\n__all__ = ["g"]\n'}, "exports g"),
    (
        "public names",
        {"expr/node.py": "", "__init__.py": "from pinnace.expr import node as node\n"},
        "docstring",
    ),
]


@pytest.mark.parametrize("rule", RULES)
def test_a_sound_package_passes(rule, tmp_path):
    assert RULES[rule](read(plant(tmp_path, {}))) == []


@pytest.mark.parametrize(("rule", "files", "complaint"), PLANTED)
def test_a_planted_violation_is_caught(rule, files, complaint, tmp_path):
    broken = RULES[rule](read(plant(tmp_path, files)))
    assert any(complaint in line for line in broken), broken


def test_every_rule_has_a_planted_violation():
    assert {rule for rule, *_ in PLANTED} == set(RULES)


@pytest.mark.parametrize(
    ("rule", "files"),
    [
        ("any function", core("def f():\n" + "    pass\n" * 79)),
        ("any file", {"step/core.py": "\n" * 500}),
        ("broad excepts", core(f"{TRY}except (KeyError, ValueError):\n    pass")),
        ("probing", core('getattr(numpy, "sin")')),
        ("inner imports", core('def f():\n    import matplotlib\n    import_module("scipy.stats")')),
        ("private jax", core("import jax\nfrom jax.extend import core\n__src = jax.numpy")),
        (
            "public names",
            exported(
                'class Base:\n    def g(self) -> int:\n        """."""\n\n\n'
                'class f(Base):\n    """."""\n    def g(self) -> int: ...\n    def _h(self, a): ...'
            ),
        ),
        ("public names", exported("from numpy import sin as f")),
    ],
)
def test_what_is_allowed_passes(rule, files, tmp_path):
    assert RULES[rule](read(plant(tmp_path, files))) == []


def test_effects_of_importing_are_seen(tmp_path):
    loud = """
import os, sys
import jax, matplotlib, scipy, tqdm
print("welcome")
print("a hint", file=sys.stderr)
jax.config.update("jax_enable_x64", True)
os.environ["XLA_FLAGS"] = ""
"""
    assert set(import_effects(plant(tmp_path, {"__init__.py": loud}), tmp_path)) == {
        "prints welcome",
        "prints a hint",
        "sets the jax configuration jax_enable_x64",
        "sets the environment variable XLA_FLAGS",
        "loads matplotlib",
        "loads scipy",
        "loads tqdm",
    }


def test_computing_while_importing_is_seen(tmp_path):
    source = plant(tmp_path, {"__init__.py": "import jax; jax.numpy.zeros(1)"})
    assert [effect[:5] for effect in import_effects(source, tmp_path)] == ["fails"]


def test_a_silent_import_passes(tmp_path):
    assert import_effects(plant(tmp_path, {}), tmp_path) == []


@pytest.mark.parametrize(
    ("example", "right"),
    [
        (">>> double(2)\n    4", True),
        (">>> double(2)\n    5", False),
        (">>> double(unknown)\n    4", False),
        (">>> import warnings\n    >>> warnings.warn('old')", False),
    ],
)
def test_examples_are_run(example, right, tmp_path):
    text = f'@functools.cache\ndef double(x: int) -> int:\n    """Twice.\n\n    {example}\n    """\n'
    module = read(plant(tmp_path, core(text)))["pinnace.step.core"]
    told = failures(module, {"double": lambda x: 2 * x})
    assert (told == []) is right, told
