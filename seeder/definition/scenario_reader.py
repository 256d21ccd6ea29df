"""Reads scenario files, and says all that is wrong in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seeder.definition.expect_file import ExpectItem
from seeder.definition.expect_reader import Way, check_queries, expectations
from seeder.definition.expectation import Expectation
from seeder.definition.inputs import Input, mistake
from seeder.definition.overlay import TAKEN, Removed, merged
from seeder.definition.references import NAME as OUTPUT
from seeder.definition.references import only, references, unknown
from seeder.definition.scenario import DatasetRef, Scenario
from seeder.definition.scenario_file import REFUSED, InputItem, ScenarioFile, sound
from seeder.definition.step_file import EventsItem, ExpectedItem
from seeder.definition.step_reader import event_types, steps
from seeder.definition.validation import validated
from seeder.definition.variant import MUTATIONS, Mutation
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
    types = event_types(path, [*file.steps.values(), *file.act.values()], problems).of(file.stack)
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
        disabled=tuple(file.caches),
        data=_data(file.data, document, problems),
        steps=steps("steps", file.steps, types, document, problems),
        act=steps("act", file.act, types, document, problems),
        expect=expectations(file.expect, ("expect",), document),
        variants=_variants(file, document, problems),
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


def _check_references(file: ScenarioFile, document: Document, removed: Removed, problems: Collector) -> None:
    for name in file.outputs:
        if not OUTPUT.fullmatch(name):
            remedy = "use letters, digits, _ and -, and begin with a letter"
            problems.add(f"outputs.{name}", f"{name!r} is not a name for an output", remedy, document.mark(("outputs", name)))
    inputs, steps = _named(document, "inputs"), {**_named(document, "steps"), **_named(document, "act")}
    known: dict[str, Collection[str] | None] = {**dict.fromkeys(steps), "inputs": set(inputs)}
    for place in ("steps", "act", "expect", "variants", "outputs"):
        given = _without_queries(document.data.get(place, ()))
        others = dict.fromkeys(reference.root for reference in references(given)) if place in ("steps", "act") else {}  # graph judges them
        for path, written, cause, remedy in unknown(given, {**others, **known}, (place,)):
            subject, mark = f"{'.'.join(map(str, path))} {written}", _taken(written, removed)
            told = ("refers to what is removed here", TAKEN, mark) if mark else (cause, remedy, document.mark(path))
            problems.add(subject, *told)
    outputs = _named(document, "outputs")
    for way, items, named in _expected(file):
        check_queries(items, way, {*inputs, *(outputs if named else ())}, document, problems)


def _taken(written: str, removed: Removed) -> Mark | None:
    """Where an overlay takes away what the reference leads to."""
    reference = only(written)
    ways = [(key, reference.root) for key in ("steps", "act")] if reference else []
    ways += [("inputs", str(part)) for part in reference.way[:1]] if reference and reference.root == "inputs" else []
    return next((removed[way] for way in ways if way in removed), None)


def _expected(file: ScenarioFile) -> Iterator[tuple[Way, Sequence[ExpectItem | None], bool]]:
    """What is expected, and where: by then outputs are known, or (of steps) are not."""
    yield ("expect",), file.expect, True
    yield from ((way, items, True) for _, way, items in _of_variants(file))
    for key, items in (("steps", file.steps), ("act", file.act)):
        yield from (((key, name, "expect"), item.expect, False) for name, item in items.items() if isinstance(item, ExpectedItem))


def _of_variants(file: ScenarioFile) -> Iterator[tuple[tuple[Mutation, str], Way, Sequence[ExpectItem]]]:
    """What is expected of each variant: what went wrong, with which event (empty: with any)."""
    for mutation in MUTATIONS:
        written: list[ExpectItem] | dict[str, list[ExpectItem]] = getattr(file.variants, mutation)
        if mutation in file.variants.model_fields_set:
            by_event = written if isinstance(written, dict) else {"": written}
            yield from (((mutation, event), ("variants", mutation, *filter(None, [event])), items) for event, items in by_event.items())


def _variants(file: ScenarioFile, document: Document, problems: Collector) -> dict[tuple[Mutation, str], tuple[Expectation, ...]]:
    known = [name for item in file.act.values() if isinstance(item, EventsItem) for name in item.events]
    found = dict[tuple[Mutation, str], tuple[Expectation, ...]]()
    for (mutation, event), way, items in _of_variants(file):
        if not known:
            problems.add(".".join(map(str, way)), "no step of `act` publishes events", "publish some: events: {...}", document.mark(way))
        elif event and event not in known:
            problems.add(".".join(map(str, way)), f"no event is called {event}", nearest(event, sorted(known)), document.mark(way))
        found[mutation, event] = expectations(items, way, document)
    return found


def _named(document: Document, place: str) -> dict[str, Any]:
    """What is written in a mapping, be it sound or not: its names are known."""
    written = document.data.get(place)
    return {str(name): item for name, item in written.items()} if isinstance(written, dict) else {}


def _without_queries(value: Any) -> Any:
    """Queries hold parameters, not references; a dollar sign in them is SQL's."""
    if isinstance(value, dict):
        return {key: _without_queries(item) for key, item in value.items() if not (key == "query" and "store" in value)}
    return [_without_queries(item) for item in value] if isinstance(value, list) else value
