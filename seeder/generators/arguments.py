"""What `@generator` is given, and what may be wrong with it. Pure."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
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


def plain(function: object, find: object, undo: object) -> Iterator[str]:
    """What is wrong with the functions that it is made of."""
    for what, one in (("it", function), ("find", find), ("undo", undo)):
        if inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) or inspect.isgeneratorfunction(one):
            yield f"{what} does not answer when it is called: write a plain function (def, return), seeder runs several at the same time"
    if not (find is None or callable(find)):
        yield f"find is a function, and {find!r} is none"
    if not (undo is None or undo == "nothing" or callable(undo)):
        yield f'undo is a function, or "nothing", and {undo!r} is neither'


def uncallable(inputs: Sequence[str], find: object, undo: object) -> Iterator[str]:
    """How they cannot be called: `find` with the inputs of what it looks for, `undo` with what was made."""
    yield from _uncallable("find", find, ("ctx",), inputs)
    yield from _uncallable("undo", undo, ("ctx", "made"), ())


def _uncallable(what: str, function: object, words: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    if not callable(function):
        return
    try:
        inspect.signature(function).bind(*words, **dict.fromkeys(names))
    except TypeError as error:
        asked = ", ".join([*words, *(f"{name}=..." for name in names)])
        yield f"{what} is called as {what}({asked}), and {getattr(function, '__name__', 'it')} does not take that: {error}"
