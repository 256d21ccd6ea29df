"""The forms of a Liquibase changelog (XML, YAML, JSON, SQL with comments), brought into one: items in their order."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat  # fetches nothing; what declares a document type, and so entities, is refused

from seeder import fingerprint
from seeder.definition import yaml
from seeder.errors import DefinitionError, Mark
from seeder.frozen import frozen

_TOP: Final = "databaseChangeLog"
RAW: Final = "raw"  # the id of a file of SQL without the comments
_FORMATTED: Final = re.compile(r"\s*--\s*liquibase\s+formatted\s+sql(?P<given>.*)", re.IGNORECASE)
_CHANGESET: Final = re.compile(
    r"\s*--\s*changeset\s+(?P<author>\"[^\"]+\"|[^:]+):(?P<id>\"[^\"]+\"|\S+)(?P<given>.*)", re.IGNORECASE
)  # the comment that begins a changeset
_GIVEN: Final = re.compile(r"(\w+):(\"[^\"]*\"|'[^']*'|\S+)")
_SAYS_NOTHING: Final = re.compile(r"\s*(--(?!\s*property\b).*)?", re.IGNORECASE)  # before the first changeset: comments, but for properties
_CONDITION: Final = re.compile(r"^\s*--\s*preconditions?\b", re.IGNORECASE | re.MULTILINE)


@frozen
class Item:
    """A changeset, an include or whatever else stands in a changelog. `given`: what is said of it by name; `told`: all of it as JSON
    values; `inside`: the items that it holds, of the changelog itself and of an include."""

    kind: str
    given: Mapping[str, Any]
    told: Any
    line: int
    inside: tuple[Item, ...] = ()

    @property
    def names(self) -> set[str]:
        return {kind for kind, _ in self.mappings()}

    def mappings(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every mapping in it with the name under which it stands."""
        yield from _mappings(self.kind, self.told)


def items(path: Path) -> Item | None:
    """The changelog as an item; None when the file is none. Raises DefinitionError when it cannot be read."""
    return _items(path, fingerprint.content(path)) if path.suffix.lower() in _READERS else None


@functools.lru_cache(maxsize=4096)
def _items(path: Path, _: str) -> Item | None:
    """A run looks at every file a dozen times: for the master, for what includes what, and for each question that a plan asks."""
    return _READERS[path.suffix.lower()](path)


def begins(path: Path) -> bool:
    """Whether the file may be a master changelog. SQL without the comments is a changeset only where it is included."""
    found = items(path)
    return found is not None and not any(item.given.get("id") == RAW for item in found.inside)


def _mappings(kind: str, told: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(told, Mapping):
        yield kind, told
        for name, value in told.items():
            yield from _mappings(name, value)
    elif isinstance(told, list):
        for value in told:
            yield from _mappings(kind, value)


# -- YAML and JSON ----------------------------------------------------------------------------------------------------


def _yaml(path: Path) -> Item | None:
    return _listed(yaml.load(path).data, path)


def _json(path: Path) -> Item | None:
    try:
        return _listed(json.loads(path.read_text(encoding="utf-8")), path)
    except ValueError as error:
        raise DefinitionError(path.name, f"this is not JSON: {error}", mark=Mark(path, getattr(error, "lineno", 1))) from error


def _listed(data: Any, path: Path) -> Item | None:
    """The top is a list of mappings with one name each, or a mapping that holds it."""
    if not isinstance(data, Mapping) or _TOP not in data:
        return None
    given: dict[str, Any] = {}
    inside = []
    for place, entry in enumerate(data[_TOP] or []):
        if not isinstance(entry, Mapping) or len(entry) != 1:
            raise DefinitionError(path.name, f"entry {place + 1} of {_TOP} is no mapping with one name", mark=Mark(path, _line(entry)))
        kind, value = next(iter(entry.items()))
        if isinstance(value, Mapping):
            inside.append(_item(kind, value, _line(value)))
        elif isinstance(value, list):
            inside.append(Item(kind, {}, _plain(value), _line(value)))
        else:
            given[kind] = value
    return Item(_TOP, given, None, 1, tuple(inside))


def _item(kind: str, value: Mapping[str, Any], line: int) -> Item:
    given = {name: one for name, one in value.items() if not isinstance(one, Mapping | list)}
    inside = [_item(name, one, _line(one)) for name, one in value.items() if name in ("include", "includeAll") and isinstance(one, Mapping)]
    return Item(kind, given, _plain(value), line, tuple(inside))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _line(value: Any) -> int:
    mark = getattr(value, "mark", None)
    return mark.line if isinstance(mark, Mark) else 1


# -- XML --------------------------------------------------------------------------------------------------------------


def _xml(path: Path) -> Item | None:
    top = _Tree(path).read()
    return top if top and top.kind == _TOP else None


class _Tree:
    """Elements as items; attributes and elements without any are what is given, as in the other forms."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._say
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._open: list[tuple[str, dict[str, Any], list[str], list[Item], int]] = []
        self._top: Item | None = None

    def read(self) -> Item | None:
        try:
            self._parser.Parse(self._path.read_bytes(), True)
        except expat.ExpatError as error:
            raise DefinitionError(self._path.name, f"this is not XML: {error}", mark=Mark(self._path, error.lineno)) from error
        return self._top

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        own = {key.rpartition(":")[2]: value for key, value in attributes.items() if not key.startswith(("xmlns", "xsi:"))}
        self._open.append((name.rpartition(":")[2], own, [], [], self._parser.CurrentLineNumber))

    def _say(self, text: str) -> None:
        self._open[-1][2].append(text)

    def _end(self, _: str) -> None:
        name, own, said, inside, line = self._open.pop()
        text = "".join(said).strip()
        told = {**own, **({"text": text} if text else {}), **({"inside": [{one.kind: one.told} for one in inside]} if inside else {})}
        comment = next((one.told.get("text") for one in inside if one.kind == "comment"), None)
        item = Item(name, {**own, **({"comment": comment} if comment else {})}, told, line, tuple(inside))
        if self._open:
            self._open[-1][3].append(item)
        else:
            self._top = item

    def _refuse(self, *_: Any) -> None:
        mark = Mark(self._path, self._parser.CurrentLineNumber)
        raise DefinitionError(self._path.name, "it declares a document type, which may name other files", "remove the DOCTYPE", mark)


# -- SQL --------------------------------------------------------------------------------------------------------------


def _sql(path: Path) -> Item | None:
    """A file of SQL without the comments is one changeset, as Liquibase takes it."""
    lines = path.read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines()
    first = next((place for place, line in enumerate(lines) if line.strip()), 0)
    top = _FORMATTED.match(lines[first]) if lines else None
    if top is None:
        given = {"id": RAW, "author": "includeAll"}
        return Item(_TOP, {}, None, 1, (Item("changeSet", given, {**given, "sql": "\n".join(lines)}, 1),))
    begins = [(place, match) for place, line in enumerate(lines) if (match := _CHANGESET.match(line))]
    ends = [*(place for place, _ in begins), len(lines)]
    before = _before(lines, range(first + 1, ends[0]))
    inside = [_statements(match, lines[place:end], place + 1) for (place, match), end in zip(begins, ends[1:], strict=True)]
    return Item(_TOP, _given(top["given"]), None, 1, (*before, *inside))


def _before(lines: Sequence[str], places: range) -> Iterator[Item]:
    """What is said before the first changeset, such as properties, concerns others too."""
    said = [place for place in places if not _SAYS_NOTHING.fullmatch(lines[place])]
    if said:
        yield Item("before", {}, [lines[place].strip() for place in said], said[0] + 1)


def _statements(match: re.Match[str], lines: Sequence[str], line: int) -> Item:
    given = {"id": match["id"].strip('"'), "author": match["author"].strip().strip('"'), **_given(match["given"])}
    text = "\n".join(lines).strip()
    told: dict[str, Any] = {**given, "sql": text}
    if _CONDITION.search(text):
        told["preConditions"] = {}
    return Item("changeSet", given, told, line)


def _given(text: str) -> dict[str, Any]:
    return {name: value.strip("\"'") for name, value in _GIVEN.findall(text)}


_READERS: Final[Mapping[str, Callable[[Path], Item | None]]] = {".xml": _xml, ".yaml": _yaml, ".yml": _yaml, ".json": _json, ".sql": _sql}
