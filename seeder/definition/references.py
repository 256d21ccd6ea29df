"""`${inputs.NAME}` in values, and `:name` parameters in queries."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[^{}]*)(?P<end>\}?))")
_SKIPPED = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|--[^\n]*|/\*.*?\*/|::"
_PARAMETER = re.compile(rf"{_SKIPPED}|(?<![\w:]):(?P<name>[A-Za-z_]\w*)", re.DOTALL)

Path = tuple[str | int, ...]


def filled(value: Any, inputs: Mapping[str, Any], *, as_text: bool = False, in_url: bool = False) -> Any:
    """The value with its references replaced. One reference as a whole keeps the input's type unless `as_text`; in a URL what is filled in
    is percent-encoded; `$$` is a dollar sign. Raises KeyError for an unknown name: `unknown` finds them beforehand."""
    if isinstance(value, Mapping):
        return {key: filled(item, inputs) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, inputs) for item in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole and not whole["dollar"] and not (as_text or in_url):
        return inputs[_input(whole["name"])]

    def text(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        found = as_words(inputs[_input(match["name"])])
        return urllib.parse.quote(found, safe="") if in_url else found

    return _REFERENCE.sub(text, value)


def as_words(value: Any) -> str:
    """A scalar inside a text, as YAML and JSON write it."""
    return {True: "true", False: "false", None: "null"}[value] if value is None or isinstance(value, bool) else str(value)


def unknown(value: Any, inputs: Mapping[str, Any], at: Path = ()) -> Iterator[tuple[Path, str, str]]:
    """References that `filled` could not fill: the path of the value, the reference as written, and why."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from unknown(item, inputs, (*at, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from unknown(item, inputs, (*at, number))
    elif isinstance(value, str):
        for match in _REFERENCE.finditer(value):
            if not match["dollar"] and (cause := _mistake(match, inputs)):
                yield at, match[0], cause


def named_parameters(query: str) -> list[str]:
    """The `:name` parameters of a query, each once, in order; not those in strings, comments and casts (`::text`)."""
    return list(dict.fromkeys(match["name"] for match in _PARAMETER.finditer(query) if match["name"]))


def _mistake(match: re.Match[str], inputs: Mapping[str, Any]) -> str | None:
    root, _, name = match["name"].strip().partition(".")
    if not match["end"]:
        return "the reference is not closed; write a dollar sign as $$"
    if root != "inputs":
        return "only ${inputs.NAME} can be filled in; write a dollar sign as $$"
    return None if name in inputs else f"the scenario has no input {name!r}"


def _input(reference: str) -> str:
    return reference.strip().removeprefix("inputs.")
