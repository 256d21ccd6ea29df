"""Versions, and ranges of them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_VERSION = re.compile(r"v?(?P<release>\d+(?:\.\d+)*)(?:[-._]?(?P<suffix>[A-Za-z][0-9A-Za-z.-]*))?(?:\+[0-9A-Za-z.-]+)?", re.ASCII)
_CLAUSE = re.compile(r"\s*(>=|<=|==|!=|>|<|~=)?\s*(\S+)\s*")
_HOW: Final = "write it as in >=2.3,<3 or as a version such as 2.3.0"


@dataclass(frozen=True, order=True)
class Version:
    """A version that can be compared: the numbers without trailing zeros, then what follows them.

    A suffix (`-rc1`, `b2`) comes before the plain version, `.post1` after it; what follows a plus sign does not count.
    """

    release: tuple[int, ...]
    standing: int = 0  # -1: before the plain version, 1: after it
    suffix: tuple[tuple[int, str], ...] = ()


def parse(text: str) -> Version:
    """Raises ValueError that says how a version is written."""
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a version; {_HOW}")
    numbers = [int(number) for number in match["release"].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    suffix = (match["suffix"] or "").lower()
    standing = 0 if not suffix else 1 if suffix.startswith("post") else -1
    pieces = re.findall(r"\d+|[a-z]+", suffix)
    return Version(tuple(numbers), standing, tuple((int(p), "") if p.isdigit() else (-1, p) for p in pieces))


def satisfies(version: str, wanted: str) -> bool:
    """Does the version fit every clause, as in `>=2.3,<3`? A clause without a comparison fits what begins with it (`2.3`: 2.3.1 too).

    Raises ValueError when either side is not a version.
    """
    return all(_fits(version, clause) for clause in wanted.split(","))


def matches(version: str, wanted: str | None) -> bool:
    """Is it this version, or one that begins with its numbers (`3.2`: 3.2.0 and 3.2.7, not 3.20)? None fits all."""
    return wanted is None or version == wanted or version.startswith(f"{wanted}.")


def newest_first(version: str) -> tuple[bool, Version | str]:
    """A key for `sorted(..., reverse=True)`; what is not a version comes last, by its text."""
    try:
        return True, parse(version)
    except ValueError:
        return False, version


def _fits(version: str, clause: str) -> bool:
    match = _CLAUSE.fullmatch(clause)
    if match is None:
        raise ValueError(f"{clause!r} is not a range of versions; {_HOW}")
    sign, text = match.groups()
    have, want = parse(version), parse(text)
    if sign is None:
        return have == want or matches(version.removeprefix("v"), text.removeprefix("v"))
    if sign == "~=":
        numbers = _numbers(text)
        return have >= want and _numbers(version)[: max(len(numbers) - 1, 1)] == numbers[: max(len(numbers) - 1, 1)]
    if sign == "<" and have.release == want.release and want.standing == 0:
        return False  # 3.0-rc1 comes before 3, and who writes <3 does not mean it
    return _COMPARE[sign](have, want)


def _numbers(text: str) -> list[int]:
    match = _VERSION.fullmatch(text.strip())
    return [int(number) for number in match["release"].split(".")] if match else []


_COMPARE: Final[dict[str, Callable[[Version, Version], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}
