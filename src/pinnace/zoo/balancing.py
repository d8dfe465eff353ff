"""A balancer by its name, or by a call as one writes it in the language."""

import ast
from collections.abc import Sequence
from typing import Any

import pinnace as pn
from pinnace._errors import did_you_mean, listed
from pinnace.zoo.settings import SettingError

NONE = "none"


def weighted(losses: Sequence[pn.Expr], balancer: str) -> list[Any]:
    """Entries for `pn.core`: the losses times their weights, and the weights tracked.

    `balancer` is a name, a call such as "softadapt(beta=0.5)", or "none" for the plain sum.
    """
    name, numbers = called(balancer)
    if name == NONE:
        return list(losses)
    weights = pn.weigh(list(losses), pn.balance.by_name(name, **numbers))
    return [*(w * loss for w, loss in zip(weights, losses, strict=True)), *(w.tracker() for w in weights)]


def called(text: str) -> tuple[str, dict[str, Any]]:
    """The name and the arguments in a text such as "fixed(weights=[1, 10])".

    Raises SettingError for a text that is no such call, and for a balancer that does not exist.

    >>> called("softadapt(beta=0.5)")
    ('softadapt', {'beta': 0.5})
    """
    try:
        match ast.parse(text.strip(), mode="eval").body:
            case ast.Name(name):
                return _known(name), {}
            case ast.Call(ast.Name(name), [], keywords) if all(word.arg for word in keywords):
                return _known(name), {str(word.arg): ast.literal_eval(word.value) for word in keywords}
    except (SyntaxError, ValueError):
        pass
    raise SettingError(
        f'a balancer is a name, or a call with numbers by name such as "softadapt(beta=0.5)"; got "{text}".'
    )


def _known(name: str) -> str:
    known = [*pn.balance.BALANCERS, NONE]
    if name not in known:
        raise SettingError(f'there is no balancer "{name}".{did_you_mean(name, known)} There are {listed(known)}.')
    return name
