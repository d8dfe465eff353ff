"""Errors of rates that cannot be captured, with the line of the user's code that is meant."""

import linecache
import sys
import traceback
from types import FrameType, TracebackType
from typing import Any

import jax

from pinnace._errors import PinnaceError, ScheduleError

OTHERS = {"pinnace", "jax", "jaxlib", "numpy", "optax", "equinox", "jaxtyping", "functools", "contextlib"}
"""Packages whose code is not the user's."""

INNER = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.NonConcreteBooleanIndexError,
)


class Blame:
    """Whatever goes wrong inside becomes a ScheduleError that names the line."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception):
            return
        if ours := _in_chain(error):
            if ours is not error:
                raise ours from None
            return
        raise ScheduleError(f"{_what(error)}{_at(_users_line(trace))}. {_instead(error)}") from error


def needs_the_number(what: str, instead: str) -> ScheduleError:
    """The error for an operation that cannot wait until the step runs."""
    return ScheduleError(
        f"A rate is compiled into the step, where its values are not known in advance, and {what} would need "
        f"them{place()}. Write {instead}."
    )


def place() -> str:
    """Where the user's code is now, as the end of a sentence."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if _is_users(frame):
            return _at((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return ""


def _what(error: Exception) -> str:
    if isinstance(error, INNER):
        return "A function that JAX traces itself (jax.jit, jax.lax.cond, ...) branches in Python"
    if isinstance(error, jax.errors.UnexpectedTracerError):
        return "This rate keeps a value of an earlier call"
    first_line = str(error).partition("\n")[0]
    return f'This rate raises {type(error).__name__}("{first_line}")'


def _instead(error: Exception) -> str:
    if isinstance(error, INNER):
        return "Write jnp.where or jax.lax.cond there, or leave the jax.jit out."
    if isinstance(error, jax.errors.UnexpectedTracerError):
        return "Make it a state: lrs(f, state=first) with f(epoch, losses, state) -> (lr, next_state)."
    return (
        "Every path through its branches is part of the compiled step, where nothing can be raised: return a "
        "number on each of them (jnp.nan stops the training)."
    )


def _in_chain(error: BaseException | None) -> PinnaceError | None:
    """The error of ours that NumPy, for example, has wrapped into its own."""
    while error is not None and not isinstance(error, PinnaceError):
        error = error.__cause__
    return error


def _users_line(trace: TracebackType | None) -> tuple[str, int] | None:
    """The innermost line of a traceback that the user wrote."""
    lines = [(f.f_code.co_filename, line) for f, line in traceback.walk_tb(trace) if _is_users(f)]
    return lines[-1] if lines else None


def _is_users(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] not in OTHERS


def _at(line: Any) -> str:
    if line is None:
        return ""
    file, number = line
    source = linecache.getline(file, number).strip()
    return f" at {file}:{number}" + (f" (`{source}`)" if source else "")
