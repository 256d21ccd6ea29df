"""Whatever is wrong with a manifest or a scenario is told with its place, its cause and what mends it."""

from __future__ import annotations

import datetime
from typing import NamedTuple

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seeder.check import check_project
from seeder.definition.manifest import find_manifest, read_project, survey_project
from seeder.definition.request import scenario_of
from seeder.definition.scenario_reader import read_scenario
from seeder.errors import DefinitionError

M, S = "manifest.yaml", "testdata/scenarios/ready.yaml"
STACKS = 'stacks:\n  shop:\n    compose: compose.yaml\n    version: "2.3.0"'
HTTP = "- {http: orders,"


class Bad(NamedTuple):
    """`change` in `file` makes the project bad; the problem stands on the first line with `at`, and says `says` and `mends`."""

    file: str
    change: tuple[str, str]
    at: str
    says: str
    mends: str


CASES = {
    "version of the format unquoted": Bad(M, ('seeder: "1"', "seeder: 1"), "seeder: 1", "'1'", ""),
    "format of the future": Bad(M, ('seeder: "1"', 'seeder: "2"'), 'seeder: "2"', "not among '1'", ""),
    "no project": Bad(M, ("project: shop\n", ""), "seeder:", "the key is needed and missing", "add it"),
    "project in capitals": Bad(M, ("project: shop", "project: Shop"), "project:", "'Shop' is not a name", "small letters"),
    "unknown key": Bad(M, ("datasets:", "dataset: []\ndatasets:"), "dataset: []", "no such key", "did you mean 'datasets'?"),
    "repeated key": Bad(M, ("project: shop", "project: shop\nproject: more"), "project: more", "repeated", "keep one"),
    "no stacks": Bad(M, (STACKS, "stacks: {}"), "stacks:", "at least 1", ""),
    "stacks as a list": Bad(M, (STACKS, "stacks: [shop]"), "stacks:", "mapping", ""),
    "stack name with blanks": Bad(M, ("  shop:\n    compose", '  "a shop":\n    compose'), '"a shop"', "is not a name", ""),
    "stack version unquoted": Bad(M, ('version: "2.3.0"', "version: 2.3"), "version: 2.3", "unquoted number", "put it in quotes"),
    "stack version no version": Bad(M, ('version: "2.3.0"', "version: latest"), "version: latest", "'latest' is not a version", "2.3.0"),
    "stack without compose": Bad(M, ("    compose: compose.yaml\n", ""), "shop:\n", "the key is needed and missing", "add it"),
    "compose file absent": Bad(M, ("compose: compose.yaml", "compose: [compose.yml]"), "compose:", "no file compose.yml", "folder"),
    "compose list empty": Bad(M, ("compose: compose.yaml", "compose: []"), "compose:", "names no file", "name a compose file"),
    "default stack unknown": Bad(M, ("  stack: shop", "  stack: shopp"), "stack: shopp", "no stack shopp", "did you mean 'shop'?"),
    "default policy unknown": Bad(M, ("  policy: ci", "  policy: cl"), "policy: cl", "no policy cl", "known: ci"),
    "as_of without zone": Bad(M, ("12:00:00Z", "12:00:00"), "as_of:", "names no time zone", "2026-01-15T12:00:00Z"),
    "as_of no moment": Bad(M, ("2026-01-15T12:00:00Z", "yesterday"), "as_of:", "'yesterday' is not a moment", "2026-01-15T12:00:00Z"),
    "as_of before all time": Bad(M, ("2026-01-15T12:00:00Z", "0001-01-01T00:00:00+05:00"), "as_of:", "is not a moment", ""),
    "seed no number": Bad(M, ("  policy: ci", "  policy: ci\n  seed: many"), "seed:", "valid integer", ""),
    "dataset kind unknown": Bad(M, ("kind: golden", "kind: gold"), "kind:", "'gold' is not among", "golden"),
    "recipe": Bad(M, ("kind: golden", "kind: recipe"), "kind:", "recipes are not supported yet", ""),
    "dataset version unquoted": Bad(M, ('version: "3.2.0"', "version: 3.20"), "version: 3.20", "unquoted number", "put it in quotes"),
    "dataset folder absent": Bad(M, ("golden/checkout", "golden/chekout"), "path:", "no folder testdata/golden/chekout", "folder"),
    "dataset key unknown": Bad(M, ("    requires:", "    require: {}\n    requires:"), "require: {}", "no such key", "'requires'"),
    "loads_at unquoted": Bad(M, ("    requires:", "    loads_at: {orders-db: 0003}\n    requires:"), "loads_at:", "unquoted", "quotes"),
    "revision unquoted": Bad(M, ('orders-db: "0003.."', "orders-db: 0003"), "orders-db:", "unquoted number", "put it in quotes"),
    "range no range": Bad(M, ('">=2.3,<3"', '">=two"'), "requires:", "'two' is not a version", ">=2.3,<3"),
    "privacy unknown": Bad(M, ("    requires:", "    privacy: secret\n    requires:"), "privacy: secret", "not among", "masked"),
    "dataset twice": Bad(
        M,
        ("policies:", '  - {name: checkout, kind: golden, version: "3.2.0", path: testdata/golden/checkout}\npolicies:'),
        "- {name: checkout",
        "stands in line 12 already",
        "another version",
    ),
    "seed without command": Bad(M, ("    requires:", "    seed: {command: []}\n    requires:"), "seed:", "at least 1", ""),
    "seed duration": Bad(M, ("    requires:", "    seed: {command: [a], within: long}\n    requires:"), "seed:", "not a duration", "5s"),
    "policy source unknown": Bad(M, ("[golden, reference]", "[gold]"), "sources:", "'gold' is not among", "golden"),
    "policy rows no number": Bad(M, ("rows: 10_000", "rows: lots"), "rows:", "'lots' is not a whole number", "100_000"),
    "policy age without unit": Bad(M, ("max_age: 7d", "max_age: 7"), "max_age:", "'7' is not a duration", "7d"),
    "scale": Bad(M, ("    max_age: 7d", "    scale: 100"), "scale:", "not supported yet", "remove the key"),
    "not YAML": Bad(M, ("project: shop", "project: [shop"), "defaults:", "not YAML", ""),
    "tab": Bad(M, ("  stack: shop", "\tstack: shop"), "\tstack", "not YAML", "spaces"),
    "scenario key unknown": Bad(S, ("outputs:", "output: {}\noutputs:"), "output: {}", "no such key", "did you mean 'outputs'?"),
    "scenario version unquoted": Bad(S, ('version: "1.0.0"', "version: 1.0"), "version: 1.0", "unquoted number", "put it in quotes"),
    "step without use": Bad(S, ("outputs:", "steps: {a: {with: {}}}\noutputs:"), "steps:", "exactly one of use, eventually", ""),
    "act no mapping": Bad(S, ("outputs:", "act: [a]\noutputs:"), "act:", "a mapping is needed", ""),
    "faults": Bad(S, ("outputs:", "faults: []\noutputs:"), "faults:", "not supported yet", "remove the key"),
    "use": Bad(S, ("outputs:", "use: x\noutputs:"), "use:", "no such key", ""),
    "input type unknown": Bad(S, ("type: integer", "type: int"), "type: int", "'int' is not among", "integer"),
    "default of another type": Bad(S, ("default: 2", "default: two"), "default: two", "'two' is not a whole number", "fits"),
    "default below minimum": Bad(S, ("default: 2", "default: 0"), "default: 0", "below the minimum 1", "fits"),
    "default not in enum": Bad(S, ("default: EU", "default: UK"), "region:", "'UK' is not among EU, US", "fits"),
    "enum of another type": Bad(S, ("[EU, US]", "[EU, 3]"), "region:", "3 is not a text", "fit the type"),
    "minimum of a text": Bad(S, ("enum: [EU, US]", "minimum: 1"), "region:", "minimum and maximum are for numbers", ""),
    "pattern broken": Bad(S, ("enum: [EU, US]", 'pattern: "("'), "region:", "not a regular expression", ""),
    "input name": Bad(S, ("  quantity:", "  a-b: {type: string}\n  quantity:"), "a-b:", "not a name for an input", "letters"),
    "data no dataset": Bad(S, ("[checkout@3.2]", "[checkout@]"), "data:", "'checkout@' is not a dataset", "NAME@VERSION"),
    "data twice": Bad(S, ("[checkout@3.2]", "[checkout, checkout@3.2]"), "data:", "named twice", "keep one"),
    "expect of no form": Bad(S, ("    query:", "    sql:"), "- store: orders-db", "exactly one of query, http, event, key", ""),
    "expect of two forms": Bad(S, ("{http: orders,", "{http: orders, key: a,"), "{http:", "exactly one of", ""),
    "expect without equals": Bad(S, ("    equals: 1\n", ""), "- store:", "needed and missing", "add it"),
    "expect key unknown": Bad(S, ("    equals: 1", "    equal: 1"), "equal: 1", "no such key", "did you mean 'equals'?"),
    "expect duration": Bad(S, ("    equals: 1", "    equals: 1\n    within: 5 seconds"), "within:", "not a duration", "5s"),
    "http path": Bad(S, ('path: "/orders/${inputs.quantity}"', "path: orders"), "{http:", "no path of a service; begin it with /", ""),
    "http method": Bad(S, ("{http: orders,", "{http: orders, method: FETCH,"), "{http:", "'FETCH' is not among", "GET"),
    "http status": Bad(S, ("{http: orders,", "{http: orders, status: 42,"), "{http:", "greater than or equal to 100", ""),
    "key of two minds": Bad(S, (HTTP, "- {key: a, exists: true, equals: b}\n  " + HTTP), "- {key:", "exactly one of equals, exists", ""),
    "event at least none": Bad(S, (HTTP, "- {event: a, at_least: 0}\n  " + HTTP), "- {event:", "greater than or equal to 1", ""),
    "reference unknown": Bad(S, ("${inputs.region}", "${inputs.regoin}"), "region: $", "no input 'regoin'", "did you mean 'region'?"),
    "reference to a step": Bad(S, ("${inputs.region}", "${customer.id}"), "region: $", "only ${inputs.NAME}", "$$"),
    "reference left open": Bad(S, ("${inputs.region}", "${inputs.region"), "region: $", "not closed", "$$"),
    "reference in a query": Bad(S, ("= :region", "= '${inputs.region}'"), "query:", "takes parameters, not references", ":name"),
    "parameter without value": Bad(S, ("= :region", "= :regions"), "query:", "parameter :regions has no value", "with:"),
    "value without parameter": Bad(S, ("    equals: 1", "    with: {regio: EU}\n    equals: 1"), "with:", "no parameter :regio", "region"),
}  # fmt: skip


def _line(text: str, at: str) -> int:
    return text[: text.index(at)].count("\n") + 1


@pytest.mark.parametrize("name", CASES)
def test_a_bad_project_is_told_where_why_and_what_mends_it(shop, name):
    bad = CASES[name]
    folder = shop({bad.file: bad.change})
    _, found = survey_project(folder / M)
    text = (folder / bad.file).read_text()
    line = _line(text, bad.at)
    said = [p for p in found if bad.says in p.cause]
    assert said, found
    assert (said[0].mark.file, said[0].mark.line) == (folder / bad.file, line), found
    assert bad.mends in f"{said[0].cause} {said[0].remedy}"


def test_the_sound_project_is_read(shop):
    """Without which the table above would prove nothing."""
    manifest = read_project(shop() / M)
    assert (list(manifest.datasets), list(manifest.scenarios)) == (["checkout"], ["ready"])


def test_all_problems_of_all_files_come_at_once_in_the_order_of_their_places(shop):
    folder = shop({M: ("kind: golden", "kind: gold\n    wrong: 1"), S: ("stack: shop", "stack: 3")})
    with pytest.raises(DefinitionError) as found:
        read_project(folder / M)
    assert [(p.mark.file.name, p.mark.line) for p in found.value.problems] == [(M, 13), (M, 14), ("ready.yaml", 3)]


def test_two_scenarios_of_one_name_and_a_foreign_ending_are_told(shop):
    folder = shop(
        {"testdata/scenarios/second.yaml": 'scenario: ready\nversion: "1"\nstack: shop\n', "testdata/scenarios/third.yml": "a: 1"}
    )
    manifest = read_project(folder / M)
    for name, told in (("ready", "ready.yaml holds a scenario of this name already"), ("third", "rename it to third.yaml")):
        with pytest.raises(DefinitionError, match=told):
            scenario_of(manifest, name)


def test_a_scenario_with_mistakes_is_told_whole_and_stops_only_who_asks_for_it(shop):
    """A key that is none, a dataset that is none, a reference to no input, a parameter without value, a store that is none: at once."""
    text = """scenario: broken
version: 1
stack: shop
wrong: 1
inputs:
  region: {type: strin}
data: [checkout@3.2, "a b", nobody]
expect:
  - {store: orders-db, query: "select :region, :nobody", equals: 1}
  - {store: nowhere, query: "select 1", equals: 1}
  - {http: web}
outputs: {region: "${inputs.regio}"}
"""
    folder = shop({"testdata/scenarios/broken.yaml": text})
    manifest = read_project(folder / M)
    assert not manifest.scenarios["ready"].problems
    with pytest.raises(DefinitionError) as found:
        scenario_of(manifest, "broken")
    told = [(p.mark.line, p.subject) for p in found.value.problems]
    assert told == [
        (2, "version"), (4, "wrong"), (6, "inputs.region.type"), (7, "data.1"), (9, "expect.0.query"), (11, "expect.2.path"),
        (12, "outputs.region ${inputs.regio}"),
    ]  # fmt: skip
    now = datetime.datetime(2026, 1, 15, tzinfo=datetime.UTC)
    everything = {p.cause for p in check_project(folder, {}, now).errors}
    assert {p.cause for p in found.value.problems} < everything
    assert {"the manifest knows no dataset nobody", "stack shop has no store nowhere"} <= everything


def test_a_manifest_is_found_from_below_and_missed_with_the_remedy(shop, tmp_path):
    folder = shop()
    assert find_manifest(folder / "testdata" / "golden") == folder / M
    assert find_manifest(folder / M) == folder / M
    (tmp_path / "link").symlink_to(folder)
    for way in (folder / "testdata" / "..", tmp_path / "link", tmp_path / "link" / M):
        assert find_manifest(way) == folder / M  # one project, however it is written
    with pytest.raises(DefinitionError, match="seeder init"):
        find_manifest(tmp_path.parent)
    with pytest.raises(DefinitionError, match="no such folder"):
        find_manifest(folder / "nowhere")


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
KEYS = st.sampled_from(
    ["seeder", "project", "stacks", "datasets", "policies", "defaults", "scenario", "version", "stack", "inputs", "data"]
)
MORE = st.sampled_from(
    ["expect", "outputs", "gates", "shop", "compose", "name", "kind", "path", "requires", "type", "query", "http", "equals", "steps"]
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(["1", "shop", "${inputs.x}", "golden"])
)
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | MORE, inner, max_size=5), max_leaves=20)


def _check_only_definition_errors(path) -> None:
    problems = list(read_scenario(path).problems)
    try:
        read_project(path)
    except DefinitionError as error:
        problems += error.problems
    assert all(problem.cause for problem in problems)


@FUZZ
@given(content=st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_but_definition_errors(tmp_path, content):
    path = tmp_path / M
    path.write_bytes(content)
    _check_only_definition_errors(path)


@FUZZ
@given(tree=st.dictionaries(KEYS, TREES, max_size=8))
def test_arbitrary_trees_raise_nothing_but_definition_errors(tmp_path, tree):
    path = tmp_path / M
    path.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8", errors="replace")
    _check_only_definition_errors(path)
