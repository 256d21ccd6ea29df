"""`${inputs.NAME}` and `${STEP.OUTPUT}` in values, and `:name` parameters in queries."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

from seeder.errors import nearest
from seeder.frozen import frozen

_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[^{}]*)(?P<end>\}?))")
_SKIPPED = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|--[^\n]*|/\*.*?\*/|::"
_PARAMETER = re.compile(rf"{_SKIPPED}|(?<![\w:]):(?P<name>[A-Za-z_]\w*)", re.DOTALL)

_WAY = re.compile(r"(?P<root>[A-Za-z_][A-Za-z0-9_-]*)(?P<rest>(?:\.[A-Za-z_]\w*|\[(?:\d+|\*)\])*)")
_PART = re.compile(r"\.(?P<name>\w+)|\[(?P<index>\d+)\]|\[\*\]")

Path = tuple[str | int, ...]

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")  # of a root


@frozen
class Reference:
    """`${customer.id}`, `${products[0].id}`, `${products[*].id}`: what a root (inputs, a step, each, index) holds at a way of names,
    places, and `*` for every member of a list."""

    root: str
    way: tuple[str | int, ...] = ()  # "*" stands for every member

    def __str__(self) -> str:
        return "${" + self.root + "".join(f"[{part}]" if part == "*" or isinstance(part, int) else f".{part}" for part in self.way) + "}"

    def of(self, known: Mapping[str, Any]) -> Any:
        """What it leads to. Raises Nowhere where nothing is there."""
        return _at(known, (self.root, *self.way), self)


class Nowhere(LookupError):
    """A reference that leads to nothing: as it is written, and what was met instead of the next part of its way."""

    def __init__(self, reference: Reference, lost: str | int, met: Any) -> None:
        self.reference, self.lost, self.met = reference, lost, met
        super().__init__(f"{reference} leads to nothing: {_met(lost, met)}")

    @property
    def remedy(self) -> str:
        there = sorted(map(str, self.met)) if isinstance(self.met, Mapping) else []
        return nearest(str(self.lost), there) if there else f"refer to what is there, or mend what {self.reference.root} came to"


def _met(lost: str | int, met: Any) -> str:
    if isinstance(met, list):
        return f"there is a list of {len(met)}, and no {lost}" if isinstance(lost, int) else f"there is a list, which has no {lost}"
    if isinstance(met, Mapping):
        return "there is a mapping, and no list" if lost == "*" or isinstance(lost, int) else f"no {lost} is there"
    return f"{json.dumps(met, ensure_ascii=False, default=str)[:80]} has no {'members' if lost == '*' else lost}"


def filled(value: Any, known: Mapping[str, Any], *, as_text: bool = False, in_url: bool = False) -> Any:
    """The value with its references replaced by what `known` holds of their roots (`{"inputs": {...}}`). One reference as a whole keeps
    the type of what it leads to unless `as_text`; in a URL what is filled in is percent-encoded; `$$` is a dollar sign. Raises Nowhere
    where a reference leads to nothing: `unknown` finds that beforehand, as far as files tell."""
    if isinstance(value, Mapping):
        return {key: filled(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, known) for item in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole and not whole["dollar"] and not (as_text or in_url):
        return _read(whole["name"]).of(known)

    def text(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        found = as_words(_read(match["name"]).of(known))
        return urllib.parse.quote(found, safe="") if in_url else found

    return _REFERENCE.sub(text, value)


def as_words(value: Any) -> str:
    """A value as text, and inside one, as YAML and JSON write it; what these have no word for by its own."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def references(value: Any) -> Iterator[Reference]:
    """Every reference in the value that is written as one."""
    for _, text in _texts(value):
        for match in _REFERENCE.finditer(text):
            if not match["dollar"] and match["end"] and (found := _parsed(match["name"])):
                yield found


def only(value: Any) -> Reference | None:
    """The reference that the value is as a whole."""
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return _parsed(match["name"]) if match and match["end"] and not match["dollar"] else None


def unknown(value: Any, known: Mapping[str, Collection[str] | None], at: Path = ()) -> Iterator[tuple[Path, str, str, str]]:
    """References that `filled` could not fill: the path of the value, the reference as written, why, and what may be meant. `known`: root
    -> its names, where it has names (None: it is another's to say what it holds)."""
    for path, text in _texts(value, at):
        for match in _REFERENCE.finditer(text):
            if not match["dollar"] and (mistake := _mistake(match, known)):
                yield path, match[0], *mistake


def _texts(value: Any, at: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*at, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, (*at, number))
    elif isinstance(value, str):
        yield at, value


def _read(name: str) -> Reference:
    found = _parsed(name)
    if found is None:
        raise KeyError(name)
    return found


@lru_cache(maxsize=4096)  # a plan asks thousands of steps for theirs, several times
def _parsed(name: str) -> Reference | None:
    match = _WAY.fullmatch(name.strip())
    if match is None:
        return None
    way = tuple(part["name"] or (int(part["index"]) if part["index"] else "*") for part in _PART.finditer(match["rest"]))
    return Reference(match["root"], way)


def _at(value: Any, way: tuple[str | int, ...], reference: Reference) -> Any:
    if not way:
        return value
    first, rest = way[0], way[1:]
    if first == "*" and isinstance(value, list):
        return [_at(item, rest, reference) for item in value]
    if isinstance(value, list) and isinstance(first, int) and first < len(value):
        return _at(value[first], rest, reference)
    if isinstance(value, Mapping) and first in value:
        return _at(value[first], rest, reference)
    raise Nowhere(reference, first, value)


def named_parameters(query: str) -> list[str]:
    """The `:name` parameters of a query, each once, in order; not those in strings, comments and casts (`::text`)."""
    return list(dict.fromkeys(match["name"] for match in _PARAMETER.finditer(query) if match["name"]))


def _mistake(match: re.Match[str], known: Mapping[str, Collection[str] | None]) -> tuple[str, str] | None:
    """What is wrong with a reference, and what may be meant."""
    if not match["end"]:
        return "the reference is not closed; write a dollar sign as $$", "close it: ${...}"
    reference = _parsed(match["name"])
    if reference is None:
        return _none(known)
    if reference.root not in known:
        steps = sorted(known.keys() - {"inputs"})
        return (f"there is no step {reference.root!r} before it", nearest(reference.root, steps)) if steps else _none(known)
    names = known[reference.root]
    if names is None:
        return None
    if not reference.way:
        return _none(known)
    name = str(reference.way[0])
    return None if name in names else (f"the scenario has no input {name!r}", nearest(name, sorted(names)))


def _none(known: Collection[str]) -> tuple[str, str]:
    offered = "inputs.NAME or STEP.OUTPUT" if set(known) - {"inputs"} else "inputs.NAME"
    return f"only ${{{offered}}} can be filled in; write a dollar sign as $$", ""
