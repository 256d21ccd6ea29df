"""Files of stub mappings, in WireMock's format: one mapping, or several under `mappings`. https://wiremock.org/docs/stubbing/"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from seeder.definition.marked import mark_of
from seeder.definition.scalars import SEEDER
from seeder.definition.yaml_composer import Composer
from seeder.errors import Collector, DefinitionError, Mark, Problem, closest
from seeder.frozen import frozen

Place = Sequence[str | int]

# What WireMock 3 reads; what it does not know it refuses, but for what stands beside a matcher: that it leaves out.
_MAPPING: Final = frozenset({
    "$schema", "id", "uuid", "name", "request", "newRequest", "response", "priority", "scenarioName", "requiredScenarioState",
    "newScenarioState", "persistent", "metadata", "insertionIndex", "postServeActions", "serveEventListeners", "dirty",
})  # fmt: skip
_MATCHED: Final = ("headers", "queryParameters", "formParameters", "pathParameters", "cookies")  # name -> matcher
_REQUEST: Final = frozenset({
    *_MATCHED, "scheme", "host", "port", "clientIp", "url", "urlPattern", "urlPath", "urlPathPattern", "urlPathTemplate", "method",
    "basicAuth", "basicAuthCredentials", "bodyPatterns", "customMatcher", "multipartPatterns", "expected",
})  # fmt: skip
_RESPONSE: Final = frozenset({
    "status", "statusMessage", "headers", "body", "jsonBody", "base64Body", "bodyFileName", "fixedDelayMilliseconds", "delayDistribution",
    "chunkedDribbleDelay", "fault", "proxyBaseUrl", "proxyUrlPrefixToRemove", "additionalProxyRequestHeaders", "removeProxyRequestHeaders",
    "transformers", "transformerParameters", "fromConfiguredStub", "originalRequest",
})  # fmt: skip
_MATCHERS: Final = frozenset({
    "equalTo", "caseInsensitive", "binaryEqualTo", "contains", "doesNotContain", "matches", "doesNotMatch", "absent", "and", "or", "not",
    "hasExactly", "includes", "before", "after", "equalToDateTime", "actualFormat", "truncateActual", "truncateExpected",
    "applyTruncationLast", "expectedOffset", "expectedOffsetUnit", "equalToNumber", "greaterThanNumber", "greaterThanEqualNumber",
    "lessThanNumber", "lessThanEqualNumber", "equalToJson", "ignoreArrayOrder", "ignoreExtraElements", "equalToXml", "enablePlaceholders",
    "placeholderOpeningDelimiterRegex", "placeholderClosingDelimiterRegex", "exemptedComparisons", "ignoreOrderOfSameNode",
    "namespaceAwareness", "matchesXPath", "xPathNamespaces", "matchesJsonPath", "expression", "matchesJsonSchema", "schemaVersion",
    "customMatcher", "anything",
})  # fmt: skip


@frozen
class Written:
    """A mapping as it stands in a file; `mark` tells where a part of it was written."""

    mapping: dict[str, Any]
    mark: Callable[[Place], Mark]


def read(path: Path, text: str | None = None) -> tuple[Written, ...]:
    """The mappings of a file in their order; `text` where the file stands elsewhere. Raises DefinitionError with all that keeps WireMock
    from reading it."""
    text = _text(path) if text is None else text
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise DefinitionError(path.name, f"this is not JSON: {error}", "write a mapping: {...}", Mark(path, line)) from error
    several = isinstance(data, dict) and "mappings" in data
    given = data["mappings"] if several else [data]
    problems = Collector()
    if not isinstance(given, list):
        problems.add(path.name, "`mappings` is no list", "write [{...}, ...]", _mark(path, text, ("mappings",)))
        given = []
    for number, mapping in enumerate(given):
        if not isinstance(mapping, dict):
            place = ("mappings", number) if several else ()
            problems.add(path.name, "a mapping is an object with `request` and `response`", "write {...}", _mark(path, text, place))
    problems.raise_if_any()
    found = tuple(Written(mapping, _places(path, text, ("mappings", n) if several else ())) for n, mapping in enumerate(given))
    problems.problems += [problem for one in found for problem in _misspelt(one)]
    problems.raise_if_any()
    return found


def _misspelt(written: Written) -> Iterator[Problem]:
    """Keys that are like one that WireMock knows, and none. What is like none may be a later WireMock's."""
    for place, given, known in _known_at(written.mapping):
        for name in (name for name in given if name not in known):
            if meant := closest(name, sorted(known)):
                at = (*place, name)
                yield Problem(".".join(map(str, at)), f"WireMock knows no key {name!r}", f"did you mean {meant!r}?", written.mark(at))


def _known_at(mapping: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any], frozenset[str]]]:
    """Each object of the mapping that WireMock reads, with its place and the keys that it may have."""
    request, response = mapping.get("request"), mapping.get("response")
    yield (), mapping, _MAPPING
    if isinstance(response, dict):
        yield ("response",), response, _RESPONSE
    if isinstance(request, dict):
        yield ("request",), request, _REQUEST
        for key in _MATCHED:
            for name, matcher in request[key].items() if isinstance(request.get(key), dict) else ():
                if isinstance(matcher, dict):
                    yield ("request", key, name), matcher, _MATCHERS
        patterns = request.get("bodyPatterns")
        for number, matcher in enumerate(patterns if isinstance(patterns, list) else ()):
            if isinstance(matcher, dict):
                yield ("request", "bodyPatterns", number), matcher, _MATCHERS


def _places(path: Path, text: str, prefix: Place) -> Callable[[Place], Mark]:
    return lambda place: _mark(path, text, (*prefix, *place))


def _mark(path: Path, text: str, place: Place) -> Mark:
    """JSON is YAML, but for tabs between its words; what YAML cannot read all the same is told of the first line."""
    try:
        documents = list(Composer(path, text.replace("\t", " "), SEEDER).documents())
    except yaml.YAMLError:
        return Mark(path, 1)
    return (mark_of(documents[0], place) if documents else None) or Mark(path, 1)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DefinitionError(path.name, f"the file cannot be read: {error.strerror or error}", mark=Mark(path, 1)) from error
    except UnicodeDecodeError as error:
        raise DefinitionError(path.name, "the file is not UTF-8 text", "save it as UTF-8", Mark(path, 1)) from error
