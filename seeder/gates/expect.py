"""What the scenario expects of its world: answers to queries and requests, messages, keys, calls of stubs; each within its time limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from seeder.definition.expectation import Expectation
from seeder.definition.references import as_words
from seeder.errors import EnvironmentFailed, Problem, WrongStatement, counted, in_words
from seeder.handles import matching
from seeder.handles.eventual import NotSeen, Sight, eventually
from seeder.handles.stub import fits
from seeder.order import each
from seeder.passed.content import Received
from seeder.passed.fitness import Fitness
from seeder.protocols import LooksUp, Queries, Stands, Streams, World
from seeder.running import quiet

AT_ONCE = 16  # each look may be a connection


class Expect:
    name = "expect"

    def check(self, fitness: Fitness, world: World) -> Iterable[Problem]:
        """One finding per expectation that does not hold in time, with what was expected and what was last seen. All are looked at at
        the same time: several that do not hold cost the time of one."""
        numbered = {str(number): expectation for number, expectation in enumerate(fitness.expectations)}
        found = each(numbered, lambda number: _check(numbered[number], world), at_once=AT_ONCE)
        return [problem for problem in found.values() if problem]


Look = Callable[[Expectation, World], Sight]


def _check(expectation: Expectation, world: World) -> Problem | None:
    subject, look = _subject(expectation), _LOOKS[expectation.kind]
    try:
        eventually(subject, lambda: look(expectation, world), within=expectation.within, emit=world.emit)
    except NotSeen as error:
        seen, remedy = f"{error.seen.last} (within {expectation.within:g} s)", "correct the data, or the expectation"
    except EnvironmentFailed as error:  # to look again is pointless
        seen, remedy = error.problems[0].cause, error.problems[0].remedy or "correct the expectation"
    else:
        return None
    return Problem(subject, f"expected {_wanted(expectation)}, last seen {seen}", remedy, expectation.mark)


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
        raise _unable(expectation, engine.name, "answers no queries")
    try:
        rows = engine.query(world.target(expectation.store), expectation.query, expectation.parameters)
    except WrongStatement as error:
        raise EnvironmentFailed(expectation.store, f"an error: {error.problems[0].cause}") from error
    except EnvironmentFailed as error:
        return Sight(holds=False, shown=f"an error: {error.problems[0].cause}")
    if isinstance(expectation.equals, list):
        nested = any(isinstance(item, list) for item in expectation.equals)
        found: list[Any] = [list(row) if nested or len(row) != 1 else row[0] for row in rows]
        return Sight(matching.same(expectation.equals, found), matching.words(found))
    if len(rows) != 1 or len(rows[0]) != 1:
        return Sight(holds=False, shown=f"{len(rows)} rows: {matching.words(rows)}" if rows else "no row")
    return Sight(matching.same(expectation.equals, rows[0][0]), matching.words(rows[0][0]))


def _http(expectation: Expectation, world: World) -> Sight:
    import httpx

    try:
        answer = world.http(expectation.service).request(expectation.method, expectation.path)
    except httpx.HTTPError as error:
        return Sight(holds=False, shown=f"no answer: {in_words(error)}")
    body = matching.read(answer.text)
    fits = answer.status_code == expectation.status and (not expectation.compares or matching.within(expectation.equals, body))
    return Sight(fits, f"status {answer.status_code} with {matching.words(body)}")


def _event(expectation: Expectation, world: World) -> Sight:
    engine = world.engine(expectation.store)
    if not isinstance(engine, Streams):
        raise _unable(expectation, engine.name, "holds no messages")
    messages = engine.messages(world.target(expectation.store), expectation.subject)
    fitting = [message for message in messages if matching.within(dict(expectation.where), message.payload)]
    if len(fitting) >= expectation.at_least:
        return Sight(holds=True, shown=f"{len(fitting)} such of {len(messages)} messages")
    latest = f", the latest {matching.words(messages[-1].payload)}" if messages and not fitting else ""
    return Sight(holds=False, shown=f"{len(fitting)} such of {len(messages)} messages{latest}")


def _key(expectation: Expectation, world: World) -> Sight:
    engine = world.engine(expectation.store)
    if not isinstance(engine, LooksUp):
        raise _unable(expectation, engine.name, "holds no keys")
    value = engine.lookup(world.target(expectation.store), expectation.key)
    seen = "no such key" if value is None else matching.words(value)
    if not expectation.compares:
        return Sight((value is not None) == (expectation.exists is not False), seen)
    return Sight(_same_key(expectation.equals, value), seen)


def _stub(expectation: Expectation, world: World) -> Sight:
    engine = world.engine(expectation.store)
    if not isinstance(engine, Stands):
        raise _unable(expectation, engine.name, "receives no calls")
    if expectation.count is not None and not world.stack.shared:  # a shared system need never be quiet
        unrest = quiet.look(world)
        if unrest.state != "ready":  # more may come
            return Sight(holds=False, shown=f"that not all is done: {unrest.reason}")
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
    return expected if expected is None else as_words(expected)


def _unable(expectation: Expectation, engine: str, what: str) -> EnvironmentFailed:
    return EnvironmentFailed(expectation.store, f"a {engine} store, which {what}")


_LOOKS: Final[Mapping[str, Look]] = {"query": _query, "http": _http, "event": _event, "key": _key, "stub": _stub}
