"""A balancer by its name, or by a call as one writes it in the language."""

import ast
from collections.abc import Sequence
from typing import Any

import pinnace as pn
from pinnace._errors import did_you_mean, listed
from pinnace.zoo.settings import SettingError

NONE = "none"


def weighted(losses: Sequence[pn.Expr], balancer: str) -> list[Any]:
    """Entries for `pn.core`: the losses times their weights, and the weights tracked."""
    cell = balancer_of(balancer)
    if cell is None:
        return list(losses)
    weights = pn.weigh(list(losses), cell)
    return [*(w * loss for w, loss in zip(weights, losses, strict=True)), *(w.tracker() for w in weights)]


def balancer_of(text: str) -> pn.balance.Balancer | None:
    """The balancer of a name, or of a call such as "fixed(weights=[1, 10])"; None for "none".

    Raises SettingError for a text that is neither and for a name that does not exist, BalanceError for its arguments.

    >>> balancer_of("softadapt(beta=0.5)").beta
    0.5
    """
    name, numbers = called(text)
    known = [*pn.balance.BALANCERS, NONE]
    if name not in known:
        raise SettingError(f'there is no balancer "{name}".{did_you_mean(name, known)} There are {listed(known)}.')
    if name == NONE and numbers:
        raise SettingError(f'the balancer "none" has no arguments; got "{text}".')
    try:
        return None if name == NONE else pn.balance.by_name(name, **numbers)
    except OverflowError:
        raise SettingError(f'a number in "{text}" is too large.') from None


def called(text: str) -> tuple[str, dict[str, Any]]:
    """The name of a balancer and its arguments, from a name or a call.

    >>> called("softadapt(beta=0.5)")
    ('softadapt', {'beta': 0.5})
    """
    try:
        match ast.parse(text.strip(), mode="eval").body:
            case ast.Name(name):
                return name, {}
            case ast.Call(ast.Name(name), [], keywords) if all(word.arg for word in keywords):
                return name, {str(word.arg): ast.literal_eval(word.value) for word in keywords}
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        pass
    raise SettingError(
        f'a balancer is a name, or a call with numbers by name such as "softadapt(beta=0.5)"; got "{text}".'
    )
