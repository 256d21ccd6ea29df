"""What the scenario expects of its world: answers to queries and requests, messages, keys, calls of stubs; each within its time limit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from seeder import matching
from seeder.content import Message, Received
from seeder.definition.expectation import Expectation
from seeder.errors import EnvironmentFailed, Problem, WrongStatement, counted
from seeder.fitness import Fitness
from seeder.frozen import frozen
from seeder.order import each
from seeder.protocols import LooksUp, Queries, Stands, Streams, World
from seeder.stub import fits
from seeder.wait import READY, Verdict, never, not_yet, wait_for

AT_ONCE = 16  # each look may be a connection


class Expect:
    name = "expect"

    def check(self, fitness: Fitness, world: World) -> Iterable[Problem]:
        """One finding per expectation that does not hold in time, with what was expected and what was last seen. All are looked at at
        the same time: several that do not hold cost the time of one."""
        numbered = {str(number): expectation for number, expectation in enumerate(fitness.expectations)}
        found = each(numbered, lambda number: _check(numbered[number], world), at_once=AT_ONCE)
        return [problem for problem in found.values() if problem]


@frozen
class Sight:
    """One observation: does it hold, and what was seen. `hopeless` when looking again is pointless."""

    holds: bool
    seen: str
    hopeless: bool = False


Look = Callable[[Expectation, World], Sight]


def _check(expectation: Expectation, world: World) -> Problem | None:
    last = Sight(holds=False, seen="nothing")

    def look() -> Verdict:
        nonlocal last
        last = _LOOKS[expectation.kind](expectation, world)
        return READY if last.holds else never(last.seen) if last.hopeless else not_yet(last.seen)

    try:
        wait_for(_subject(expectation), look, within=expectation.within)
    except EnvironmentFailed:
        patience = "" if last.hopeless else f" (within {expectation.within:g} s)"
        cause = f"expected {_wanted(expectation)}, last seen {last.seen}{patience}"
        remedy = "correct the expectation" if last.hopeless else "correct the data, or the expectation"
        return Problem(_subject(expectation), cause, remedy, expectation.mark)
    return None


def _subject(expectation: Expectation) -> str:
    of = {
        "query": f"{expectation.store}: {' '.join(expectation.query.split())}",
        "http": f"{expectation.method} {expectation.path} of {expectation.service}",
        "event": f"{expectation.store}: event {expectation.subject}",
        "key": f"{expectation.store}: key {expectation.key}",
        "stub": f"{expectation.store}: calls",
    }
    return of[expectation.kind]


def _wanted(expectation: Expectation) -> str:
    if expectation.kind == "event":
        number = "a message" if expectation.at_least == 1 else f"{expectation.at_least} messages"
        return f"{number} with {matching.words(dict(expectation.where))}" if expectation.where else number
    if expectation.kind == "stub":
        wanted = expectation.at_least if expectation.count is None else expectation.count
        number = f"{'exactly ' if expectation.count else ''}{counted(wanted, 'call')}"
        return f"{number} with {matching.words(dict(expectation.where))}" if expectation.where else number
    if expectation.kind == "http":
        body = f" and {matching.words(expectation.equals)} in the body" if expectation.compares else ""
        return f"status {expectation.status}{body}"
    if expectation.kind == "key" and not expectation.compares:
        return "no such key" if expectation.exists is False else "the key to exist"
    return matching.words(expectation.equals)


def _query(expectation: Expectation, world: World) -> Sight:
    engine = world.engine(expectation.store)
    if not isinstance(engine, Queries):
        return _unable(engine.name, "answers no queries")
    try:
        rows = engine.query(world.target(expectation.store), expectation.query, expectation.parameters)
    except EnvironmentFailed as error:
        return Sight(holds=False, seen=f"an error: {error.problems[0].cause}", hopeless=isinstance(error, WrongStatement))
    if isinstance(expectation.equals, list):
        nested = any(isinstance(item, list) for item in expectation.equals)
        found: list[Any] = [list(row) if nested or len(row) != 1 else row[0] for row in rows]
        return Sight(matching.same(expectation.equals, found), matching.words(found))
    if len(rows) != 1 or len(rows[0]) != 1:
        return Sight(holds=False, seen=f"{len(rows)} rows: {matching.words(rows)}" if rows else "no row")
    return Sight(matching.same(expectation.equals, rows[0][0]), matching.words(rows[0][0]))


def _http(expectation: Expectation, world: World) -> Sight:
    import httpx

    try:
        answer = world.http(expectation.service).request(expectation.method, expectation.path)
    except httpx.HTTPError as error:
        return Sight(holds=False, seen=f"no answer: {str(error) or type(error).__name__}")
    body = matching.read(answer.text)
    fits = answer.status_code == expectation.status and (not expectation.compares or matching.within(expectation.equals, body))
    return Sight(fits, f"status {answer.status_code} with {matching.words(body)}")


def _event(expectation: Expectation, world: World) -> Sight:
    engine = world.engine(expectation.store)
    if not isinstance(engine, Streams):
        return _unable(engine.name, "holds no messages")
    messages = engine.messages(world.target(expectation.store), expectation.subject)
    fitting = [message for message in messages if matching.within(dict(expectation.where), _payload(message))]
    if len(fitting) >= expectation.at_least:
        return Sight(holds=True, seen="")
    latest = f", the latest {matching.words(_payload(messages[-1]))}" if messages and not fitting else ""
    return Sight(holds=False, seen=f"{len(fitting)} such of {len(messages)} messages{latest}")


def _payload(message: Message) -> Any:
    return matching.read(message.payload) if isinstance(message.payload, str) else message.payload


def _key(expectation: Expectation, world: World) -> Sight:
    engine = world.engine(expectation.store)
    if not isinstance(engine, LooksUp):
        return _unable(engine.name, "holds no keys")
    value = engine.lookup(world.target(expectation.store), expectation.key)
    seen = "no such key" if value is None else matching.words(value)
    if not expectation.compares:
        return Sight((value is not None) == (expectation.exists is not False), seen)
    return Sight(_same_key(expectation.equals, value), seen)


def _stub(expectation: Expectation, world: World) -> Sight:
    engine = world.engine(expectation.store)
    if not isinstance(engine, Stands):
        return _unable(engine.name, "receives no calls")
    calls = engine.calls(world.target(expectation.store))
    fitting = sum(1 for call in calls if fits(call, expectation.where))
    wanted = fitting >= expectation.at_least if expectation.count is None else fitting == expectation.count
    latest = f", the latest {_call(calls[-1])}" if calls and not fitting else ""
    return Sight(wanted, f"{fitting} such of {counted(len(calls), 'call')}{latest}")


def _call(call: Received) -> str:
    return f"{call.method} {call.url} with {matching.words(call.body)}" + ("" if call.matched else ", which no mapping matched")


def _same_key(expected: Any, value: Any) -> bool:
    """A cache keeps text: numbers and booleans are compared as the text that JSON writes for them, mappings and lists with the
    JSON in the text, or with the members of a hash or a list."""
    if not isinstance(value, str):
        return matching.same(_texts(expected), value)
    if isinstance(expected, dict | list):
        return matching.within(expected, matching.read(value))
    return value == expected or (not isinstance(expected, str) and matching.same(expected, matching.read(value)))


def _texts(expected: Any) -> Any:
    if isinstance(expected, dict):
        return {key: _texts(item) for key, item in expected.items()}
    if isinstance(expected, list):
        return [_texts(item) for item in expected]
    return expected if expected is None or isinstance(expected, str) else json.dumps(expected)


def _unable(engine: str, what: str) -> Sight:
    return Sight(holds=False, seen=f"a {engine} store, which {what}", hopeless=True)


_LOOKS: Final[Mapping[str, Look]] = {"query": _query, "http": _http, "event": _event, "key": _key, "stub": _stub}
