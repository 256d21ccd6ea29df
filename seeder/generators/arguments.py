"""What `@generator` is given beside functions, and what may be wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

from seeder.definition.duration import seconds
from seeder.definition.generator_file import capability_name
from seeder.definition.version import parse
from seeder.passed.capability import Origin


def mistakes(given: Mapping[str, Any]) -> Iterator[str]:
    """Everything that is wrong, a sentence each."""
    for name in ("name", "version", "owner", "within"):
        if not isinstance(given[name], str) or not given[name]:
            yield f"{name} is a text, and {given[name]!r} is none"
    for name in ("contact", "key"):
        if not (given[name] is None or isinstance(given[name], str)):
            yield f"{name} is a text, and {given[name]!r} is none"
    if given["origin"] not in get_args(Origin):
        yield f"origin is one of {', '.join(get_args(Origin))}, and not {given['origin']!r}"
    yield from _unread("name", capability_name, given)
    yield from _unread("version", parse, given)
    yield from _unread("within", seconds, given)


def _unread(name: str, read: Callable[[str], object], given: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(given[name], str) and given[name]:
        try:
            read(given[name])
        except ValueError as error:
            yield f"{name}: {error}"
