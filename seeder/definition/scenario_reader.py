"""Reads scenario files, and says all that is wrong in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seeder.definition.inputs import Input, mistake
from seeder.definition.overlay import TAKEN, Removed, merged
from seeder.definition.references import NAME as ROOT
from seeder.definition.references import named_parameters, only, references, unknown
from seeder.definition.scenario import DatasetRef, Expectation, Scenario
from seeder.definition.scenario_file import (
    REFUSED,
    EventItem,
    EventuallyItem,
    HttpItem,
    InputItem,
    KeyItem,
    QueryItem,
    ScenarioFile,
    StubItem,
    UseItem,
    sound,
)
from seeder.definition.step import Step, Watch
from seeder.definition.validation import validated
from seeder.definition.yaml import Document, load
from seeder.errors import Collector, DefinitionError, Mark, Problem, nearest

_DATASET = re.compile(r"(?P<name>[a-z0-9][a-z0-9_-]*)(?:@(?P<version>[0-9A-Za-z][0-9A-Za-z.+-]*))?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_scenarios(folder: Path, overlays: Sequence[Document] = ()) -> dict[str, Scenario]:
    """Every scenario of the folder by name, with what is wrong with it; a folder that does not exist has none."""
    found: dict[str, Scenario] = {}
    for path in sorted(folder.glob("*.yaml")):
        scenario = read_scenario(path, overlays)
        first = found.setdefault(scenario.name, scenario)
        if first is not scenario:
            twice = Problem(scenario.name, f"{first.path.name} holds a scenario of this name already", "rename one", scenario.mark)
            found[scenario.name] = replace(first, problems=(*first.problems, *scenario.problems, twice))
    for path in sorted(folder.glob("*.yml")):
        found.setdefault(path.stem, _unread(path, [Problem(path.name, "is not read as a scenario", f"rename it to {path.stem}.yaml")]))
    return found


def read_scenario(path: Path, overlays: Sequence[Document] = ()) -> Scenario:
    """One scenario as overlays change it, with all that is wrong with its file: of one with mistakes as much as is sound."""
    problems, removed = Collector(), Removed()
    try:
        document = merged(load(path), overlays, removed)
    except DefinitionError as error:
        return _unread(path, error.problems)
    file = validated(ScenarioFile, document.data, problems, mark=document.mark(), later=REFUSED) or sound(document.data)
    inputs = [_input(name, item, document, problems) for name, item in file.inputs.items()]
    _check_references(file, document, removed, problems)
    return Scenario(
        name=file.scenario or path.stem,
        version=file.version,
        stack=file.stack,
        path=path,
        mark=document.mark(("scenario",)),
        description=file.description.strip(),
        owner=file.owner,
        through=bool(file.through),
        tags=tuple(file.tags),
        inputs=tuple(inputs),
        data=_data(file.data, document, problems),
        steps=_steps("steps", file.steps, document, problems),
        act=_steps("act", file.act, document, problems),
        expect=tuple(_expectation(item, number, document) for number, item in enumerate(file.expect) if item),
        outputs=file.outputs,
        gates=file.gates,
        problems=tuple(problems.problems),
        written=document.data,
        removed={way[1]: mark for way, mark in removed.items() if way[0] in ("steps", "act") and way[1:2] == way[1:]},
    )


def _unread(path: Path, problems: Iterable[Problem]) -> Scenario:
    return Scenario(path.stem, "", "", path, Mark(path, 1), problems=tuple(problems))


def _input(name: str, item: InputItem, document: Document, problems: Collector) -> Input:
    required = "default" not in item.model_fields_set
    whole = Input(name, item.type, item.default, required, tuple(item.enum), item.minimum, item.maximum, item.pattern, item.description)
    subject = f"inputs.{name}"
    if not _NAME.fullmatch(name):
        problems.add(subject, f"{name!r} is not a name for an input", "use letters, digits and _", document.mark(("inputs", name)))
    for number, value in enumerate(item.enum):
        if cause := mistake(Input(name, item.type), value):
            problems.add(f"{subject}.enum", cause, "make it fit the type", document.mark(("inputs", name, "enum", number)))
    if not required and (cause := mistake(whole, item.default)):
        problems.add(f"{subject}.default", cause, "give a default that fits", document.mark(("inputs", name, "default")))
    return whole


def _data(written: list[str], document: Document, problems: Collector) -> tuple[DatasetRef, ...]:
    found: dict[str, DatasetRef] = {}
    for number, text in ((number, text) for number, text in enumerate(written) if text):
        mark, match = document.mark(("data", number)), _DATASET.fullmatch(text)
        if match is None:
            problems.add(f"data.{number}", f"{text!r} is not a dataset", "write NAME or NAME@VERSION", mark)
        elif match["name"] in found:
            problems.add(f"data.{number}", f"dataset {match['name']} is named twice", "keep one of them", mark)
        else:
            found[match["name"]] = DatasetRef(match["name"], match["version"], mark)
    return tuple(found.values())


def _expectation(item: QueryItem | HttpItem | EventItem | KeyItem | StubItem, number: int, document: Document) -> Expectation:
    mark = document.mark(("expect", number))
    if isinstance(item, QueryItem):
        return Expectation(
            "query", mark, item.store, query=item.query, parameters=item.with_, equals=item.equals, compares=True, within=item.within
        )
    compares = "equals" in item.model_fields_set
    if isinstance(item, HttpItem):
        return Expectation(
            "http", mark, service=item.http, method=item.method, path=item.path, status=item.status,
            equals=item.equals, compares=compares, within=item.within,
        )  # fmt: skip
    if isinstance(item, EventItem):
        where, least = item.where, item.at_least
        return Expectation("event", mark, item.store or "", subject=item.event, where=where, at_least=least, within=item.within)
    if isinstance(item, StubItem):
        where = item.where.model_dump(exclude_unset=True)
        return Expectation("stub", mark, item.stub, where=where, at_least=item.at_least, count=item.count, within=item.within)
    return Expectation(
        "key", mark, item.store or "", key=item.key, equals=item.equals, exists=item.exists, compares=compares, within=item.within
    )


def _steps(key: str, items: Mapping[str, UseItem | EventuallyItem], document: Document, problems: Collector) -> tuple[Step, ...]:
    for name in items:
        if not ROOT.fullmatch(name):
            cause = f"{name!r} is not a name for a step: nothing could refer to it"
            problems.add(f"{key}.{name}", cause, "use letters, digits, _ and -, and begin with a letter", document.mark((key, name)))
    return tuple(_step(name, item, document.mark((key, name)), document.data[key][name]) for name, item in items.items())


def _step(name: str, item: UseItem | EventuallyItem, mark: Mark, written: Any) -> Step:
    if isinstance(item, UseItem):
        return Step(
            name, mark, item.use, item.with_, item.for_each, item.count, tuple(item.after), through=bool(item.through), written=written
        )
    seen, allowed = item.eventually, {field: tuple(values) for field, values in item.meanwhile.items()}
    watch = Watch(seen.get, seen.path, seen.until, allowed, seen.within)
    return Step(name, mark, after=tuple(item.after), watch=watch, written=written)


def _check_references(file: ScenarioFile, document: Document, removed: Removed, problems: Collector) -> None:
    inputs, steps = _named(document, "inputs"), {**_named(document, "steps"), **_named(document, "act")}
    known: dict[str, Collection[str] | None] = {**dict.fromkeys(steps), "inputs": set(inputs)}
    for place in ("steps", "act", "expect", "outputs"):
        given = _without_queries(document.data.get(place, ()))
        others = dict.fromkeys(reference.root for reference in references(given)) if place in ("steps", "act") else {}  # graph judges them
        for path, written, cause, remedy in unknown(given, {**others, **known}, (place,)):
            subject, mark = f"{'.'.join(map(str, path))} {written}", _taken(written, removed)
            told = ("refers to what is removed here", TAKEN, mark) if mark else (cause, remedy, document.mark(path))
            problems.add(subject, *told)
    for number, item in enumerate(file.expect):
        if isinstance(item, QueryItem):
            _check_query(item, number, document, problems)


def _taken(written: str, removed: Removed) -> Mark | None:
    """Where an overlay takes away what the reference leads to."""
    reference = only(written)
    ways = [(key, reference.root) for key in ("steps", "act")] if reference else []
    ways += [("inputs", str(part)) for part in reference.way[:1]] if reference and reference.root == "inputs" else []
    return next((removed[way] for way in ways if way in removed), None)


def _named(document: Document, place: str) -> dict[str, Any]:
    """What is written in a mapping, be it sound or not: its names are known."""
    written = document.data.get(place)
    return {str(name): item for name, item in written.items()} if isinstance(written, dict) else {}


def _without_queries(value: Any) -> Any:
    """Queries hold parameters, not references; a dollar sign in them is SQL's."""
    if isinstance(value, list):
        return [{key: item for key, item in one.items() if key != "query"} if isinstance(one, dict) else one for one in value]
    return value


def _check_query(item: QueryItem, number: int, document: Document, problems: Collector) -> None:
    subject, mark = f"expect.{number}.query", document.mark(("expect", number, "query"))
    if "${" in item.query:
        problems.add(subject, "a query takes parameters, not references", "write :name in it, and name: ${inputs.NAME} in `with`", mark)
    names = named_parameters(item.query)
    for name in names:
        if name not in {*item.with_, *_named(document, "outputs"), *_named(document, "inputs")}:
            problems.add(subject, f"the parameter :{name} has no value", f"add it: with: {{{name}: ...}}", mark)
    for name in item.with_:
        if name not in names:
            cause = f"the query has no parameter :{name}"
            problems.add(f"expect.{number}.with", cause, nearest(name, names), document.mark(("expect", number, "with", name)))
