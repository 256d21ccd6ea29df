"""Whether a request is one that a mapping asks for."""

from __future__ import annotations

import base64
import json
import re
import time
import urllib.parse
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from seeder.engines.stubserver import jsonpath


@dataclass
class Request:
    """One that was received: `url` as it was sent, path and query; names of headers as they were written."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    client: str = "127.0.0.1"
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    at: float = field(default_factory=time.time)

    @property
    def path(self) -> str:
        return self.url.partition("?")[0]

    @property
    def query(self) -> dict[str, list[str]]:
        return urllib.parse.parse_qs(self.url.partition("?")[2], keep_blank_values=True)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def written(self) -> dict[str, Any]:
        """As WireMock's admin API shows it."""
        names = dict.fromkeys(name for name, _ in self.headers)
        single = {name: values[0] if len(values := self.header(name)) == 1 else values for name in names}
        milliseconds = int(self.at * 1000)
        return {
            "url": self.url,
            "absoluteUrl": f"http://{(self.header('host') or [''])[0]}{self.url}",
            "method": self.method,
            "clientIp": self.client,
            "headers": single,
            "cookies": {},
            "browserProxyRequest": False,
            "loggedDate": milliseconds,
            "loggedDateString": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.at)),
            "bodyAsBase64": base64.b64encode(self.body).decode(),
            "body": self.text,
            "protocol": "HTTP/1.1",
            "queryParams": {key: {"key": key, "values": values} for key, values in self.query.items()},
            "formParams": {},
        }


def matches(pattern: Mapping[str, Any], request: Request) -> bool:
    """Whether the request is as the `request` of a mapping has it."""
    return (
        (pattern.get("method") or "ANY") in ("ANY", request.method)
        and _url(pattern, request)
        and all(_any(matcher, request.header(name)) for name, matcher in (pattern.get("headers") or {}).items())
        and all(_any(matcher, request.query.get(name, [])) for name, matcher in (pattern.get("queryParameters") or {}).items())
        and all(holds(matcher, request.text or None) for matcher in pattern.get("bodyPatterns") or ())
    )


def _url(pattern: Mapping[str, Any], request: Request) -> bool:
    if "url" in pattern:
        return bool(pattern["url"] == request.url)
    if "urlPath" in pattern:
        return bool(pattern["urlPath"] == request.path)
    if "urlPattern" in pattern:
        return _fits(pattern["urlPattern"], request.url)
    return "urlPathPattern" not in pattern or _fits(pattern["urlPathPattern"], request.path)


def _any(matcher: Mapping[str, Any], values: Sequence[str]) -> bool:
    """Of several values one is enough; none at all is what `absent` asks for."""
    return any(holds(matcher, value) for value in values) if values else holds(matcher, None)


def holds(matcher: Mapping[str, Any], value: str | None) -> bool:
    """Whether a text, or that there is none, is what the matcher asks for."""
    if "absent" in matcher:
        return (value is None) is bool(matcher["absent"])
    if "doesNotContain" in matcher:
        return value is None or matcher["doesNotContain"] not in value
    if "doesNotMatch" in matcher:
        return value is None or not _fits(matcher["doesNotMatch"], value)
    if value is None:
        return False
    if "equalTo" in matcher:
        wanted = matcher["equalTo"]
        return bool(value.lower() == wanted.lower() if matcher.get("caseInsensitive") else value == wanted)
    if "contains" in matcher:
        return matcher["contains"] in value
    return _fits(matcher["matches"], value) if "matches" in matcher else _json(matcher, value)


def _fits(regular: str, value: str) -> bool:
    return re.fullmatch(regular, value, re.DOTALL) is not None


# -- JSON -------------------------------------------------------------------------------------------------------------

_NO_JSON: Final = object()


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return _NO_JSON


def _json(matcher: Mapping[str, Any], value: str) -> bool:
    seen = _read(value)
    if seen is _NO_JSON:
        return False
    if "equalToJson" in matcher:
        wanted = matcher["equalToJson"]
        wanted = _read(wanted) if isinstance(wanted, str) else wanted
        return similar(wanted, seen, any_order=bool(matcher.get("ignoreArrayOrder")), more=bool(matcher.get("ignoreExtraElements")))
    asked = matcher["matchesJsonPath"]
    if isinstance(asked, str):
        found = jsonpath.compiled(asked).find(seen, seen)
        return found is not jsonpath.MISSING and found is not None and found not in ([], {})
    found = jsonpath.compiled(asked["expression"]).find(seen, seen)
    inner = {name: item for name, item in asked.items() if name != "expression"}
    return any(holds(inner, text) for text in _texts(found, whole="equalToJson" in inner))


def _texts(found: Any, *, whole: bool) -> list[str | None]:
    """What a path leads to, as texts: a list one by one, unless it is compared as JSON."""
    if found is jsonpath.MISSING or found is None or found == []:
        return [None]
    if isinstance(found, dict) or (whole and isinstance(found, list)):
        return [json.dumps(found)]
    return [_text(item) for item in (found if isinstance(found, list) else [found])]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def similar(wanted: Any, seen: Any, *, any_order: bool, more: bool) -> bool:
    """Equal as JSON; numbers by value. `more`: objects and lists may hold more than is wanted."""
    if isinstance(wanted, dict) and isinstance(seen, dict):
        inside = all(key in seen and similar(value, seen[key], any_order=any_order, more=more) for key, value in wanted.items())
        return inside and (more or wanted.keys() == seen.keys())
    if isinstance(wanted, list) and isinstance(seen, list):
        if len(seen) < len(wanted) or (len(seen) > len(wanted) and not more):
            return False
        if any_order:
            return _somehow(wanted, seen, more=more)
        return all(similar(one, other, any_order=False, more=more) for one, other in zip(wanted, seen, strict=False))
    if isinstance(wanted, bool) or isinstance(seen, bool):
        return wanted is seen
    return bool(wanted == seen)


def _somehow(wanted: list[Any], seen: list[Any], *, more: bool) -> bool:
    """Whether each that is wanted has one of its own among those seen."""
    if not wanted:
        return True
    first, *rest = wanted
    fitting = (place for place, item in enumerate(seen) if similar(first, item, any_order=True, more=more))
    return any(_somehow(rest, [*seen[:place], *seen[place + 1 :]], more=more) for place in fitting)
