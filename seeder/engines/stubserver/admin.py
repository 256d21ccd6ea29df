"""WireMock's admin API, below /__admin: mappings, scenarios, requests, reset. https://wiremock.org/docs/standalone/admin-api-reference/"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from seeder.engines.stubserver.matching import Request
from seeder.engines.stubserver.state import Refused, State

ROOT: Final = "/__admin"
VERSION: Final = "3.13.2"  # of WireMock, whose part this is


@dataclass
class Answer:
    status: int
    body: Any = None  # JSON


def answer(state: State, request: Request) -> Answer:
    """What the admin API answers to the request."""
    path = request.path.removeprefix(ROOT).rstrip("/") or "/"
    for method, pattern, route in _ROUTES:
        if method == request.method and (found := pattern.fullmatch(path)):
            return _asked(route, state, request, found)
    return Answer(404, _errors([("", f"{request.method} {path} is no part of the admin API that is known here")]))


def _asked(route: Route, state: State, request: Request, found: re.Match[str]) -> Answer:
    try:
        return route(state, request, *map(urllib.parse.unquote, found.groups()))
    except Refused as error:
        return Answer(422, _errors(error.found, error.title))
    except ValueError as error:
        return Answer(422, _errors([("", str(error))], "Error parsing JSON"))


def _errors(found: list[tuple[str, str]], title: str = "Not found") -> dict[str, Any]:
    return {"errors": [{"code": 10, "source": {"pointer": place}, "title": title, "detail": cause} for place, cause in found]}


Route = Callable[..., Answer]
_MISSING: Final = Answer(404, _errors([("", "there is none of this id")]))


def _body(request: Request) -> Any:
    return json.loads(request.text)


def _object(request: Request) -> Mapping[str, Any]:
    given = _body(request)
    if not isinstance(given, dict):
        raise Refused([("", "is no object")])
    return given


# -- mappings -----------------------------------------------------------------------------------------------------------


def _list_mappings(state: State, _: Request) -> Answer:
    found = state.mappings()
    return Answer(200, {"mappings": found, "meta": {"total": len(found)}})


def _add(state: State, request: Request) -> Answer:
    return Answer(201, state.add(_object(request)))


def _clear(state: State, _: Request) -> Answer:
    state.clear()
    return Answer(200, {})


def _get(state: State, _: Request, id_: str) -> Answer:
    found = state.get(id_)
    return Answer(200, found) if found else _MISSING


def _edit(state: State, request: Request, id_: str) -> Answer:
    found = state.edit(id_, _object(request))
    return Answer(200, found) if found else _MISSING


def _remove(state: State, _: Request, id_: str) -> Answer:
    return Answer(200, {}) if state.remove(id_) else _MISSING


def _import(state: State, request: Request) -> Answer:
    given = _object(request)
    options = given.get("importOptions") or {}
    overwrite = options.get("duplicatePolicy", "OVERWRITE") == "OVERWRITE"
    state.take(list(given.get("mappings") or ()), overwrite=overwrite, alone=bool(options.get("deleteAllNotInImport")))
    return Answer(200, {})


def _reset_mappings(state: State, _: Request) -> Answer:
    state.defaults()
    return Answer(200, {})


# -- scenarios ----------------------------------------------------------------------------------------------------------


def _list_scenarios(state: State, _: Request) -> Answer:
    return Answer(200, {"scenarios": state.scenarios()})


def _reset_scenarios(state: State, _: Request) -> Answer:
    state.reset_scenarios()
    return Answer(200, {})


def _set_scenario(state: State, request: Request, name: str) -> Answer:
    wanted = _object(request).get("state") if request.body else None
    return Answer(200, {}) if state.set_scenario(name, wanted) else Answer(404, _errors([("", f"Scenario {name} does not exist")]))


# -- requests -----------------------------------------------------------------------------------------------------------


def _list_requests(state: State, request: Request) -> Answer:
    asked = {name: values[0] for name, values in request.query.items()}
    found = state.journal()[::-1]
    if asked.get("unmatched") == "true":
        found = [entry for entry in found if not entry["wasMatched"]]
    if stub := asked.get("matchingStub"):
        found = [entry for entry in found if entry.get("stubMapping", {}).get("id") == stub]
    total = len(found)
    return Answer(200, {"requests": found[: int(asked.get("limit", total))], "meta": {"total": total}, "requestJournalDisabled": False})


def _forget_all(state: State, _: Request) -> Answer:
    state.forget()
    return Answer(200, {})


def _get_request(state: State, _: Request, id_: str) -> Answer:
    found = next((entry for entry in state.journal() if entry["id"] == id_), None)
    return Answer(200, found) if found else _MISSING


def _forget(state: State, _: Request, id_: str) -> Answer:
    state.forget([id_])
    return Answer(200, {})


def _count(state: State, request: Request) -> Answer:
    return Answer(200, {"count": len(state.journal(_object(request))), "requestJournalDisabled": False})


def _find(state: State, request: Request) -> Answer:
    return Answer(200, {"requests": [entry["request"] for entry in state.journal(_object(request))], "requestJournalDisabled": False})


def _remove_requests(state: State, request: Request) -> Answer:
    found = state.journal(_object(request))
    state.forget(entry["id"] for entry in found)
    return Answer(200, {"serveEvents": found})


def _unmatched(state: State, _: Request) -> Answer:
    found = [entry["request"] for entry in state.journal()[::-1] if not entry["wasMatched"]]
    return Answer(200, {"requests": found, "requestJournalDisabled": False})


# -- the server ---------------------------------------------------------------------------------------------------------


def _health(_state: State, _: Request) -> Answer:
    return Answer(200, {"status": "healthy", "message": "Wiremock is ok", "version": VERSION})


def _version(_state: State, _: Request) -> Answer:
    return Answer(200, {"version": VERSION})


def _routes(*given: tuple[str, str, Route]) -> list[tuple[str, re.Pattern[str], Route]]:
    return [(method, re.compile(path.replace("{}", "([^/]+)")), route) for method, path, route in given]


_ROUTES: Final = _routes(
    ("GET", "/mappings", _list_mappings),
    ("POST", "/mappings", _add),
    ("DELETE", "/mappings", _clear),
    ("POST", "/mappings/import", _import),
    ("POST", "/mappings/reset", _reset_mappings),
    ("GET", "/mappings/{}", _get),
    ("PUT", "/mappings/{}", _edit),
    ("DELETE", "/mappings/{}", _remove),
    ("GET", "/scenarios", _list_scenarios),
    ("POST", "/scenarios/reset", _reset_scenarios),
    ("PUT", "/scenarios/{}/state", _set_scenario),
    ("GET", "/requests", _list_requests),
    ("DELETE", "/requests", _forget_all),
    ("POST", "/requests/count", _count),
    ("POST", "/requests/find", _find),
    ("POST", "/requests/remove", _remove_requests),
    ("GET", "/requests/unmatched", _unmatched),
    ("GET", "/requests/{}", _get_request),
    ("DELETE", "/requests/{}", _forget),
    ("POST", "/reset", _reset_mappings),
    ("GET", "/health", _health),
    ("GET", "/version", _version),
)
