"""Errors of what programs hold: shown at the line that asked, not with all that lies between it and the store."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from seeder.errors import SeederError

P = ParamSpec("P")
T = TypeVar("T")


def plainly(function: Callable[P, T]) -> Callable[P, T]:
    """The same function. What it raises of seeder's own says all in its words, so that its way through seeder is left out."""

    @functools.wraps(function)
    def asked(*given: P.args, **named: P.kwargs) -> T:
        __tracebackhide__ = True  # pytest shows the line of the test
        try:
            return function(*given, **named)
        except SeederError as error:
            raise error.with_traceback(None) from None

    return asked
