"""Versions, ranges of them, and ranges of migration revisions."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from seeder.definition.dataset import Dataset, Requirement
from seeder.definition.stack import Stack
from seeder.errors import Problem, nearest

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


@dataclass(frozen=True)
class Unfit:
    """Why a migration history does not fit: cause and remedy."""

    cause: str
    remedy: str


def revision_problem(wanted: str, history: Sequence[str]) -> Unfit | None:
    """Does a history, oldest first and ending at its head, fit `0003` (the head), `0003..` (that or a descendant), `..0005` (that or
    an ancestor) or `0003..0005`? A revision may be shortened as long as one alone begins so. None when it fits."""
    first, dots, last = wanted.strip().partition("..")
    if not dots:
        last = first
    if not first and not last:
        return Unfit(f"{wanted!r} names no revision", "write 0003, 0003.., ..0005 or 0003..0005")
    if not history:
        return Unfit("the history has no revisions", "")
    places = {name: _place(name, history) for name in (first, last) if name}
    for name, place in places.items():
        if place is None:
            return Unfit(f"the history has no single revision {name}", nearest(name, history))
    head = len(history) - 1
    low, high = places.get(first), places.get(last)
    if (low is not None and head < low) or (high is not None and head > high):
        return Unfit(f"the head is {history[-1]}, and {wanted} is needed", "use a dataset made for this revision, or change `requires`")
    return None


def _place(name: str, history: Sequence[str]) -> int | None:
    if name in history:
        return history.index(name)
    found = [index for index, revision in enumerate(history) if revision.startswith(name)]
    return found[0] if len(found) == 1 else None


def unmet(dataset: Dataset, stack: Stack, histories: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """What the dataset requires and does not find: the stack's version, and the migration heads of stores.

    `histories`: store -> its revisions, oldest first. Not asked are stores of absent services, and those whose migrations could not
    be read, which is told elsewhere."""
    for requirement in dataset.requires:
        unfit = _stack_unfit(requirement, stack) if requirement.subject == "stack" else _store_unfit(requirement, stack, histories)
        if unfit:
            subject = f"{dataset.label} requires {requirement.subject} {requirement.wanted}"
            yield Problem(subject, unfit.cause, unfit.remedy, requirement.mark)


def _stack_unfit(requirement: Requirement, stack: Stack) -> Unfit | None:
    try:
        fits = satisfies(stack.version, requirement.wanted)
    except ValueError as error:
        return Unfit(str(error), "")
    return None if fits else Unfit(f"stack {stack.name} is {stack.version}", "use another version of the dataset, or change `requires`")


def _store_unfit(requirement: Requirement, stack: Stack, histories: Mapping[str, Sequence[str]]) -> Unfit | None:
    store = requirement.subject
    if store.split("/")[0] in stack.absent and store not in stack.stores:
        return None
    if store not in stack.stores:
        return Unfit(f"stack {stack.name} has no store {store}", nearest(store, sorted(stack.stores)))
    if stack.stores[store].migrate is None:
        return Unfit(f"store {store} of stack {stack.name} has no migrations", f"add `migrate` to {store}, or remove the requirement")
    if store not in histories:
        return None
    unfit = revision_problem(requirement.wanted, histories[store])
    return unfit and Unfit(f"store {store} of stack {stack.name}: {unfit.cause}", unfit.remedy)
