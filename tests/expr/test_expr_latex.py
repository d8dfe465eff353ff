"""LaTeX of expressions: what is shown, and that TeX can read it."""

import re

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

import pinnace as pn
from pinnace.expr import Names, as_expr, latex

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
    "2 * np.pi * x": r"2 \pi \, x",
    "x * 2": r"x \cdot 2",
    "1e-5 * x": r"10^{-5} \, x",
    "1.5e-5 * x": r"1.5 \cdot 10^{-5} \, x",
    "x**1e-5": r"x^{10^{-5}}",
    "(x * 0 + 1e-5)**2": r"\left(x \cdot 0 + 10^{-5}\right)^{2}",
    "x * True": r"x \, \mathrm{True}",
    "x * np.inf": r"x \, \mathrm{inf}",
    "abs(x) + np.sqrt(y)": r"\left|x\right| + \sqrt{y}",
    "np.sin(x) * np.log1p(y)": r"\sin\left(x\right) \, \mathrm{log1p}\left(y\right)",
    "np.log10(x)": r"\log_{10}\left(x\right)",
    "np.floor(x) / np.cbrt(y)": r"\frac{\left\lfloor x \right\rfloor}{\sqrt[3]{y}}",
    "np.maximum(x, 0)": r"\max\left(x, 0\right)",
    "np.logical_and(x < y, ~(y > 0))": r"\left(x < y\right) \wedge \neg\left(y > 0\right)",
    "np.dot(w, x * w)": r"w \cdot \left(x \, w\right)",
    "np.square(x + y)": r"\left(x + y\right)^2",
    "x <= y": r"x \leq y",
    "w[0]": r"{w}_{0}",
    "w[1:]": r"{w}_{1:}",
    "w[..., 0]": r"{w}_{\dots, 0}",
    "u.at({x: -1.0})": r"\left. u \right|_{x = -1.0}",
    "(u + x).at({x: 0})": r"\left. \left(u + x\right) \right|_{x = 0}",
    "w[0].d(x)": r"\frac{\partial {w}_{0}}{\partial x}",
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
    "u.sum * 2": r"\left(\sum u\right) \cdot 2",
    "u.named('the rest').mse": r"\left\langle \left(\mathrm{the\ rest}\right)^2 \right\rangle",
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
    "(u + x * y - nu * u.dd(x) + u.d(x) * u.d(y) - u.dd(y) + x**2 - y**2 + u**3 - u.d(x, y) + nu * u).mse.named('r')",
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
        ("k_1", "k_{1}"),
        ("ic_0", r"\mathrm{ic}_{0}"),
        ("kappa_x", r"\kappa_{x}"),
        ("D_eff", r"D_{\mathrm{eff}}"),
        ("bc_left", r"\mathrm{bc\_left}"),
        ("<i>", r"\mathrm{\langle i\rangle }"),
    ],
)
def test_symbols(name, shown):
    assert latex(pn.parameter(1.0, name)) == shown


def test_a_number_alone():
    assert latex(as_expr(2)) == "2" and latex(as_expr(-2.0)) == "-2.0" and latex(as_expr(False)) == r"\mathrm{False}"


def test_long_sums_are_broken_before_their_signs(things):
    x, u = things.x, things.u
    terms = [(k + 1) * u.d(x) * x**k for k in range(24)]
    whole = (sum(terms[1:], terms[0]) - u).mse.named("long")
    shown = whole._repr_latex_()
    lines = shown.split(r"\\ &")
    assert len(lines) > 2 and r"\begin{aligned} \mathrm{long} = \Big\langle \Big( & " in lines[0]
    assert all(line.startswith(" {} + ") for line in lines[1:]) and lines[-1].endswith(
        r"- u \Big)^2 \Big\rangle \end{aligned}$"
    )
    # nothing but the breaks differs
    plain = shown.replace(r" \\ & {}", "").replace(r"\Big( & ", r"\left(").replace(r" \Big)", r"\right)")
    plain = plain.replace(r"\Big\langle", r"\left\langle").replace(r"\Big\rangle", r"\right\rangle")
    assert plain == rf"$\displaystyle \begin{{aligned}} {latex(whole)} \end{{aligned}}$"


def test_fields_without_names_are_told_apart_across_expressions(things):
    first, second = (pn.nn(things.net.module)(things.x, things.y) for _ in range(2))
    names = Names()
    assert [latex(one, names) for one in (first, second, first)] == ["u", "u_{2}", "u"]
    assert latex(first.mse.named("pde"), top=False) == r"\mathrm{pde}"
