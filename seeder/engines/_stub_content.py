"""What a stub holds: mappings, in the order in which they are asked; the states of scenarios; the requests that it received."""

from __future__ import annotations

import base64
import itertools
import json
import urllib.parse
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from seeder.engines._stub_client import Admin
from seeder.evidence import redact
from seeder.frozen import frozen

_STARTED: Final = "Started"  # the state in which a scenario begins
_OF_CONNECTION: Final = frozenset(
    {"connection", "content-length", "transfer-encoding", "expect", "upgrade", "http2-settings", "keep-alive"}
)
_OF_ANSWER: Final = _OF_CONNECTION | {"content-encoding", "matched-stub-id", "matched-stub-name", "vary", "date"}
_LOGINS: Final = frozenset({"authorization", "proxy-authorization"})

Mapped = dict[str, Any]


@frozen
class Entry:
    """A request as the journal has it, and how it was answered. `stub` is the id and name of the mapping that did; none where no mapping
    did. Values of headers that are named like secrets are hidden. `id` is the journal's own."""

    id: str
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: str  # base64
    stub: tuple[str, str] | None
    answer: Mapping[str, Any]  # the response of a mapping that answers so; nothing without one


@frozen
class Content:
    mappings: tuple[Mapped, ...]
    scenarios: Mapping[str, str]
    entries: tuple[Entry, ...]  # oldest first


def read(admin: Admin) -> Content:
    """Mappings are said to be kept by nobody: the state of a stub is not in its files."""
    mappings = [_plain(mapping) for mapping in admin.ask("GET", "/mappings")["mappings"]]
    states = {one["name"]: one["state"] for one in admin.ask("GET", "/scenarios")["scenarios"]}
    return Content(tuple(mappings), dict(sorted(states.items())), tuple(_entry(event) for event in events(admin)))


def events(admin: Admin) -> list[Mapped]:
    """The journal as the server tells it, oldest first."""
    found: list[Mapped] = admin.ask("GET", "/requests").get("requests") or []
    return found[::-1]


def write(admin: Admin, content: Content) -> None:
    """Replace all that it holds. What it received is sent to it again, so that its journal holds it, with new ids and times."""
    admin.ask("DELETE", "/requests")
    if content.entries:
        _send_again(admin, content.entries)
    write_mappings(admin, content)


def write_mappings(admin: Admin, content: Content) -> None:
    """Replace mappings and states of scenarios."""
    let_go(admin, admin.ask("GET", "/mappings")["mappings"])
    _import(admin, ())
    if content.mappings:
        _import(admin, content.mappings)
    for name, state in content.scenarios.items():
        if state != _STARTED:
            _bring(admin, name, state)


def let_go(admin: Admin, mappings: Iterable[Mapped]) -> None:
    """Those that came from files which the server may write are kept there no more: to remove one that is would remove its file."""
    kept = [_plain(mapping) for mapping in mappings if mapping.get("persistent")]
    if kept:
        admin.ask("POST", "/mappings/import", {"mappings": [{**mapping, "persistent": False} for mapping in kept]})


def _bring(admin: Admin, scenario: str, state: str) -> None:
    """WireMock takes the name in the path as it is written, so that it knows none that has to be quoted there: such a scenario goes on by a
    call."""
    if urllib.parse.quote(scenario, safe="") == scenario:
        admin.ask("PUT", f"/scenarios/{scenario}/state", {"state": state})
        return
    id_ = str(uuid.uuid4())
    request = {"method": "GET", "url": f"/{id_}"}
    going = {"id": id_, "priority": 1, "scenarioName": scenario, "newScenarioState": state, "request": request, "response": {}}
    admin.ask("POST", "/mappings", going)
    admin.replay("GET", f"/{id_}", [("Host", "seeder")], b"")
    admin.ask("DELETE", f"/mappings/{id_}")
    admin.ask("POST", "/requests/remove", request)


def meaning(mapping: Mapped) -> Mapped:
    """What the server adds is there, what only names the mapping is not."""
    plain = {name: value for name, value in mapping.items() if name not in ("id", "uuid")}
    return {**plain, "request": {"method": "ANY", **plain.get("request", {})}, "response": {"status": 200, **plain.get("response", {})}}


def empty(admin: Admin) -> None:
    write(admin, Content((), {}, ()))


def _import(admin: Admin, mappings: Sequence[Mapped]) -> None:
    """These and no others; the first is asked first."""
    options = {"duplicatePolicy": "OVERWRITE", "deleteAllNotInImport": True}
    admin.ask("POST", "/mappings/import", {"mappings": list(mappings), "importOptions": options})


def _plain(mapping: Mapped) -> Mapped:
    return {name: value for name, value in mapping.items() if name not in ("persistent", "insertionIndex")}


# -- the journal --------------------------------------------------------------------------------------------------------


def _entry(event: Mapped) -> Entry:
    request, mapping = event["request"], event.get("stubMapping")
    stub = (str(mapping["id"]), str(mapping.get("name") or "")) if event.get("wasMatched") and mapping else None
    fault = (event.get("responseDefinition") or {}).get("fault")
    body = request.get("bodyAsBase64") or base64.b64encode((request.get("body") or "").encode()).decode()
    answer = _answer(event, fault) if stub else {}
    return Entry(event["id"], request["method"], request["url"], tuple(_headers(request)), body, stub, answer)


def _headers(request: Mapped) -> Iterator[tuple[str, str]]:
    for name, values in (request.get("headers") or {}).items():
        for value in values if isinstance(values, list) else [values]:
            if name.lower() not in _OF_CONNECTION:
                yield name, redact.HIDDEN if _is_secret(name) else value


def _is_secret(header: str) -> bool:
    return header.lower() in _LOGINS or redact.is_secret(header)


def _answer(event: Mapped, fault: str | None) -> dict[str, Any]:
    if fault:
        return {"fault": fault}
    given = event.get("response") or {}
    headers = {name: value for name, value in (given.get("headers") or {}).items() if name.lower() not in _OF_ANSWER}
    body = given.get("bodyAsBase64") or base64.b64encode((given.get("body") or "").encode()).decode()
    return {"status": given.get("status", 200), **({"headers": headers} if headers else {}), **({"base64Body": body} if body else {})}


def _send_again(admin: Admin, entries: Iterable[Entry]) -> None:
    """Each is answered as it was, by a mapping of the id and name that answered it."""
    for (stub, _), group in itertools.groupby(entries, key=lambda entry: (entry.stub, json.dumps(entry.answer, sort_keys=True))):
        sent = list(group)
        _import(admin, [_answering(stub, sent[0].answer)] if stub else [])
        for entry in sent:
            admin.replay(entry.method, entry.url, entry.headers, base64.b64decode(entry.body))


def _answering(stub: tuple[str, str], answer: Mapping[str, Any]) -> Mapped:
    id_, name = stub
    return {"id": id_, **({"name": name} if name else {}), "request": {"urlPattern": "(?s).*"}, "response": dict(answer)}
