"""The one node of the language. Immutable and shared: to build an expression computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Number
from typing import Any

import numpy as np

from pinnace._errors import ExpressionError
from pinnace.expr.display import displayed
from pinnace.expr.free import bound, settled
from pinnace.expr.identity import PointSet
from pinnace.expr.intern import Table, key_of
from pinnace.expr.kinds import BINARY, KINDS, UNARY, Shape
from pinnace.expr.text import postorder, text
from pinnace.expr.tracker import Tracker

_TABLE = Table()


class Expr:
    """A mathematical expression: what to compute, its shape at each point, the point set it lives on.

    Expressions come from coordinates (`dom.variable`), fields (`pn.nn`), parameters (`pn.parameter`) and the
    functions of `pn.np`. Equal expressions are the same object, `==` is identity, `<` and `>` build expressions.

    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 10)
    >>> print((x**2).d(x) - 2 * x)
    d(x**2, x) - 2 * x
    """

    __slots__ = ("__weakref__", "args", "data", "depends", "kind", "points", "shape")

    kind: str
    args: tuple[Expr, ...]
    data: tuple
    shape: Shape
    """Shape of the value at one point; () for a number."""
    points: PointSet | None
    """The point set it has one value at each point of; None for one value in all."""
    depends: frozenset
    """The coordinates it depends on, as (point set, axis)."""

    def __new__(cls, kind: str, args: tuple = (), data: tuple = ()) -> Any:
        args = settled(args)

        def build() -> Expr:
            node = object.__new__(cls)
            typing = KINDS[kind]
            values = (kind, args, data, typing.shape(args, data), typing.points(args, data), typing.depends(args, data))
            for slot, value in zip(("kind", "args", "data", "shape", "points", "depends"), values, strict=True):
                object.__setattr__(node, slot, value)
            return node

        return _TABLE.find((cls, kind, tuple(map(id, args)), key_of(data)), build)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"expressions do not change: `{text(self)}` cannot be given a new `{name}`.")

    def __reduce__(self) -> tuple:
        return (type(self), (self.kind, self.args, self.data))

    def __copy__(self) -> Expr:
        return self

    def __deepcopy__(self, memo: dict) -> Expr:
        return self

    # derivatives

    def d(self, *coordinates: Expr) -> Expr:
        """The partial derivative: `u.d(x)`, mixed `u.d(x, y)`, of any expression and to any order.

        Raises ExpressionError for what is no coordinate, or one that the expression does not depend on.
        """
        if not coordinates:
            raise ExpressionError(f"`{text(self)}`.d needs the coordinates to differentiate by, for example `.d(x)`.")
        where = _bound_to(self, coordinates)
        for coordinate in coordinates:
            _check_coordinate(where, coordinate)
        inner, before = (where.args[0], where.args[1:]) if where.kind == "derivative" else (where, ())
        order = sorted((*before, *coordinates), key=lambda coordinate: coordinate.data[1])
        return Expr("derivative", (inner, *order))

    def dd(self, coordinate: Expr) -> Expr:
        """The second derivative by one coordinate: `u.dd(x)` is `u.d(x, x)`."""
        return self.d(coordinate, coordinate)

    def at(self, values: Mapping[Expr, Any]) -> Expr:
        """The same expression at other coordinates: `u.at({x: -1.0})`.

        The values are numbers, expressions, or coordinates of another point set; derivatives inside keep their
        meaning (`u.d(x).at({x: -1.0})` is the slope at -1).
        """
        if not isinstance(values, Mapping):
            raise ExpressionError(
                f"`{text(self)}`.at takes a dict from coordinates to values, for example `.at({{x: 0.5}})`; got "
                f"{values!r}."
            )
        inner, pairs = _bound_to(self, values), []
        for coordinate, value in zip(values, settled(tuple(map(_scalar_at_point, values.values()))), strict=True):
            _check_coordinate(inner, coordinate, "at")
            pairs += [coordinate, value]
        return Expr("at", (inner, *pairs)) if pairs else self

    # losses

    @property
    def mse(self) -> Expr:
        """Mean of the squares over points and components."""
        return Expr("reduce", (self,), ("mse",))

    @property
    def mae(self) -> Expr:
        """Mean of the absolute values over points and components."""
        return Expr("reduce", (self,), ("mae",))

    @property
    def mean(self) -> Expr:
        """Mean over points and components."""
        return Expr("reduce", (self,), ("mean",))

    @property
    def sum(self) -> Expr:
        """Sum over points and components."""
        return Expr("reduce", (self,), ("sum",))

    @property
    def max(self) -> Expr:
        """Largest value over points and components."""
        return Expr("reduce", (self,), ("max",))

    def huber(self, delta: float) -> Expr:
        """Mean of the Huber loss: r^2 / 2 up to `delta`, then delta (|r| - delta / 2) (Huber 1964)."""
        if not (isinstance(delta, Number) and delta > 0):
            raise ExpressionError(f"huber takes a positive number for delta; got {delta!r}.")
        return Expr("reduce", (self,), ("huber", float(delta)))

    def weighted(self, weight: Any) -> Expr:
        """Mean of w r^2, for a weight `w` with a value at each point (or one for all)."""
        pair = settled((self, as_expr(weight)))
        KINDS["elementwise"].points(pair, ())
        KINDS["elementwise"].shape(pair, ())
        return Expr("reduce", pair, ("weighted",))

    def named(self, name: str) -> Expr:
        """The same expression under a name that history, weights, figures and errors show."""
        if not (isinstance(name, str) and name.strip()):
            raise ExpressionError(f"named takes a text that is not empty; got {name!r}.")
        return Expr("named", (self,), (name,))

    def tracker(self, name: str | None = None, every: int = 1) -> Tracker:
        """An entry of `core` that logs this expression at each `every`-th step and adds nothing to the loss."""
        return Tracker(self, name, every)

    # several components

    def __getitem__(self, index: Any) -> Expr:
        parts = index if isinstance(index, tuple) else (index,)
        for part in parts:
            if isinstance(part, bool) or not (part is Ellipsis or isinstance(part, (int, np.integer, slice))):
                raise ExpressionError(f"components are taken by numbers and slices, as in `u[0]`; got {index!r}.")
        plain = tuple(int(part) if isinstance(part, np.integer) else part for part in parts)
        return Expr("index", (self,), (plain,))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"`{text(self)}` is one number at each point and has no length.")
        return self.shape[0]

    def __iter__(self) -> Iterator[Expr]:
        if self.kind == "coordinate" and len(self.data[0].axes) == 1:
            return iter((self,))  # so that `(x,) = dom.variable(...)` may be written for a single axis too
        if not self.shape:
            raise ExpressionError(
                f"`{text(self)}` is one number at each point and cannot be unpacked. A field of several outputs can: "
                f"`u, v = net(x, y)` with a module that returns a vector of 2."
            )
        return (self[k] for k in range(self.shape[0]))

    # operators

    def __add__(self, other: Any) -> Expr:
        return _operator("add", self, other)

    def __radd__(self, other: Any) -> Expr:
        return _operator("add", other, self)

    def __sub__(self, other: Any) -> Expr:
        return _operator("subtract", self, other)

    def __rsub__(self, other: Any) -> Expr:
        return _operator("subtract", other, self)

    def __mul__(self, other: Any) -> Expr:
        return _operator("multiply", self, other)

    def __rmul__(self, other: Any) -> Expr:
        return _operator("multiply", other, self)

    def __truediv__(self, other: Any) -> Expr:
        return _operator("divide", self, other)

    def __rtruediv__(self, other: Any) -> Expr:
        return _operator("divide", other, self)

    def __pow__(self, other: Any) -> Expr:
        return _operator("power", self, other)

    def __rpow__(self, other: Any) -> Expr:
        return _operator("power", other, self)

    def __mod__(self, other: Any) -> Expr:
        return _operator("remainder", self, other)

    def __rmod__(self, other: Any) -> Expr:
        return _operator("remainder", other, self)

    def __neg__(self) -> Expr:
        return elementwise("negative", self)

    def __pos__(self) -> Expr:
        return self

    def __abs__(self) -> Expr:
        return elementwise("absolute", self)

    def __matmul__(self, other: Any) -> Expr:
        return Expr("event", (self, as_expr(other)), ("matmul", (), False))

    def __rmatmul__(self, other: Any) -> Expr:
        return Expr("event", (as_expr(other), self), ("matmul", (), False))

    def __lt__(self, other: Any) -> Expr:
        return _operator("less", self, other)

    def __le__(self, other: Any) -> Expr:
        return _operator("less_equal", self, other)

    def __gt__(self, other: Any) -> Expr:
        return _operator("greater", self, other)

    def __ge__(self, other: Any) -> Expr:
        return _operator("greater_equal", self, other)

    def __and__(self, other: Any) -> Expr:
        return _operator("logical_and", self, other)

    def __or__(self, other: Any) -> Expr:
        return _operator("logical_or", self, other)

    def __invert__(self) -> Expr:
        return elementwise("logical_not", self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Expr:
        name = ufunc.__name__
        if method != "__call__" or settings or name not in (*UNARY, *BINARY, "matmul"):
            shown = name if method == "__call__" else f"{name}.{method}"
            raise ExpressionError(
                f"np.{shown} does not apply to expressions. What does is in pn.np; else there is pn.apply(f, ...)."
            )
        return as_expr(inputs[0]) @ inputs[1] if name == "matmul" else elementwise(name, *inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Expr:
        raise ExpressionError(
            f"np.{function.__name__} computes at once and cannot take an expression. What can is in pn.np; else there "
            f"is pn.apply(f, ...)."
        )

    def __array__(self, *args: Any, **settings: Any) -> np.ndarray:
        raise ExpressionError(f"`{text(self)}` is an expression and not yet an array; arrays come from crux.eval(...).")

    # what an expression is not

    def __bool__(self) -> bool:
        raise ExpressionError(
            f"`{text(self)}` has no truth value while the problem is written: it is computed later, at each point. "
            f"Choose with pn.np.where(condition, a, b)."
        )

    def __float__(self) -> float:
        raise ExpressionError(
            f"`{text(self)}` is an expression and not yet a number. Functions of expressions are in pn.np; numbers "
            f"come from crux.eval(...)."
        )

    __int__ = __float__

    def __call__(self, *args: Any) -> Any:
        raise ExpressionError(
            f"`{text(self)}` is already an expression and cannot be called; to take it at other coordinates write "
            f"`.at({{x: ...}})`, to get numbers `crux.eval(...)`."
        )

    # printing

    def __repr__(self) -> str:
        return text(self, top=True)

    def _repr_latex_(self) -> str:
        return displayed(self)


def as_expr(value: Any) -> Expr:
    """A number or array as a constant; an expression as it is.

    Raises ExpressionError for anything else, and says what was probably meant.
    """
    match value:
        case Expr():
            return value
        case bool() | int() | float() if not isinstance(value, np.generic):
            return Expr("constant", (), (value,))
        case Tracker():
            raise ExpressionError(f"{value!r} is an entry of core and cannot be part of an expression.")
    if isinstance(value, (list, tuple, str, dict, set)) or callable(value) or not hasattr(value, "__array__"):
        raise ExpressionError(
            f"{value!r} is neither a real number nor an expression. A field becomes an expression when it is called "
            f"on coordinates, `net(x, t)`; several expressions become a vector by pn.np.stack([...])."
        )
    return _constant(np.array(value))


def _constant(array: np.ndarray) -> Expr:
    """A copy, so that the expression stays what it is; a number where the array is one."""
    if array.dtype.kind not in "biuf" and not np.can_cast(array.dtype, np.float32):
        raise ExpressionError(f"a constant is made of real numbers; got an array of {array.dtype}.")
    array.flags.writeable = False
    number = array.item() if array.ndim == 0 else array
    return Expr("constant", (), (float(number) if isinstance(number, np.generic) else number,))


def elementwise(name: str, *values: Any) -> Expr:
    """The node of an elementwise function of jax.numpy."""
    args = tuple(map(as_expr, values))
    return Expr("elementwise", args, (name,))


def _operator(name: str, left: Any, right: Any) -> Any:
    for side in (left, right):
        if isinstance(side, (list, tuple, str, dict, set)):
            return NotImplemented
    return elementwise(name, left, right)


def _scalar_at_point(value: Any) -> Expr:
    node = as_expr(value)
    if node.shape:
        raise ExpressionError(f"a coordinate is one number at each point; `{text(node)}` has shape {node.shape}.")
    return node


def _bound_to(expr: Expr, coordinates: Any) -> Expr:
    """A free expression at the points of the first coordinate; another one as it is."""
    first = next((one for one in coordinates if isinstance(one, Expr) and one.kind == "coordinate"), None)
    return expr if first is None else bound(expr, first.points)


def _check_coordinate(expr: Expr, coordinate: Any, method: str = "d") -> None:
    if not (isinstance(coordinate, Expr) and coordinate.kind == "coordinate"):
        got = f"`{text(coordinate)}`" if isinstance(coordinate, Expr) else repr(coordinate)
        raise ExpressionError(
            f"`{text(expr)}`.{method} takes coordinates, as dom.variable(...) gives them; got {got}. For example: "
            f'x, t = dom.variable("interior"), then `.d(x)`.'
        )
    if coordinate.data not in expr.depends:
        if expr.points is None and any(node.kind == "reduce" for node in postorder([expr], lambda node: node.args)):
            raise ExpressionError(
                f"`{text(expr)}` does not depend on {text(coordinate)} any more: it is one number for all its points. "
                f"Write .{method}(...) before what reduces it, for example "
                f"`u.{method}({'{x: xb}' if method == 'at' else 'x'}).mse`."
            )
        known = sorted({points.axes[axis] for points, axis in expr.depends})
        other = any(points is not coordinate.points for points, _ in expr.depends)
        where = "" if coordinate.data[0].symbolic else f" of {coordinate.points!r}"
        raise ExpressionError(
            f"`{text(expr)}` does not depend on {text(coordinate)}{where}: it depends on "
            f"{', '.join(known) or 'no coordinate'}{' of another point set' if other and known else ''}."
        )
