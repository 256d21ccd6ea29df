"""What the server holds: mappings in the order in which they are asked, states of scenarios, and every request that it received."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from seeder.engines.stubserver import subset
from seeder.engines.stubserver.matching import Request, matches

STARTED: Final = "Started"  # the state in which every scenario begins
PRIORITY: Final = 5  # of a mapping that names none
Mapped = dict[str, Any]


class Refused(ValueError):
    """What was sent is not taken: with each place and cause."""

    def __init__(self, found: Iterable[tuple[str, str]], *, title: str = "Not known here") -> None:
        self.found = list(found)
        self.title = title
        super().__init__("; ".join(f"{place} {cause}" for place, cause in self.found))


class State:
    """`first` are mappings that are there from the beginning, `files` the bodies that mappings name. Safe for several threads."""

    def __init__(self, first: Sequence[Mapped] = (), files: Mapping[str, Path] | None = None) -> None:
        self._first, self.files = first, files or {}
        self._lock = threading.RLock()
        self._index = itertools.count()
        self._mappings: dict[str, tuple[int, Mapped]] = {}  # id -> when it was added, and what
        self._scenarios: dict[str, str] = {}
        self._journal: list[tuple[Request, dict[str, Any]]] = []  # oldest first; each as it was received, and as it is shown
        self.defaults()

    # -- mappings -----------------------------------------------------------------------------------------------------

    def mappings(self) -> list[Mapped]:
        """In the order in which they are asked: by priority, of equal ones the latest first."""
        with self._lock:
            ordered = sorted(self._mappings.values(), key=lambda one: (one[1].get("priority") or PRIORITY, -one[0]))
        return [mapping for _, mapping in ordered]

    def get(self, id_: str) -> Mapped | None:
        with self._lock:
            found = self._mappings.get(id_)
        return found[1] if found else None

    def add(self, given: Mapping[str, Any]) -> Mapped:
        """Raises Refused for what is not known, and for an id that is taken."""
        mapping = _sound(given)
        with self._lock:
            if mapping["id"] in self._mappings:
                raise Refused([("id", f"{mapping['id']} is already taken by another stub mapping")], title="Duplicate stub mapping ID")
            self._put(next(self._index), mapping)
        return mapping

    def edit(self, id_: str, given: Mapping[str, Any]) -> Mapped | None:
        """The mapping keeps its place among those of its priority. None when there is none of this id."""
        mapping = _sound({**given, "id": id_})
        with self._lock:
            if id_ not in self._mappings:
                return None
            self._put(self._mappings[id_][0], mapping)
        return mapping

    def remove(self, id_: str) -> bool:
        with self._lock:
            found = self._mappings.pop(id_, None)
            self._forget_scenarios()
        return found is not None

    def clear(self) -> None:
        with self._lock:
            self._mappings.clear()
            self._scenarios.clear()

    def take(self, given: list[Any], *, overwrite: bool, alone: bool) -> None:
        """Several at once, the first of which is to be asked first; `alone`: no others stay. Raises Refused before any is taken."""
        sound = [_sound(mapping, number) for number, mapping in enumerate(given)]
        with self._lock:
            for mapping in reversed(sound):
                if mapping["id"] not in self._mappings:
                    self._put(next(self._index), mapping)
                elif overwrite:
                    self._put(self._mappings[mapping["id"]][0], mapping)
            for id_ in self._mappings.keys() - {mapping["id"] for mapping in sound} if alone else ():
                del self._mappings[id_]
            self._forget_scenarios()

    def defaults(self) -> None:
        """The mappings that were there at the beginning and no others, and no requests."""
        with self._lock:
            self.clear()
            self._journal.clear()
            for mapping in self._first:
                self.add(mapping)

    def _put(self, index: int, mapping: Mapped) -> None:
        self._mappings[mapping["id"]] = (index, mapping)
        if name := mapping.get("scenarioName"):
            self._scenarios.setdefault(name, STARTED)
        self._forget_scenarios()

    def _forget_scenarios(self) -> None:
        """Of a scenario without mappings nothing is known."""
        named = {mapping.get("scenarioName") for _, mapping in self._mappings.values()}
        self._scenarios = {name: state for name, state in self._scenarios.items() if name in named}

    # -- scenarios ----------------------------------------------------------------------------------------------------

    def scenarios(self) -> list[dict[str, Any]]:
        with self._lock:
            states = dict(self._scenarios)
        every = self.mappings()
        of = {name: [mapping for mapping in every if mapping.get("scenarioName") == name] for name in states}
        return [
            {"id": name, "name": name, "state": state, "possibleStates": sorted(_states(of[name])), "mappings": of[name]}
            for name, state in states.items()
        ]

    def set_scenario(self, name: str, state: str | None) -> bool:
        """`state` None: the one in which it begins. Whether there is such a scenario. Raises Refused for a state that no mapping names."""
        with self._lock:
            if name not in self._scenarios:
                return False
            if state is not None and state not in _states([mapping for mapping in self.mappings() if mapping.get("scenarioName") == name]):
                raise Refused([("state", f"Scenario {name} does not support state {state}")])
            self._scenarios[name] = STARTED if state is None else state
        return True

    def reset_scenarios(self) -> None:
        with self._lock:
            self._scenarios = dict.fromkeys(self._scenarios, STARTED)

    # -- requests -----------------------------------------------------------------------------------------------------

    def serve(self, request: Request) -> Mapped | None:
        """The mapping that answers it; the state of its scenario goes on."""
        with self._lock:
            found = next((mapping for mapping in self.mappings() if self._is_now(mapping) and matches(mapping["request"], request)), None)
            if found and found.get("scenarioName") and found.get("newScenarioState"):
                self._scenarios[found["scenarioName"]] = found["newScenarioState"]
        return found

    def _is_now(self, mapping: Mapped) -> bool:
        name, state = mapping.get("scenarioName"), mapping.get("requiredScenarioState")
        return name is None or state is None or self._scenarios.get(name) == state

    def keep(self, request: Request, mapping: Mapped | None, response: dict[str, Any]) -> None:
        """Write it down, before it is answered."""
        definition = mapping["response"] if mapping else {"status": 404, "fromConfiguredStub": False}
        entry: dict[str, Any] = {
            "id": request.id,
            "request": request.written(),
            "responseDefinition": definition,
            "response": response,
            "wasMatched": mapping is not None,
            "timing": {},
            "subEvents": [],
            **({"stubMapping": mapping} if mapping else {}),
        }
        with self._lock:
            self._journal.append((request, entry))

    def journal(self, pattern: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """What was written down of every request, or of those that are as the pattern has it; oldest first. Raises Refused."""
        if pattern is not None:
            _refuse(subset.of_request(pattern))
        with self._lock:
            return [entry for request, entry in self._journal if pattern is None or matches(pattern, request)]

    def forget(self, entries: Iterable[str] | None = None) -> None:
        """Those requests, by their ids; all when none are named."""
        gone = None if entries is None else set(entries)
        with self._lock:
            self._journal[:] = [] if gone is None else [one for one in self._journal if one[0].id not in gone]


def _sound(given: Any, number: int | None = None) -> Mapped:
    """The mapping with what WireMock adds to one. Raises Refused."""
    _refuse(subset.beyond(given), () if number is None else ("mappings", number))
    id_ = given.get("id") or given.get("uuid") or str(uuid.uuid4())
    request = {"method": "ANY", **(given.get("request") or given.get("newRequest") or {})}
    plain = {name: value for name, value in given.items() if name not in ("$schema", "newRequest", "insertionIndex") and value is not None}
    return {**plain, "id": id_, "uuid": id_, "request": request, "response": {"status": 200, **(given.get("response") or {})}}


def _refuse(found: Iterable[subset.Beyond], place: subset.Place = ()) -> None:
    told = [("/".join(map(str, ("", *place, *inner))), cause) for inner, cause in found]
    if told:
        raise Refused(told)


def _states(mappings: Iterable[Mapped]) -> set[str]:
    every = {mapping.get(key) for mapping in mappings for key in ("requiredScenarioState", "newScenarioState")}
    return {state for state in every if state}
