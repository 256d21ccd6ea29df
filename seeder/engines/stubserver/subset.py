"""What of a stub mapping this server knows. Pure: the mapping as JSON in, what is beyond it out, by its place in the mapping."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from seeder.engines.stubserver import jsonpath

Place = tuple[str | int, ...]
Beyond = tuple[Place, str]  # where it stands in the mapping, and what it is

MAPPING: Final = frozenset({
    "$schema", "id", "uuid", "name", "request", "newRequest", "response", "priority", "scenarioName", "requiredScenarioState",
    "newScenarioState", "metadata", "persistent", "insertionIndex",
})  # fmt: skip
URLS: Final = ("url", "urlPattern", "urlPath", "urlPathPattern")
REQUEST: Final = frozenset({*URLS, "method", "headers", "queryParameters", "bodyPatterns"})
RESPONSE: Final = frozenset({
    "status", "statusMessage", "headers", "body", "jsonBody", "base64Body", "bodyFileName", "fixedDelayMilliseconds", "fault",
})  # fmt: skip
FAULTS: Final = ("CONNECTION_RESET_BY_PEER", "EMPTY_RESPONSE", "MALFORMED_RESPONSE_CHUNK", "RANDOM_DATA_THEN_CLOSE")
TEXT_MATCHERS: Final = ("equalTo", "contains", "doesNotContain", "matches", "doesNotMatch", "absent")
MATCHERS: Final = (*TEXT_MATCHERS, "equalToJson", "matchesJsonPath")
_WORDS: Final = ("name", "scenarioName", "requiredScenarioState", "newScenarioState")
_BESIDE: Final = {"equalTo": {"caseInsensitive"}, "equalToJson": {"ignoreArrayOrder", "ignoreExtraElements"}}
_PLACEHOLDER: Final = "${json-unit"


def beyond(mapping: Any) -> Iterator[Beyond]:
    """Everything in the mapping that this server does not know, or that is not formed as WireMock has it."""
    if not isinstance(mapping, Mapping):
        yield (), "a mapping is an object with `request` and `response`"
        return
    yield from _unknown(mapping, MAPPING, ())
    for name in ("request", "response"):
        if not isinstance(mapping.get(name, {}), Mapping):
            yield (name,), "is no object"
    if not isinstance(mapping.get("priority"), int | None):
        yield ("priority",), "is no whole number"
    yield from _words(mapping, _WORDS, ())
    yield from of_request(mapping.get("request") or {}, ("request",))
    yield from _response(mapping.get("response") or {})


def of_request(request: Any, place: Place = ()) -> Iterator[Beyond]:
    """The same of what requests are matched by."""
    if not isinstance(request, Mapping):
        return
    yield from _unknown(request, REQUEST, place)
    if not isinstance(request.get("method", ""), str):
        yield (*place, "method"), "is no name of a method"
    given = [name for name in URLS if name in request]
    if len(given) > 1:
        yield (*place, given[1]), f"stands beside {given[0]}; one of them can be asked for"
    for name in given:
        yield from _text(request[name], (*place, name), regular=name.endswith("Pattern"))
    for name in ("headers", "queryParameters"):
        yield from _object(request.get(name), (*place, name))
        for key, matcher in _items(request.get(name) or {}):
            yield from _matcher(matcher, (*place, name, key), TEXT_MATCHERS)
    patterns = request.get("bodyPatterns") or []
    if not isinstance(patterns, list):
        yield (*place, "bodyPatterns"), "is no list"
        return
    for number, matcher in enumerate(patterns):
        yield from _matcher(matcher, (*place, "bodyPatterns", number), MATCHERS)


def _response(response: Any) -> Iterator[Beyond]:
    if not isinstance(response, Mapping):
        return
    yield from _unknown(response, RESPONSE, ("response",))
    for name in ("status", "fixedDelayMilliseconds"):
        if name in response and (isinstance(response[name], bool) or not isinstance(response[name], int)):
            yield ("response", name), "is no whole number"
    yield from _words(response, ("statusMessage", "bodyFileName"), ("response",))
    yield from _object(response.get("headers"), ("response", "headers"))
    if not _is_base64(response.get("base64Body") or ""):
        yield ("response", "base64Body"), "is no base64"
    if response.get("fault", FAULTS[0]) not in FAULTS:
        yield ("response", "fault"), f"knows {', '.join(FAULTS)}"


def _unknown(given: Mapping[str, Any], known: frozenset[str], place: Place) -> Iterator[Beyond]:
    for name in given:
        if name not in known and given[name] is not None:
            yield (*place, name), "is not known"


def _words(given: Mapping[str, Any], names: tuple[str, ...], place: Place) -> Iterator[Beyond]:
    for name in names:
        if given.get(name) is not None:
            yield from _text(given[name], (*place, name))


def _object(value: Any, place: Place) -> Iterator[Beyond]:
    if value is not None and not isinstance(value, Mapping):
        yield place, "is no object"


def _is_base64(value: Any) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (TypeError, ValueError):
        return False
    return True


def _items(given: Any) -> Iterator[tuple[str, Any]]:
    yield from given.items() if isinstance(given, Mapping) else ()


def _matcher(matcher: Any, place: Place, known: tuple[str, ...]) -> Iterator[Beyond]:
    if not isinstance(matcher, Mapping):
        yield place, "is no matcher"
        return
    kinds = [name for name in MATCHERS if name in matcher]
    kind = kinds[0] if len(kinds) == 1 else None
    for name in matcher:
        if name not in MATCHERS and name not in _BESIDE.get(kind or "", ()):
            yield (*place, name), "is no matcher that is known"
    if kind is None:
        if not set(matcher) - set(MATCHERS):
            yield place, f"needs exactly one of {', '.join(known)}"
    elif kind not in known:
        yield (*place, kind), f"matches no text; known here: {', '.join(known)}"
    elif (check := _VALUES.get(kind)) is not None:
        yield from check(matcher[kind], (*place, kind))


def _text(value: Any, place: Place, *, regular: bool = False) -> Iterator[Beyond]:
    if not isinstance(value, str):
        yield place, "is no text"
    elif regular:
        try:
            re.compile(value)
        except re.error as error:
            yield place, f"is no regular expression that Python reads: {error}"


def _regular(value: Any, place: Place) -> Iterator[Beyond]:
    yield from _text(value, place, regular=True)


def _json(value: Any, place: Place) -> Iterator[Beyond]:
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError as error:
            yield place, f"is not JSON: {error}"
    if _PLACEHOLDER in json.dumps(value):
        yield place, "placeholders of JsonUnit are not known"


def _path(value: Any, place: Place) -> Iterator[Beyond]:
    """A path alone, or one with what its value has to be."""
    expression, inner = value, place
    if isinstance(value, Mapping):
        expression, inner = value.get("expression"), (*place, "expression")
        yield from _matcher({name: item for name, item in value.items() if name != "expression"}, place, MATCHERS)
    if not isinstance(expression, str):
        yield inner, "is no JSONPath"
        return
    try:
        jsonpath.compiled(expression)
    except jsonpath.Unknown as error:
        yield inner, str(error)


_VALUES: Final[Mapping[str, Callable[[Any, Place], Iterator[Beyond]]]] = {
    "equalTo": _text,
    "contains": _text,
    "doesNotContain": _text,
    "matches": _regular,
    "doesNotMatch": _regular,
    "equalToJson": _json,
    "matchesJsonPath": _path,
}
