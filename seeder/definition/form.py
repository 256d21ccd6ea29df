"""Forms: what a value of a compose file may look like, and the one form that it is brought into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from seeder.definition import compose_keys as keys
from seeder.definition import compose_volumes as volumes
from seeder.definition.interpolate import Lookup
from seeder.definition.marked import List, Map, Override, Reset
from seeder.definition.scalars import as_text
from seeder.errors import Collector, Mark
from seeder.frozen import frozen


@frozen
class Place:
    """Where a value stands: `path` names it in messages, `base` is the folder that its relative paths count from."""

    path: str
    mark: Mark
    base: Path
    lookup: Lookup
    problems: Collector

    def into(self, part: str | int, mark: Mark) -> Place:
        path = f"{self.path}[{part}]" if isinstance(part, int) else f"{self.path}.{part}" if self.path else part
        return replace(self, path=path, mark=mark)

    def wrong(self, cause: str, remedy: str = "") -> None:
        self.problems.add(self.path, cause, remedy, self.mark)

    def needs(self, what: str) -> Any:
        """Say what is needed here; answers the value's one form, which is none."""
        self.wrong(f"{what} is needed here")
        return None


Form = Callable[[Any, Place], Any]


def each(value: Map, place: Place, form_of: Callable[[str], Form]) -> Map:
    """The mapping with each value in its form; `!reset` stays, inside `!override` the form is applied."""
    result = Map(value.mark)
    for key, item in value.items():
        result.put(key, _formed(item, place.into(key, value.at(key)), form_of(key)), value.at(key))
    return result


def _formed(item: Any, place: Place, form: Form) -> Any:
    if isinstance(item, Reset):
        return item
    if isinstance(item, Override):
        return Override(form(item.value, place))
    return form(item, place)


def as_is(value: Any, _: Place) -> Any:
    return value


def mapping_of(form: Form) -> Form:
    def formed(value: Any, place: Place) -> Any:
        if isinstance(value, Map):
            return each(value, place, lambda _: form)
        return None if value is None else place.needs("a mapping")

    return formed


def text(value: Any, place: Place) -> str | None:
    if value is None or isinstance(value, str):
        return value
    place.wrong("text is needed here", "put it in quotes" if not isinstance(value, (Map, List)) else "")
    return None


def truth(value: Any, place: Place) -> bool:
    known = {"true": True, "yes": True, "y": True, "on": True, "false": False, "no": False, "n": False, "off": False}
    found = known.get(value.lower()) if isinstance(value, str) else value
    if isinstance(found, bool):
        return found
    place.needs("true or false")
    return False


def texts(value: Any, place: Place) -> List | None:
    """A list of texts."""
    return list_of(text)(value, place)


def one_or_more(value: Any, place: Place) -> List | None:
    return texts(List(place.mark, [value], [place.mark]) if isinstance(value, str) else value, place)


def list_of(form: Form) -> Callable[[Any, Place], List | None]:
    def formed(value: Any, place: Place) -> List | None:
        if not isinstance(value, List):
            return None if value is None else place.needs("a list")
        result = List(place.mark)
        for index, item in enumerate(value):
            inside = place.into(index, value.at(index))
            made = form(item, inside)
            for entry in made if isinstance(made, tuple) else (made,):
                if entry is not None:
                    result.put(entry, inside.mark)
        return result

    return formed


def keyed(known: frozenset[str], forms: dict[str, Form]) -> Form:
    def formed(value: Any, place: Place) -> Any:
        if not isinstance(value, Map):
            return None if value is None else place.needs("a mapping")
        keys.check_keys(value, known, place.path, place.problems)
        return each(value, place, lambda key: forms.get(key, as_is))

    return formed


def words(value: Any, place: Place) -> Any:
    """A command: a text or a list of texts."""
    return texts(value, place) if isinstance(value, List) else text(value, place)


def variables(value: Any, place: Place) -> Map | None:
    """A mapping of texts; a name without a value takes that of the reader's environment, or stays without one."""
    if isinstance(value, Map):
        return each(value, place, _variable)
    if not isinstance(value, List):
        return None if value is None else place.needs("a mapping or a list")
    result = Map(place.mark)
    for index, item in enumerate(value):
        name, equals, given = (text(item, place.into(index, value.at(index))) or "").partition("=")
        result.put(name, given if equals else place.lookup(name), value.at(index))
    return result


def _variable(name: str) -> Form:
    def formed(value: Any, place: Place) -> str | None:
        if isinstance(value, (Map, List)):
            place.needs("a text, a number, true, false or nothing")
            return None
        return place.lookup(name) if value is None else as_text(value)

    return formed


def path(value: Any, place: Place) -> str | None:
    """An absolute path; `~` is the home folder."""
    given = text(value, place)
    return str(volumes.absolute(given, place.base)) if given else given


def named(form: Form, nothing: Callable[[Place], Any]) -> Form:
    """A mapping, or a list of names that stands for a mapping of each name to `nothing`."""

    def formed(value: Any, place: Place) -> Any:
        if isinstance(value, List):
            result = Map(place.mark)
            for index, item in enumerate(value):
                inside = place.into(index, value.at(index))
                if name := text(item, inside):
                    result.put(name, nothing(inside), inside.mark)
            return result
        return mapping_of(form)(value, place)

    return formed
