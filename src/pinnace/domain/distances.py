"""Distances to the regions of a domain, as expressions of its coordinates."""

from collections.abc import Sequence
from typing import Any

from pinnace._errors import DomainError, listed
from pinnace.domain.anywhere import coordinates as anywhere
from pinnace.domain.rvachev import beyond, joined
from pinnace.expr import Expr, as_expr, text


def distance(domain: Any, region: str | Sequence[str], coordinates: Sequence[Expr], normalized: bool) -> Expr:
    """See `Domain.distance`."""
    names = [region] if isinstance(region, str) else list(region)
    if not names:
        raise DomainError(f"the distance is to a region of {domain!r}, one of {listed(_known(domain))}; got none.")
    at = _coordinates(domain, coordinates)
    if "boundary" in names:  # all parts of it are
        names = [name for name in names if name in ("boundary", "initial", "final")]
    parts = [_one(domain, name, at, normalized) for name in dict.fromkeys(names)]
    size = domain.shape.size if domain.shape.dim else 1.0
    return joined(parts, size, normalized)


def _one(domain: Any, region: str, at: Sequence[Expr], normalized: bool) -> Expr:
    domain.check_region(region)
    if region in ("initial", "final"):
        time = at[domain.axes.index(domain.span.name)]
        return beyond(time, domain.span.start) if region == "initial" else domain.span.stop - time
    if region not in _known(domain):
        raise DomainError(
            f'"{region}" of {domain!r} is no part of its boundary, and has no distance that is positive inside; there '
            f"are {listed(_known(domain))}."
        )
    return domain.shape.distance(None if region == "boundary" else region, at[: domain.shape.dim], normalized)


def _known(domain: Any) -> list[str]:
    return [name for name in domain.regions if name != "interior" and name not in domain.shape.zones]


def _coordinates(domain: Any, given: Sequence[Expr]) -> tuple[Expr, ...]:
    if not given:
        return anywhere(domain)
    at = tuple(map(as_expr, given))
    if len(at) != len(domain.axes) or any(one.shape for one in at):
        raise DomainError(
            f"the distance in {domain!r} is taken at one number for each of {listed(domain.axes)}; got "
            f"{', '.join(map(text, at))}."
        )
    return at
