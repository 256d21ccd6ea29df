"""What became of a capability's promise: whether those who relied on what it was before can go on. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from seeder.definition.version import parse
from seeder.frozen import frozen
from seeder.passed.capability import Capability
from seeder.promises import shape
from seeder.promises.shape import Shape

_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_EQUAL = ("pattern", "format", "multipleOf", "uniqueItems", "not", "allOf", "if", "then", "else", "contains", "patternProperties")

_SAID = ("title", "description", "examples", "$comment", "deprecated")  # keywords that are for people
_NAMED = ("properties", "$defs", "patternProperties", "dependentSchemas")  # whose members have names of their own


@frozen
class Change:
    """One thing that differs, as it is `said` to people. `breaking`: who relied on it before may not be able to go on. `name`: of the
    input or output that it is about."""

    said: str
    breaking: bool
    about: Literal["version", "input", "needed", "output"]
    name: str = ""


def changes(before: Capability, now: Capability) -> list[Change]:
    """Everything that scenarios can tell, between two states of one capability."""
    old, new = ([shape.resolved(promised(one)) for one in (each.inputs, each.outputs)] for each in (before, now))
    return [*_versions(before, now), *_inputs(old[0], new[0]), *_outputs(old[1], new[1])]


def promised(of: Shape) -> Any:
    """The shape without what is only said about it."""
    found = {key: _promised(key, value) for key, value in of.items() if key not in _SAID}
    return {key: value for key, value in found.items() if key != "$defs" or value}


def _promised(key: str, value: Any) -> Any:
    if key in _NAMED and isinstance(value, Mapping):
        return {name: promised(one) if isinstance(one, Mapping) else one for name, one in value.items()}
    if key in ("enum", "const", "default", "required"):
        return value
    if isinstance(value, list):
        return [promised(one) if isinstance(one, Mapping) else one for one in value]
    return promised(value) if isinstance(value, Mapping) else value


def _versions(before: Capability, now: Capability) -> Iterator[Change]:
    if before.version != now.version:
        other = parse(before.version).release[0] != parse(now.version).release[0]
        yield Change(f"version {before.version} is now {now.version}{', another major version' if other else ''}", other, "version")


def _inputs(before: Shape, now: Shape) -> Iterator[Change]:
    """Whatever it took it must take."""
    old, new = before.get("properties", {}), now.get("properties", {})
    asked, needed = set(before.get("required", ())), set(now.get("required", ()))
    for name in sorted({*old, *new}):
        if name not in new:
            yield Change(f"input {name} is gone", True, "input", name)
        elif name not in old:
            yield Change(f"input {name} is new{', and needed' if name in needed else ''}", name in needed, "needed", name)
        else:
            if name in needed - asked:
                yield Change(f"input {name} is needed now", True, "needed", name)
            if why := beyond(shape.at(before, (name,)), shape.at(now, (name,))):
                yield Change(f"input {name} takes less: {why}", True, "input", name)
            elif not _same(shape.at(before, (name,)), shape.at(now, (name,))):
                yield Change(f"input {name} takes more, or has another default", False, "input", name)


def _outputs(before: Shape, now: Shape) -> Iterator[Change]:
    """Whatever it gives must be as what it gave; that there is more does no harm."""
    old, new = before.get("properties"), now.get("properties")
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        if why := beyond(now, before, more=True):
            yield Change(f"what it answers is of another kind: {why}", True, "output")
        return
    sure = set(now.get("required", ()))
    for name in sorted({*old, *new}):
        if name not in new:
            yield Change(f"output {name} is gone", True, "output", name)
        elif name not in old:
            yield Change(f"output {name} is new", False, "output", name)
        elif name in set(before.get("required", ())) - sure:
            yield Change(f"output {name} may be missing now", True, "output", name)
        elif why := beyond(shape.at(now, (name,)), shape.at(before, (name,)), more=True):
            yield Change(f"output {name} is of another kind: {why}", True, "output", name)
        elif not _same(shape.at(before, (name,)), shape.at(now, (name,))):
            yield Change(f"output {name} is narrower", False, "output", name)


def _same(one: Shape, other: Shape) -> bool:
    """Definitions count where they are referred to."""
    bare = [{key: value for key, value in each.items() if key != "$defs"} for each in (one, other)]
    return bare[0] == bare[1] and ('"$ref"' not in json.dumps(bare) or one.get("$defs") == other.get("$defs"))


def beyond(given: Shape, wanted: Shape, *, more: bool = False) -> str | None:
    """Why a value of the one shape may be none of the other, as far as keywords tell; None where every one is. `more`: properties that
    the other does not know do no harm."""
    given, wanted = shape.resolved(given), shape.resolved(wanted)
    if values := given.get("enum", [given["const"]] if "const" in given else None):
        return next((f"it may be {json.dumps(v, ensure_ascii=False)}" for v in values if any(shape.mistakes(v, wanted))), None)
    for key in ("anyOf", "oneOf"):
        if key in given:
            found = [beyond(shape.resolved(one, given), wanted, more=more) for one in given[key]]
            return next((why for why in found if why), None)
    for key in ("anyOf", "oneOf"):
        if key in wanted:
            found = [beyond(given, shape.resolved(one, wanted), more=more) for one in wanted[key]]
            return None if None in found else found[0]
    return next(_beyond(given, wanted, more=more), None)


def _beyond(given: Shape, wanted: Shape, *, more: bool) -> Iterator[str]:
    if "enum" in wanted or "const" in wanted:
        allowed = wanted.get("enum", [wanted.get("const")])
        yield f"it may be other than {', '.join(json.dumps(one, ensure_ascii=False) for one in allowed)}"
    gives, wants = shape.kinds(given), shape.kinds(wanted)
    left = {kind for kind in gives - wants if not (kind == "integer" and "number" in wants)}
    if wants and (left or not gives):
        yield f"it may be {shape.words(left) if left else 'anything'}, and {shape.words(wants)} is taken"
    yield from _limits(given, wanted)
    if "items" in wanted and (why := beyond(_inside(given, "items"), _inside(wanted, "items"), more=more)):
        yield f"a member: {why}"
    yield from _properties(given, wanted, more=more)


def _limits(given: Shape, wanted: Shape) -> Iterator[str]:
    for key in _LEAST:
        if key in wanted and (key not in given or given[key] < wanted[key]):
            yield f"{key} {wanted[key]}"
    for key in _MOST:
        if key in wanted and (key not in given or given[key] > wanted[key]):
            yield f"{key} {wanted[key]}"
    for key in _EQUAL:
        if key in wanted and wanted[key] != given.get(key):
            yield f"{key} {json.dumps(wanted[key], ensure_ascii=False)}"


def _properties(given: Shape, wanted: Shape, *, more: bool) -> Iterator[str]:
    if not ({"properties", "required", "additionalProperties"} & set(wanted)) or "object" not in shape.kinds(wanted):
        return
    old, new = given.get("properties", {}), wanted.get("properties", {})
    for name in sorted(set(wanted.get("required", ())) - set(given.get("required", ()))):
        yield f"{name} may be missing"
    if not more and wanted.get("additionalProperties") is False and (extra := sorted(set(old) - set(new))):
        yield f"{', '.join(extra)} is not taken"
    for name in sorted(set(old) & set(new)):
        if why := beyond(shape.at(given, (name,)), shape.at(wanted, (name,)), more=more):
            yield f"{name}: {why}"


def _inside(of: Shape, key: str) -> Shape:
    found: Any = of.get(key, shape.ANY)
    return shape.resolved(found, of) if isinstance(found, Mapping) else shape.ANY
