"""What the steps of a JSONPath do with values, and how its filters compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

Step = Callable[[list[Any], Any], list[Any]]  # values and the document -> values one step further


def named(names: list[str]) -> Step:
    return lambda found, _: [item[name] for item in found if isinstance(item, dict) for name in names if name in item]


def numbered(numbers: list[int]) -> Step:
    return lambda found, _: [item[n] for item in found if isinstance(item, list) for n in numbers if -len(item) <= n < len(item)]


def cut(start: int | None = None, stop: int | None = None) -> Step:
    return lambda found, _: [value for item in found if isinstance(item, list) for value in item[start:stop]]


def filtered(test: Callable[[Any, Any], bool]) -> Step:
    def step(found: list[Any], document: Any) -> list[Any]:
        asked = [value for item in found for value in (item if isinstance(item, list) else [item] if isinstance(item, dict) else [])]
        return [value for value in asked if test(value, document)]

    return step


def members(found: list[Any], _: Any) -> list[Any]:
    return [value for item in found for value in _children(item)]


def descend(found: list[Any], _: Any) -> list[Any]:
    return [value for item in found for value in _all(item)]


def _all(item: Any) -> Iterator[Any]:
    yield item
    for child in _children(item):
        yield from _all(child)


def _children(item: Any) -> list[Any]:
    return list(item.values()) if isinstance(item, dict) else item if isinstance(item, list) else []


def length(found: list[Any], _: Any) -> list[Any]:
    return [len(item) for item in found if isinstance(item, dict | list | str)]


# -- comparisons ------------------------------------------------------------------------------------------------------


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def holds(left: Any, right: Any) -> bool:
        both = (isinstance(left, str) and isinstance(right, str)) or all(_is_number(value) for value in (left, right))
        return both and compare(left, right)

    return holds


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": _same,
    "!=": lambda left, right: not _same(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
}
