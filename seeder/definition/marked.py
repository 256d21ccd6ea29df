"""Values that remember where they were written: a dict and a list that carry a mark for each of their entries.

So places survive merging, and can be asked for with the path of a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seeder.errors import Mark
from seeder.frozen import frozen


class Map(dict[str, Any]):
    """A mapping that knows where it begins (`mark`) and where each of its keys was written (`marks`)."""

    __slots__ = ("mark", "marks")

    def __init__(self, mark: Mark, items: Mapping[str, Any] | None = None, marks: Mapping[str, Mark] | None = None) -> None:
        super().__init__(items or {})
        self.mark = mark
        self.marks = dict(marks or {})

    def put(self, key: str, value: Any, mark: Mark) -> None:
        self[key] = value
        self.marks[key] = mark

    def at(self, key: str) -> Mark:
        """Where the key was written; the mapping's own place when it has no such key."""
        return self.marks.get(key, self.mark)


class List(list[Any]):
    """A sequence that knows where it begins (`mark`) and where each of its items was written (`marks`)."""

    __slots__ = ("mark", "marks")

    def __init__(self, mark: Mark, items: Sequence[Any] = (), marks: Sequence[Mark] = ()) -> None:
        super().__init__(items)
        self.mark = mark
        self.marks = list(marks)

    def put(self, value: Any, mark: Mark) -> None:
        self.append(value)
        self.marks.append(mark)

    def at(self, index: int) -> Mark:
        return self.marks[index] if index < len(self.marks) else self.mark


class Reset:
    """`!reset`: the value is taken away from what it is merged over."""


@frozen
class Override:
    """`!override`: the value replaces what it is merged over."""

    value: Any


def mark_of(data: Any, path: Sequence[str | int]) -> Mark | None:
    """Where the value of this path was written, or the deepest part of it that exists. None when `data` holds no marks."""
    mark = getattr(data, "mark", None)
    for part in path:
        in_map = isinstance(data, Map) and part in data
        if in_map or (isinstance(data, List) and isinstance(part, int) and part < len(data)):
            mark, data = data.at(part), data[part]
    return mark
