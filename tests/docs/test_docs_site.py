"""The documentation builds as a site that needs nothing from anywhere else, and its reference is complete."""

import inspect
import os
import re
import subprocess
import sys
from functools import reduce
from pathlib import Path

import pytest

import pinnace as pn
from pinnace import zoo as zoo
from pinnace.expr.kinds import BINARY, UNARY

ROOT = Path(__file__).parents[2]
REFERENCE = "\n".join(page.read_text() for page in sorted((ROOT / "docs" / "api").glob("*.md")))
FOREIGN = re.compile(r"""<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)=["']?https?:""")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages of the built site, as HTML by name."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-f", "docs/mkdocs.yml", "-d", str(out)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {str(page.relative_to(out)): page.read_text() for page in out.rglob("*.html")}


def test_a_reader_needs_no_network(site):
    assert not {name: FOREIGN.findall(page) for name, page in site.items() if FOREIGN.search(page)}


def test_formulas_are_mathematics(site):
    assert "<math" in site["start.html"]
    assert not [name for name, page in site.items() if 'class="arithmatex"' in page or "$$" in page]


def test_examples_of_docstrings_are_code(site):
    assert not [name for name, page in site.items() if re.search(r"<blockquote>\s*<blockquote>", page)]


LOWER = {"canvas", "expr", "points", "net", "lower", "step", "train", "fn", "zoo", "cli"}
"""Modules below the face that Python puts there too; `pn.fn.adaptive` is checked by itself."""


def public():
    """What users write, by name: of the face, and of the modules that it exports."""
    for name, thing in vars(pn).items():
        if name.startswith("_") or name in LOWER:
            continue
        if inspect.ismodule(thing):
            yield from ((f"pinnace.{name}.{inner}", vars(thing)[inner]) for inner in exported(thing))
        else:
            yield f"pinnace.{name}", thing


def exported(module):
    """What a module says is public: `__all__`, or `import x as x`; else its functions that show users an example."""
    source = Path(module.__file__).read_text()
    names = vars(module).get("__all__") or re.findall(r"import (\w+) as \1$", source, re.MULTILINE)
    own = [
        name for name, thing in inspect.getmembers(module, inspect.isfunction) if thing.__module__ == module.__name__
    ]
    names = names or [name for name in own if ">>>" in str(vars(module)[name].__doc__)]
    return [name for name in names if not name.startswith("_") and not inspect.ismodule(vars(module)[name])]


def documented():
    """What the reference has, under whichever name."""
    for path, options in re.findall(r"^::: pinnace\.(\S+)\n((?:    .*\n)*)", REFERENCE, re.MULTILINE):
        heading = re.search(r"heading: pinnace\.([\w.]+)", options)
        yield reduce(getattr, (heading[1] if heading else path).split("."), pn)


def test_the_reference_has_every_public_name():
    known = set(map(id, documented()))
    assert not [name for name, thing in public() if id(thing) not in known]


def test_the_reference_has_every_function_of_expressions():
    (listed,) = re.findall(r"<!-- elementwise -->\n(.*?)\n\n", REFERENCE, re.DOTALL)
    assert re.findall(r"`(\w+)`", listed) == sorted({*UNARY, *BINARY})


def test_the_reference_has_everything_adaptive():
    names = {name for name, thing in vars(pn.fn.adaptive).items() if inspect.isfunction(thing)} - {"of_losses", "weigh"}
    assert names
    for name in names:
        assert re.search(rf"::: pinnace\.(fn\.adaptive|balance|schedule)\.{name}\n", REFERENCE), name
