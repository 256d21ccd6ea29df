"""Overlays: files that change scenarios for a branch or a pull request, as an override file changes a compose file.

What stands in both is merged: mappings by key, `data` by dataset; `tags`, `expect` and `faults` are added to; all else is replaced.
`!override` replaces as a whole, `!reset` removes: https://docs.docker.com/reference/compose-file/merge/
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from seeder.definition.marked import List, Map, Override, Reset
from seeder.definition.scalars import OVERLAY
from seeder.definition.yaml import Document, load
from seeder.errors import Collector, DefinitionError, Mark, nearest

ADDED: Final = frozenset({"tags", "expect", "faults"})  # lists that an overlay adds to
DATA: Final = "data"
FORMS: Final = frozenset({"use", "eventually", "events", "expect"})  # of a step, which is one of them
TAKEN: Final = "remove or change what refers to it, too"

Removed = dict[tuple[str, ...], Mark]  # the way to what is removed -> where that is said


def read_overlays(paths: Iterable[Path], problems: Collector) -> list[Document]:
    """Those that can be read and say which scenario they change."""
    found = []
    for path in paths:
        try:
            document = load(path, OVERLAY)
        except DefinitionError as error:
            problems.problems += error.problems
            continue
        if isinstance(document.data.get("scenario"), str):
            found.append(document)
        else:
            cause = "does not say which scenario it changes"
            problems.add(path.name, cause, "add the name: `scenario: NAME`", document.mark(("scenario",)))
    return found


def strays(overlays: Sequence[Document], known: Collection[str], problems: Collector) -> None:
    """Those of scenarios that are not there."""
    for one in overlays:
        name = one.data["scenario"]
        if name not in known:
            problems.add(one.path.name, f"there is no scenario {name}", nearest(name, sorted(known)), one.mark(("scenario",)))


def merged(base: Document, overlays: Iterable[Document], removed: Removed) -> Document:
    """The scenario's file with those of the overlays on it that are of it; what they take away goes to `removed`."""
    for one in overlays:
        if isinstance(base.data, Map) and one.data["scenario"] == base.data.get("scenario"):
            base = replace(base, data=_over(base.data, one.data, (), removed))
    return base


def _over(base: Map, over: Map, way: tuple[str, ...], removed: Removed) -> Map:
    result = Map(base.mark, base, base.marks)
    for key, value in over.items():
        here = (*way, key)
        if isinstance(value, Reset):
            result.pop(key, None)
            removed[here] = over.at(key)
        elif isinstance(value, Override):
            result.put(key, plain(value.value), over.at(key))
        elif isinstance(value, Map) and isinstance(result.get(key), Map):
            other_form = len(way) == 1 and value.keys() & FORMS - result[key].keys()
            result.put(key, _over(result[key], value, here, removed), over.at(key) if other_form else result.at(key))
        elif isinstance(value, List) and isinstance(result.get(key), List) and here[0] in {*ADDED, DATA} and not way:
            result.put(key, _joined(result[key], value, by_name=key == DATA), result.at(key))
        else:
            result.put(key, plain(value), over.at(key))
    return result


def _joined(base: List, over: List, *, by_name: bool) -> List:
    """Both; of datasets the one of the same name stands in the former one's place."""
    result = List(base.mark, base, base.marks)
    for place, written in enumerate(over):
        item, mark = plain(written), over.at(place)
        same = next((n for n, one in enumerate(result) if _dataset(one) == _dataset(item)), None) if by_name else None
        if same is None:
            result.put(item, mark)
        else:
            result[same], result.marks[same] = item, mark
    return result


def _dataset(item: Any) -> str:
    return str(item).partition("@")[0]


def plain(value: Any) -> Any:
    """A value that is merged with nothing: its tags have been heeded."""
    if isinstance(value, Override):
        return plain(value.value)
    if isinstance(value, Map):
        return Map(value.mark, {key: plain(item) for key, item in value.items() if not isinstance(item, Reset)}, value.marks)
    if isinstance(value, List):
        return List(value.mark, [plain(item) for item in value], value.marks)
    return value
