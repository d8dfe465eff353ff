"""LaTeX of expressions: what is shown, and that TeX can read it."""

import re

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

import pinnace as pn
from pinnace.expr import as_expr, latex

SHOWN = {
    "u.d(x)": r"\frac{\partial u}{\partial x}",
    "u.dd(x)": r"\frac{\partial^{2} u}{\partial x^{2}}",
    "u.d(x, y, y)": r"\frac{\partial^{3} u}{\partial x \, \partial y^{2}}",
    "(u * x).d(x)": r"\frac{\partial}{\partial x} \left(u \, x\right)",
    "u.d(x)**2": r"\left(\frac{\partial u}{\partial x}\right)^{2}",
    "nu * u.dd(x) - u": r"\nu \, \frac{\partial^{2} u}{\partial x^{2}} - u",
    "x + y * x": r"x + y \, x",
    "x * (x + y)": r"x \, \left(x + y\right)",
    "x - (y - x)": r"x - \left(y - x\right)",
    "x + -y": r"x + \left(-y\right)",
    "x - -1.5": r"x - \left(-1.5\right)",
    "x * -1.5": r"x \, \left(-1.5\right)",
    "-x * y": r"-x \, y",
    "-(x + y)": r"-\left(x + y\right)",
    "-(-x)": r"-\left(-x\right)",
    "(-x)**2": r"\left(-x\right)^{2}",
    "(x / y)**2": r"\left(\frac{x}{y}\right)^{2}",
    "x**y**2": r"x^{y^{2}}",
    "(x**y)**2": r"\left(x^{y}\right)^{2}",
    "np.pi * x": r"\pi \, x",
    "1e-5 * x": r"1 \cdot 10^{-5} \, x",
    "x**1e-5": r"x^{1 \cdot 10^{-5}}",
    "x * True": r"x \, \mathrm{True}",
    "x * np.inf": r"x \, \mathrm{inf}",
    "abs(x) + np.sqrt(y)": r"\left|x\right| + \sqrt{y}",
    "np.sin(x) * np.log1p(y)": r"\sin\left(x\right) \, \operatorname{log1p}\left(y\right)",
    "np.square(x + y)": r"\left(x + y\right)^2",
    "x <= y": r"x \leq y",
    "w[0]": r"{w}_{0}",
    "w[1:]": r"{w}_{1:}",
    "w[..., 0]": r"{w}_{\dots, 0}",
    "u.at({x: -1.0})": r"\left. u \right|_{x = -1.0}",
    "net(2 * x, y)": r"u\left(2 \, x, y\right)",
    "np.norm(w)": r"\left\| w \right\|",
    "np.stack([x, y])": r"\operatorname{stack}\left(x, y\right)",
    "u.mse": r"\left\langle u^2 \right\rangle",
    "(u - x).mse": r"\left\langle \left(u - x\right)^2 \right\rangle",
    "u.mae": r"\left\langle \left|u\right| \right\rangle",
    "u.huber(0.5)": r"\left\langle H_{0.5}\left(u\right) \right\rangle",
    "attended * u": r"\lambda_{\mathrm{r}} \, u",
    "u.weighted(x)": r"\left\langle x \, u^2 \right\rangle",
    "np.relative_l2(u + x, x * y)": r"\frac{\left\| u + x - x \, y \right\|}{\left\| x \, y \right\|}",
    "np.quantile(u, [0.5, 0.9])": r"Q_{0.5, 0.9}\left(u\right)",
    "slope": r"\left\| \nabla_{\theta} \mathrm{pde} \right\|",
    "spectrum": r"\lambda_{1, \dots, 4}\left(K_{\theta_{u}}\left[u\right]\right)",
    "u.sum * 2": r"\sum u \, 2",
    "u.max + u.mean": r"\max\left(u\right) + \left\langle u \right\rangle",
    "u.mse.named('pde')": r"\mathrm{pde} = \left\langle u^2 \right\rangle",
    "2 * u.mse.named('my_loss 100%')": r"2 \, \mathrm{my\_loss\ 100\%}",
    "balanced": r"w_{\mathrm{pde}} \, \mathrm{pde}",
}


def example(written, things):
    pde = things.u.mse.named("pde")
    weight, _ = pn.fn.adaptive.dwa([pde, things.x.mse])
    attended = pn.fn.adaptive.rba(things.u.named("r"))
    measured = {"slope": pn.diagnose.gradient_norm(pde), "spectrum": pn.diagnose.ntk_spectrum(things.u, 4, things.net)}
    return eval(written, vars(things) | {"balanced": weight * pde, "attended": attended, **measured})


@pytest.mark.parametrize("written", SHOWN)
def test_what_is_shown(written, things):
    assert latex(example(written, things)) == SHOWN[written]


def balanced(shown):
    """Whether braces and \\left, \\right close what they open."""
    depth = 0
    for token in re.findall(r"\\[{}]|[{}]", shown):
        depth += {"{": 1, "}": -1}.get(token, 0)
        if depth < 0:
            return False
    return depth == 0 and shown.count(r"\left") == shown.count(r"\right")


AWKWARD = [
    "u.named('a{b').d(x)",
    "u.named('$x^2$ & #1 ~ \\\\').mse",
    "u.mse.named('50 % off_')",
    "np.stack([x, y], axis=0) * array",
    "np.logical_and(x < y, x > 0)",
    "u.at({x: y, y: x / 2}).at({x: 0.5})",
    "np.where(x < y, x**0.5, -y)",
    "apply(lambda z: z, u)",
    "np.laplacian(u, [x, y]).d(x)",
]


@pytest.mark.parametrize("written", [*SHOWN, *AWKWARD])
def test_what_is_opened_is_closed(written, things):
    names = {"array": np.arange(2.0), "apply": pn.apply}
    expr = example(written, things) if written in SHOWN else eval(written, vars(things) | names)
    assert balanced(latex(expr)), latex(expr)
    assert expr._repr_latex_().startswith("$") and expr._repr_latex_().endswith("$")


MATHTEXT = [written for written in SHOWN if written not in ("w[..., 0]",)]


@pytest.mark.parametrize("written", MATHTEXT)
def test_matplotlib_reads_it(written, things):
    MathTextParser("path").parse(f"${latex(example(written, things))}$")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("nu", r"\nu"),
        ("nu2", r"\nu_{2}"),
        ("k", "k"),
        ("u2", "u_{2}"),
        ("rate", r"\mathrm{rate}"),
        ("k_1", r"\mathrm{k\_}_{1}"),
    ],
)
def test_symbols(name, shown):
    assert latex(pn.parameter(1.0, name)) == shown


def test_a_number_alone():
    assert latex(as_expr(2)) == "2" and latex(as_expr(-2.0)) == "-2.0" and latex(as_expr(False)) == r"\mathrm{False}"
