"""Sixty broken scenarios: whatever is wrong with a file is told at once, each with its file, its line and what mends it."""
# ruff: noqa: E501  (a case a line reads better)

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from seeder import check
from seeder.errors import Problem
from tests.unit.test_uses import GENERATORS, NOW, SMALL, WRITTEN, write

MORE = """
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from pydantic import Field

@generator("books.shelve", version="1", owner="books-team")
def shelve(ctx: Context, *, note: Annotated[int, Field(ge=0)], shelf: Literal["top", "low"] = "low") -> Note:
    return Note(note, shelf)

@generator("books.sell", version="1", owner="books-team")
def sell(ctx: Context, *, price: Decimal, when: datetime = datetime(2026, 1, 1)) -> Note:
    return Note(1, "")

@generator("books.lend", version="1", owner="books-team")
def lend(ctx: Context, *, note_id: int) -> Note:
    return Note(note_id, "")
"""
DATASETS = """\
  - {name: notes, kind: golden, version: "1.1.0", path: testdata/golden/notes}
  - {name: late, kind: golden, version: "1.0.0", path: testdata/golden/notes, requires: {stack: ">=2"}}
  - {name: incident, kind: fixture, version: "1.0.0", path: testdata/golden/notes}
"""
# beside the one that is broken
OTHERS = {
    "written": WRITTEN,
    "needy": 'inputs: {name: {type: string}}\nsteps: {a: {use: notes.write, with: {body: "${inputs.name}"}}}\n',
    "older": "data: [notes@1.0]\n",
    "circle": "steps: {x: {use: scenario/s}}\n",
}
# what is written -> file, line, cause (its beginning) and remedy of each problem
CACHES = "cache.expire, cache.invalidate, cache.stale, cache.ttl, cache.warm"
BROKEN: dict[str, tuple[str, list[tuple[str, int, str, str]]]] = {
    "a cycle of two": (
        'steps:\n  a: {use: notes.write, with: {after: "${b.id}"}}\n  b: {use: notes.write, with: {after: "${a.id}"}}\n',
        [("s.yaml", 5, "steps form a cycle: a -> b -> a", "remove one of these edges")],
    ),
    "a cycle of one": (
        'steps:\n  a: {use: notes.write, with: {after: "${a.id}"}}\n',
        [("s.yaml", 5, "steps form a cycle: a -> a", "remove one of these edges")],
    ),
    "a cycle of three by after": (
        "steps:\n  a: {use: notes.write, after: [b]}\n  b: {use: notes.write, after: [c]}\n  c: {use: notes.write, after: [a]}\n",
        [("s.yaml", 5, "steps form a cycle: a -> b -> c -> a", "remove one of these edges")],
    ),
    "a cycle in act": (
        'act:\n  a: {use: notes.write, after: [b]}\n  b: {use: notes.write, with: {after: "${a.id}"}}\n',
        [("s.yaml", 5, "steps form a cycle: a -> b -> a", "remove one of these edges")],
    ),
    "a cycle through a list": (
        'steps:\n  a: {use: notes.write, for_each: "${b[*].id}"}\n  b: {use: notes.write, count: 2, with: {after: "${a[0].id}"}}\n',
        [("s.yaml", 5, "steps form a cycle: a -> b -> a", "remove one of these edges")],
    ),
    "a cycle through a scenario": (
        'steps:\n  base: {use: scenario/written, with: {body: "${a.body}"}}\n  a: {use: notes.write, with: {after: "${base.note}"}}\n',
        [("s.yaml", 6, "steps form a cycle: a -> base -> a", "remove one of these edges")],
    ),
    "a text for a number": (
        'steps:\n  a: {use: notes.write}\n  b: {use: notes.write, with: {after: "${a.body}"}}\n',
        [("s.yaml", 6, "it gives a text, and a whole number is needed", "refer to something else, or change what gives it")],
    ),
    "a number for a text": (
        'steps:\n  a: {use: notes.write}\n  b: {use: notes.write, with: {body: "${a.id}"}}\n',
        [("s.yaml", 6, "it gives a whole number, and a text is needed", "refer to something else, or change what gives it")],
    ),
    "a literal of another type": (
        "steps:\n  a:\n    use: notes.write\n    with:\n      after: soon\n",
        [("s.yaml", 8, "'soon' is not of type 'integer'", "`seeder generator show notes.write` tells what it takes")],
    ),
    "texts of another form": (
        "steps:\n  a: {use: books.sell, with: {price: abc, when: yesterday}}\n  b: {use: books.sell, with: {price: '9.90', when: '2026-01-15'}}\n",
        [
            ("s.yaml", 5, "'abc' is not a decimal number", "`seeder generator show books.sell` tells what it takes"),
            (
                "s.yaml",
                5,
                "'yesterday' is not a moment such as 2026-01-15T12:00:00Z",
                "`seeder generator show books.sell` tells what it takes",
            ),
        ],
    ),
    "one of a list beyond its end": (
        'steps:\n  a: {use: notes.write, count: 2}\n  b: {use: notes.write, with: {body: "${a[5].body}"}}\n',
        [("s.yaml", 6, "a gives 2, and no [5]", "they are counted from 0, and the last one is [1]")],
    ),
    "one of a list of lists beyond its end": (
        'steps:\n  a: {use: notes.write, for_each: [x, y], count: 2}\n  b: {use: notes.write, with: {body: "${a[3].body} ${a[4].body}"}}\n',
        [("s.yaml", 6, "a gives 4, and no [4]", "they are counted from 0, and the last one is [3]")],
    ),
    "a count below none": (
        "steps:\n  a: {use: notes.write, count: -1}\n",
        [("s.yaml", 5, "count is a whole number from 0, or one reference to one, and -1 is neither", "")],
    ),
    "what a cache is told": (
        "act:\n  a: {use: cache.warm, with: {service: wbe, paths: [/], keys: 'price:*'}}\n  b: {use: cache.warm, with: {service: db, paths: [/]}}\n  c: {use: cache.ttl, with: {keys: [a, b], left: soon, store: cash}}\n  d: {use: cache.expire, with: {keys: 3}}\n",
        [
            ("s.yaml", 5, "stack small has no service wbe", "did you mean 'web'?"),
            ("s.yaml", 6, "db is a store (postgres), and answers no HTTP", "known: web"),
            (
                "s.yaml",
                7,
                "'soon' is not a duration such as 500ms, 5s, 2m, 24h or 7d",
                "`seeder generator show cache.ttl` tells what it takes",
            ),
            ("s.yaml", 7, "stack small has no store cash", "did you mean 'cache'?"),
            ("s.yaml", 8, "3 is not a list or a text", "`seeder generator show cache.expire` tells what it takes"),
        ],
    ),
    "an output of two words": (
        'outputs:\n  "bad name": 1\n',
        [("s.yaml", 5, "'bad name' is not a name for an output", "use letters, digits, _ and -, and begin with a letter")],
    ),
    "a literal that is not among": (
        "steps:\n  a: {use: books.shelve, with: {note: 1, shelf: upper}}\n",
        [("s.yaml", 5, "'upper' is not one of ['top', 'low']", "`seeder generator show books.shelve` tells what it takes")],
    ),
    "a literal below the least": (
        "steps:\n  a: {use: books.shelve, with: {note: -1}}\n",
        [("s.yaml", 5, "-1 is less than the minimum of 0", "`seeder generator show books.shelve` tells what it takes")],
    ),
    "a list for a number": (
        'steps:\n  a: {use: notes.write, count: 2}\n  b: {use: books.bind, with: {note: "${a[*].id}"}}\n',
        [("s.yaml", 6, "it gives a list, and a whole number is needed", "refer to something else, or change what gives it")],
    ),
    "one of a list": (
        'steps:\n  a: {use: notes.write, count: 2}\n  b: {use: books.bind, with: {note: "${a.id}"}}\n',
        [("s.yaml", 6, "a gives no id", "it is a list: write a[0].id, or [*]")],
    ),
    "for_each of a number": (
        'steps:\n  a: {use: notes.write}\n  b: {use: notes.write, for_each: "${a.id}"}\n',
        [("s.yaml", 6, "it gives a whole number, and a list is needed", "refer to a list, or write one")],
    ),
    "count of a text": (
        'steps:\n  a: {use: notes.write}\n  b: {use: notes.write, count: "${a.body}"}\n',
        [("s.yaml", 6, "it gives a text, and a whole number is needed", "refer to a whole number, or write one")],
    ),
    "a member of another type": (
        'steps:\n  a: {use: notes.write, for_each: [one, two], with: {after: "${each}"}}\n',
        [("s.yaml", 5, "it gives a text, and a whole number is needed", "refer to something else, or change what gives it")],
    ),
    "an input of another type": (
        'inputs: {colour: {type: string, default: red}}\nsteps:\n  a: {use: notes.write, with: {after: "${inputs.colour}"}}\n',
        [("s.yaml", 6, "it gives a text, and a whole number is needed", "refer to something else, or change what gives it")],
    ),
    "a scenario's input of another type": (
        "steps:\n  base: {use: scenario/written, with: {many: lots}}\n",
        [("s.yaml", 5, "'lots' is not of type 'integer'", "`seeder scenario show written` tells what it takes")],
    ),
    "a scenario's input above the most": (
        "steps:\n  base: {use: scenario/written, with: {many: 4}}\n",
        [("s.yaml", 5, "4 is greater than the maximum of 3", "`seeder scenario show written` tells what it takes")],
    ),
    "a scenario's input that does not match": (
        "steps:\n  base: {use: scenario/written, with: {body: HELLO}}\n",
        [("s.yaml", 5, "'HELLO' does not match '^[a-z]+$'", "`seeder scenario show written` tells what it takes")],
    ),
    "a scenario's output of another type": (
        'steps:\n  base: {use: scenario/written}\n  b: {use: notes.write, with: {body: "${base.note}"}}\n',
        [("s.yaml", 6, "it gives a whole number, and a text is needed", "refer to something else, or change what gives it")],
    ),
    "a default of another type": (
        "inputs:\n  many: {type: integer, default: lots}\n",
        [("s.yaml", 5, "'lots' is not a whole number", "give a default that fits")],
    ),
    "an unknown capability": (
        "steps:\n  a: {use: notes.wriet}\n",
        [("s.yaml", 5, "there is no capability notes.wriet", "did you mean 'notes.write'?")],
    ),
    "an unknown domain": (
        "act:\n  a: {use: letters.send}\n",
        [
            (
                "s.yaml",
                5,
                "there is no capability letters.send",
                f"known: books.bind, books.lend, books.sell, books.shelve, {CACHES}, notes.write",
            )
        ],
    ),
    "an unknown step": (
        'steps:\n  first: {use: notes.write}\n  b: {use: notes.write, with: {after: "${frist.id}"}}\n',
        [("s.yaml", 6, "there is no step frist", "did you mean 'first'?")],
    ),
    "an unknown step in after": (
        "steps:\n  first: {use: notes.write}\n  b: {use: notes.write, after: [frist]}\n",
        [("s.yaml", 6, "there is no step frist", "did you mean 'first'?")],
    ),
    "an unknown output": (
        'steps:\n  a: {use: notes.write}\n  b: {use: notes.write, with: {after: "${a.idd}"}}\n',
        [("s.yaml", 6, "a gives no idd", "did you mean 'id'?")],
    ),
    "an unknown output that is told": (
        'steps:\n  a: {use: notes.write}\noutputs:\n  x: "${a.bdy}"\n',
        [("s.yaml", 7, "a gives no bdy", "did you mean 'body'?")],
    ),
    "an unknown output that is expected": (
        'steps:\n  a: {use: notes.write}\nexpect:\n  - {http: web, path: "/${a.bdy}"}\n',
        [("s.yaml", 7, "a gives no bdy", "did you mean 'body'?")],
    ),
    "an unknown input": (
        'inputs: {colour: {type: string, default: red}}\nsteps:\n  a: {use: notes.write, with: {body: "${inputs.color}"}}\n',
        [("s.yaml", 6, "the scenario has no input 'color'", "did you mean 'colour'?")],
    ),
    "an unknown key of a step": (
        "steps:\n  a: {use: notes.write, wiht: {}}\n",
        [("s.yaml", 5, "there is no such key here", "did you mean 'with'?")],
    ),
    "an unknown key": (
        "stpes:\n  a: {use: notes.write}\n",
        [("s.yaml", 4, "there is no such key here", "did you mean 'steps'?")],
    ),
    "an unknown service": (
        "act:\n  a: {eventually: {get: wbe, path: /, until: {a: 1}}}\n",
        [("s.yaml", 5, "stack small has no service wbe", "did you mean 'web'?")],
    ),
    "a store that is waited for": (
        "act:\n  a: {eventually: {get: db, path: /, until: {a: 1}}}\n",
        [("s.yaml", 5, "db is a store (postgres), and answers no HTTP", "known: web")],
    ),
    "a store that is expected to answer": (
        "expect:\n  - {http: cache, path: /}\n",
        [("s.yaml", 5, "cache is a store (redis), and answers no HTTP", "known: web")],
    ),
    "an unknown store": (
        'expect:\n  - {store: dbb, query: "select 1", equals: 1}\n',
        [("s.yaml", 5, "stack small has no store dbb", "did you mean 'db'?")],
    ),
    "an unknown scenario": (
        "steps:\n  base: {use: scenario/writen}\n",
        [("s.yaml", 5, "there is no scenario writen", "did you mean 'written'?")],
    ),
    "an unknown output of a scenario": (
        'steps:\n  base: {use: scenario/written}\n  b: {use: books.bind, with: {note: "${base.nte}"}}\n',
        [("s.yaml", 6, "base gives no nte", "did you mean 'note'?")],
    ),
    "an unknown input of a scenario": (
        "steps:\n  base: {use: scenario/written, with: {bdy: x}}\n",
        [("s.yaml", 5, "scenario/written takes no bdy", "did you mean 'body'?")],
    ),
    "an unknown dataset": (
        "data: [kindz]\n",
        [("s.yaml", 4, "the manifest knows no dataset kindz", "did you mean 'kinds'?")],
    ),
    "an unknown with": (
        "steps:\n  a: {use: notes.write, with: {bdy: x}}\n",
        [("s.yaml", 5, "notes.write of notes-team takes no bdy", "did you mean 'body'?")],
    ),
    "a missing input of a capability": (
        "steps:\n  a: {use: books.bind}\n",
        [("s.yaml", 5, "books.bind of books-team needs note", "add note: ...")],
    ),
    "a missing input of a scenario": (
        "steps:\n  base: {use: scenario/needy}\n",
        [("s.yaml", 5, "scenario/needy needs name", "add name: ...")],
    ),
    "a missing list": (
        'steps:\n  a: {use: notes.write, with: {body: "${each}"}}\n',
        [("s.yaml", 5, "${each} has a meaning only with for_each", "add it, or refer to a step")],
    ),
    "a missing index": (
        'steps:\n  a: {use: notes.write, with: {body: "nr ${index}"}}\n',
        [("s.yaml", 5, "${index} has a meaning only with for_each or count", "add it, or refer to a step")],
    ),
    "a missing brace": (
        'steps:\n  a: {use: notes.write, with: {body: "${inputs.x"}}\n',
        [("s.yaml", 5, "the reference is not closed; write a dollar sign as $$", "close it: ${...}")],
    ),
    "a missing value of a query": (
        'expect:\n  - {store: db, query: "select :a", equals: 1}\n',
        [("s.yaml", 5, "the parameter :a has no value", "add it: with: {a: ...}")],
    ),
    "what is only acted": (
        "steps:\n  a: {use: notes.write, after: [b]}\nact:\n  b: {use: notes.write}\n",
        [("s.yaml", 5, "needs b, which is done in `act`, after all steps", "move a to `act`, or b to `steps`")],
    ),
    "what a scenario gives once it acted": (
        'steps:\n  base: {use: scenario/written}\n  b: {use: books.bind, with: {note: "${base.last}"}}\n',
        [
            (
                "s.yaml",
                6,
                "base gives last only once it has acted (last), which is no part of its state",
                "move what makes it to `steps` of that scenario, or do it here",
            )
        ],
    ),
    "a version that is not there": (
        "data: [notes@2]\n",
        [("s.yaml", 4, "the manifest knows no version 2 of notes", "known: 1.1.0, 1.0.0")],
    ),
    "versions that do not agree": (
        "data: [notes@1.1]\nsteps:\n  base: {use: scenario/older}\n",
        [
            (
                "s.yaml",
                4,
                "an environment holds one version of notes, and scenario older notes@1.0",
                "name one version that all of them take",
            )
        ],
    ),
    "a version that the stack does not fit": (
        "data: [late]\n",
        [("manifest.yaml", 11, "stack small is 1.0.0", "use another version of the dataset, or change `requires`")],
    ),
    "data that no policy allows": (
        "data: [incident]\n",
        [
            ("manifest.yaml", 12, "is fixture data; policy ci allows reference, config, golden", "use another dataset, or another policy"),
            (
                "manifest.yaml",
                12,
                "counts as raw, for it declares no privacy; policy ci asks for no-pii",
                "mask it and declare `privacy: no-pii`, or use another dataset",
            ),
        ],
    ),
    "data of a used scenario that no policy allows": (
        "steps:\n  base: {use: scenario/stolen}\n",
        [
            ("manifest.yaml", 12, "is fixture data; policy ci allows reference, config, golden", "use another dataset, or another policy"),
            (
                "manifest.yaml",
                12,
                "counts as raw, for it declares no privacy; policy ci asks for no-pii",
                "mask it and declare `privacy: no-pii`, or use another dataset",
            ),
        ],
    ),
    "scenarios that use each other": (
        "steps:\n  base: {use: scenario/circle}\n",
        [("circle.yaml", 4, "scenarios use each other: circle -> s -> circle", "make one of them without the other")],
    ),
    "a scenario that uses itself": (
        "steps:\n  base: {use: scenario/s}\n",
        [("s.yaml", 5, "scenarios use each other: s -> s", "make one of them without the other")],
    ),
    "a scenario of another stack": (
        "steps:\n  base: {use: scenario/elsewhere}\n",
        [("s.yaml", 5, "scenario elsewhere is for stack other, and s for small", "use one for the same stack")],
    ),
    "a scenario so many times": (
        "steps:\n  base: {use: scenario/written, count: 2}\n",
        [("s.yaml", 5, "scenario written is used once: a state is there, or it is not", "repeat steps that use capabilities")],
    ),
    "a state twice": (
        "steps:\n  one: {use: scenario/written}\n  two: {use: scenario/written}\n",
        [
            (
                "s.yaml",
                6,
                "asks for the same state as one, scenario written with the same inputs, and that is there once",
                "refer to one, or give it other inputs",
            )
        ],
    ),
    "a name that has a meaning": (
        "steps:\n  inputs: {use: notes.write}\n",
        [("s.yaml", 5, "inputs has a meaning of its own in references", "rename it")],
    ),
    "a name twice": (
        "steps:\n  a: {use: notes.write}\nact:\n  a: {use: notes.write}\n",
        [("s.yaml", 7, "a step of `steps` has this name", "rename one of them")],
    ),
    "a name of two words": (
        'steps:\n  "a b": {use: notes.write}\n',
        [
            (
                "s.yaml",
                5,
                "'a b' is not a name for a step: nothing could refer to it",
                "use letters, digits, _ and -, and begin with a letter",
            )
        ],
    ),
    "a key twice": (
        "steps:\n  a: {use: notes.write}\n  a: {use: notes.write}\n",
        [("s.yaml", 6, "the key is repeated; it stands in line 5 already", "keep one of them")],
    ),
    "a step of no form": (
        "steps:\n  a: {with: {}}\n",
        [("s.yaml", 5, "is a mapping with exactly one of use, eventually, events, expect", "write one of them")],
    ),
    "everything at once": (
        'steps:\n  a: {use: notes.wriet}\n  b: {use: notes.write, with: {after: soon, bdy: x}}\n  c: {use: scenario/writen, after: [d]}\noutputs: {x: "${b.none}"}\n',
        [
            ("s.yaml", 5, "there is no capability notes.wriet", "did you mean 'notes.write'?"),
            ("s.yaml", 6, "notes.write of notes-team takes no bdy", "did you mean 'body'?"),
            ("s.yaml", 6, "'soon' is not of type 'integer'", "`seeder generator show notes.write` tells what it takes"),
            ("s.yaml", 7, "there is no scenario writen", "did you mean 'written'?"),
            ("s.yaml", 7, "there is no step d", "known: a, b"),
            ("s.yaml", 8, "b gives no none", "known: body, id"),
        ],
    ),
    "a literal key": (
        "steps:\n  a:\n    use: books.lend\n    with: {note_id: 17}\n",
        [
            (
                "s.yaml",
                7,
                "17 is written where an id is wanted, and no dataset of the scenario can hold it",
                "let a step make it (notes.write), and refer to that: ${STEP.id}",
            )
        ],
    ),
    "a literal key in act": (
        "data: [kinds]\nact:\n  a: {use: books.lend, with: {note_id: 17}}\n",
        [
            (
                "s.yaml",
                6,
                "17 is written where an id is wanted, and no dataset of the scenario can hold it",
                "let a step make it (notes.write), and refer to that: ${STEP.id}",
            )
        ],
    ),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = shutil.copytree(SMALL, tmp_path_factory.mktemp("broken") / "small")
    (at / "generators").mkdir()
    (at / "generators/notes.py").write_text(GENERATORS + MORE)
    manifest = (at / "manifest.yaml").read_text()
    manifest = manifest.replace("policies:", f"{DATASETS}policies:")
    (at / "manifest.yaml").write_text(
        manifest.replace('version: "1.0.0"}\ndatasets', 'version: "1.0.0"}\n  other: {compose: [compose.yaml], version: "1.0.0"}\ndatasets')
    )
    for name, text in OTHERS.items():
        write(at / "testdata/scenarios", name, text)
    write(at / "testdata/scenarios", "elsewhere", "steps: {a: {use: notes.write}}\n")
    elsewhere = at / "testdata/scenarios/elsewhere.yaml"
    elsewhere.write_text(elsewhere.read_text().replace("stack: small", "stack: other"))
    write(at / "testdata/scenarios", "s", "steps: {a: {use: notes.write}}\n")
    return at


def found(project: Path, text: str) -> list[Problem]:
    """What is told of the scenario, and of nothing else: the project around it is sound but for what it asks of policies."""
    write(project / "testdata/scenarios", "s", text)
    stolen = project / "testdata/scenarios/stolen.yaml"
    stolen.unlink(missing_ok=True)
    if "scenario/stolen" in text:
        write(stolen.parent, "stolen", "data: [incident]\n")
    findings = check.check_project(project, {}, NOW)
    return [*findings.errors, *(one for one in findings.hints if "is written where" in one.cause)]


def test_there_are_sixty_of_them() -> None:
    assert len(BROKEN) >= 60


@pytest.mark.parametrize("name", BROKEN)
def test_all_that_is_wrong_is_told_with_its_line_and_what_mends_it(project: Path, name: str) -> None:
    text, expected = BROKEN[name]
    told = [(one.mark.file.name, one.mark.line, one.cause, one.remedy) for one in found(project, text) if one.mark]
    assert [(file, line, remedy) for file, line, _, remedy in told] == [(file, line, remedy) for file, line, _, remedy in expected], told
    assert all(cause.startswith(wanted) for (_, _, cause, _), (_, _, wanted, _) in zip(told, expected, strict=True)), told


def test_a_literal_key_in_a_dataset_that_no_row_has_is_a_hint_with_its_line(project: Path, tmp_path: Path) -> None:
    at = shutil.copytree(project, tmp_path / "small")
    compose = at / "compose.yaml"
    compose.write_text(f"{compose.read_text()}x-seeder: {{references: [db.notes.kind -> db.kinds.code]}}\n")
    write(at / "testdata/scenarios", "s", "data: [kinds, notes]\n")
    assert not [one for one in check.check_project(at, {}, NOW).hints if "stands in no row" in one.cause]
    notes = at / "testdata/golden/notes/db/notes.csv"
    notes.write_text(notes.read_text().replace("idea", "ideal"))
    (hint,) = [one for one in check.check_project(at, {}, NOW).hints if "stands in no row" in one.cause]
    assert (hint.subject, hint.cause) == ("notes@1.1.0", "kind ideal stands in no row of db.kinds.code that is loaded with it")
    assert hint.mark
    assert (hint.mark.file.name, hint.mark.line) == ("notes.csv", 2)
