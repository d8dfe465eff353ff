"""Walks over expressions: every node once, arguments first; and the same expression with nodes replaced."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from pinnace.expr.node import Expr
from pinnace.expr.text import postorder


def nodes(roots: Iterable[Expr]) -> Iterator[Expr]:
    """Every node below the roots, each once, arguments before what uses them, in order of first use.

    The arguments of a weight are the losses that its balancer looks at.
    """
    return postorder(roots, lambda node: node.args)


def replace(
    root: Expr, rules: Mapping[str, Callable[[Expr, tuple], Expr]], kept: frozenset[Expr] = frozenset()
) -> Expr:
    """The expression with nodes rebuilt: `rules[kind](node, new_args)`; other nodes keep kind and data.

    What is `kept` stays as it is, with all below it.
    """
    done: dict[Expr, Expr] = {node: node for node in kept}
    for node in postorder([root], lambda node: () if node in kept else node.args):
        if node in kept:
            continue
        args = tuple(done[arg] for arg in node.args)
        if node.kind in rules:
            done[node] = rules[node.kind](node, args)
        else:
            done[node] = node if args == node.args else type(node)(node.kind, args, node.data)
    return done[root]
