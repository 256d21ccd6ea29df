"""The graph of a scenario's steps: what is wrong with it is told all at once, with the line and what mends it."""
# ruff: noqa: E501  (a case a line reads better)

from __future__ import annotations

from pathlib import Path

import pytest

from seeder.definition.scenario import Scenario
from seeder.definition.scenario_reader import read_scenario
from seeder.definition.stack import Stack
from seeder.definition.step import Step
from seeder.errors import Collector, Mark
from seeder.graph import edges
from seeder.passed.capability import Capability
from seeder.promises import shape
from seeder.steps.perform import _members
from tests.conftest import DATA
from tests.fakes.world import read

SMALL = DATA / "small/compose.yaml"
HEAD = 'scenario: s\nversion: "1"\nstack: small\ninputs:\n  region: {type: string, enum: [EU, US], default: EU}\n  many: {type: integer, default: 2}\n'


def capability(name: str, inputs: dict[str, object], outputs: dict[str, object], *required: str) -> Capability:
    shape = {"type": "object", "properties": inputs, "required": list(required), "additionalProperties": False}
    made = {"type": "object", "properties": outputs, "additionalProperties": False}
    return Capability(name, "1", "a-team", shape, made, Mark(Path("generators/a.py"), 3))


CUSTOMER = {"id": {"type": "integer"}, "email": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}}
KNOWN = {
    one.name: one
    for one in (
        capability("customers.create", {"region": {"enum": ["EU", "US"]}, "status": {"type": "string"}}, CUSTOMER),
        capability("orders.place", {"customer": {"type": "integer"}, "note": {"type": "string"}}, {"id": {"type": "integer"}}, "customer"),
    )
}


@pytest.fixture(scope="module")
def stack() -> Stack:
    return read(SMALL)


def written(tmp_path: Path, text: str) -> tuple[Scenario | None, Collector]:
    path, problems = tmp_path / "s.yaml", Collector()
    path.write_text(HEAD + text)
    found = read_scenario(path)
    problems.problems += found.problems
    return found, problems


C = "customer: {use: customers.create}"
# fmt: off
GOOD = {
    "one step": f"steps:\n  {C}\n",
    "a reference": f'steps:\n  {C}\n  order: {{use: orders.place, with: {{customer: "${{customer.id}}"}}}}\n',
    "inputs": 'steps:\n  customer: {use: customers.create, with: {region: "${inputs.region}"}}\n',
    "for each": 'steps:\n  all: {use: customers.create, for_each: [EU, US], with: {region: "${each}"}}\noutputs: {ids: "${all[*].id}"}\n',
    "each of another": f'steps:\n  {C}\n  all: {{use: customers.create, for_each: "${{customer.tags}}", with: {{status: "${{each}}"}}}}\n',
    "count": 'steps:\n  all: {use: customers.create, count: "${inputs.many}", with: {status: "n ${index}"}}\n',
    "so many of each": 'steps:\n  all: {use: customers.create, for_each: [EU, US], count: 3, with: {region: "${each}", status: "n ${index}"}}\n',
    "act on steps": f'steps:\n  {C}\nact:\n  order: {{use: orders.place, with: {{customer: "${{customer.id}}"}}}}\noutputs: {{o: "${{order.id}}"}}\n',
    "after": f"steps:\n  {C}\n  other: {{use: customers.create, after: [customer]}}\n",
    "a text of several": f'steps:\n  {C}\n  b: {{use: customers.create, with: {{status: "${{customer.id}} of ${{inputs.region}}"}}}}\n',
    "a watch": f'steps:\n  {C}\nact:\n  seen: {{eventually: {{get: web, path: "/c/${{customer.id}}", until: {{status: ready}}}}}}\n',
}
# fmt: on


@pytest.mark.parametrize("name", GOOD)
def test_a_sound_graph_has_no_problems(tmp_path: Path, stack: Stack, name: str) -> None:
    scenario, problems = written(tmp_path, GOOD[name])
    assert problems.problems == []
    assert scenario
    assert edges.problems(scenario, stack, KNOWN) == []


# fmt: off
# name -> (file, line that is told, cause, remedy)
BAD: dict[str, tuple[str, int, str, str]] = {
    "cycle": (
        'steps:\n  a: {use: orders.place, with: {customer: "${b.id}"}}\n  b: {use: orders.place, with: {customer: "${a.id}"}}\n',
        8, "steps form a cycle: a -> b -> a", "remove one of these edges",
    ),
    "cycle of one": ('steps:\n  a: {use: orders.place, with: {customer: "${a.id}"}}\n', 8, "cycle: a -> a", "remove"),
    "cycle by after": (
        "steps:\n  a: {use: customers.create, after: [b]}\n  b: {use: customers.create, after: [c]}\n  c: {use: customers.create, after: [a]}\n",
        8, "a -> b -> c -> a", "remove",
    ),
    "unknown capability": ("steps:\n  a: {use: customers.creat}\n", 8, "no capability customers.creat", "did you mean 'customers.create'?"),
    "unknown step": ('steps:\n  a: {use: orders.place, with: {customer: "${customr.id}"}}\n  customer: {use: customers.create}\n',
        8, "there is no step customr", "did you mean 'customer'?"),
    "unknown after": ("steps:\n  a: {use: customers.create, after: [bb]}\n  b: {use: customers.create}\n", 8, "no step bb", "'b'"),
    "unknown output": (f'steps:\n  {C}\n  o: {{use: orders.place, with: {{customer: "${{customer.idd}}"}}}}\n', 9, "customer gives no idd", "'id'"),
    "unknown output told": (f'steps:\n  {C}\noutputs: {{x: "${{customer.mail}}"}}\n', 9, "customer gives no mail", "email"),
    "a text for a number": (f'steps:\n  {C}\n  o: {{use: orders.place, with: {{customer: "${{customer.email}}"}}}}\n',
        9, "it gives a text, and a whole number is needed", "refer to something else"),
    "an input of another type": ('steps:\n  o: {use: orders.place, with: {customer: "${inputs.region}"}}\n', 8, "it gives a text", "refer to"),
    "a literal of another type": ("steps:\n  o: {use: orders.place, with: {customer: five}}\n", 8, "'five' is not of type 'integer'", "`seeder generator show orders.place` tells"),
    "a literal that is not among": ("steps:\n  a: {use: customers.create, with: {region: EUU}}\n", 8, "'EUU' is not one of ['EU', 'US']", "`seeder generator show"),
    "an input too many": ("steps:\n  a: {use: customers.create, with: {regio: EU}}\n", 8, "customers.create of a-team takes no regio", "'region'"),
    "an input too few": ("steps:\n  o: {use: orders.place}\n", 8, "orders.place of a-team needs customer", "add customer"),
    "a part of a number": (f'steps:\n  {C}\noutputs: {{x: "${{customer.id.id}}"}}\n', 9, "customer gives no id",
        "${customer.id} is a whole number, which has no parts"),
    "one of a list of another": (f'steps:\n  {C}\noutputs: {{x: "${{customer.tags.red}}"}}\n', 9, "customer gives no red", "write customer.tags[0].red, or [*]"),
    "one of a list": ('steps:\n  all: {use: customers.create, count: 2}\n  o: {use: orders.place, with: {customer: "${all.id}"}}\n',
        9, "all gives no id", "write all[0].id, or [*]"),
    "a list for a number": ('steps:\n  all: {use: customers.create, count: 2}\n  o: {use: orders.place, with: {customer: "${all[*].id}"}}\n',
        9, "it gives a list, and a whole number is needed", "refer to something else"),
    "for each of no list": (f'steps:\n  {C}\n  o: {{use: customers.create, for_each: "${{customer.id}}"}}\n', 9, "a list is needed", "refer to a list, or write one"),
    "each without a list": ('steps:\n  a: {use: customers.create, with: {status: "${each}"}}\n', 8, "${each} has a meaning only with for_each", "add it, or refer to a step"),
    "index without a list": ('steps:\n  a: {use: customers.create, with: {status: "${index}"}}\n', 8, "only with for_each or count", "add it"),
    "count of no number": ('steps:\n  a: {use: customers.create, count: "${inputs.region}"}\n', 8, "a whole number is needed", "write one"),
    "what is allowed on the way leads nowhere": (
        f'steps:\n  {C}\nact:\n  s: {{eventually: {{get: web, path: /, until: {{a: 1}}}}, meanwhile: {{a: ["${{customer.statu}}"]}}}}\n',
        10, "customer gives no statu", "known: email, id, tags",
    ),
    "what is expected leads nowhere": (
        f'steps:\n  {C}\nexpect:\n  - {{http: web, path: "/c/${{customer.idd}}"}}\n', 10, "customer gives no idd", "'id'",
    ),
    "steps need what is acted": ('steps:\n  a: {use: orders.place, with: {customer: "${b.id}"}}\nact:\n  b: {use: customers.create}\n',
        8, "needs b, which is done in `act`, after all steps", "move a to `act`, or b to `steps`"),
    "a name twice": (f"steps:\n  {C}\nact:\n  {C}\n", 10, "a step of `steps` has this name", "rename"),
    "a name with a meaning": ("steps:\n  inputs: {use: customers.create}\n", 8, "inputs has a meaning of its own", "rename it"),
    "unknown service": ("act:\n  a: {eventually: {get: webb, path: /, until: {a: 1}}}\n", 8, "stack small has no service webb", "'web'"),
}
# fmt: on


@pytest.mark.parametrize("name", BAD)
def test_a_broken_graph_is_told_with_its_line_and_what_mends_it(tmp_path: Path, stack: Stack, name: str) -> None:
    text, line, cause, remedy = BAD[name]
    scenario, read_problems = written(tmp_path, text)
    assert read_problems.problems == []
    assert scenario
    found = [one for one in edges.problems(scenario, stack, KNOWN) if cause in one.cause]
    assert found, edges.problems(scenario, stack, KNOWN)
    assert found[0].mark
    assert (found[0].mark.line, remedy in found[0].remedy) == (line, True), found[0]


def test_everything_is_told_at_once(tmp_path: Path, stack: Stack) -> None:
    scenario, _ = written(tmp_path, "steps:\n  a: {use: customers.creat}\n  b: {use: orders.place, with: {customer: five, not: 1}}\n")
    assert scenario
    assert len(edges.problems(scenario, stack, KNOWN)) == 3


def test_a_service_that_is_not_part_of_the_run_cannot_be_waited_for(tmp_path: Path) -> None:
    part = read(SMALL, "db")
    scenario, _ = written(tmp_path, "act:\n  a: {eventually: {get: web, path: /, until: {a: 1}}}\n")
    assert scenario
    assert edges.problems(scenario, part, KNOWN) == []  # what `check` tells: another run has it
    (told,) = edges.left_out(scenario, part, {})
    assert (told.subject, told.cause, told.mark and told.mark.line) == (
        "act.a", "waits for web, which is not part of this run: not needed by db", 8,
    )  # fmt: skip
    assert "--services" in told.remedy


def test_thousands_of_steps_are_compared_with_one_reader_of_each_shape(tmp_path: Path, stack: Stack) -> None:
    """2,000 steps plan in under a second; what takes the time is making what checks a value, and looking at all steps for each."""
    lines = ["steps:", "  s0: {use: customers.create, with: {region: EU, status: active}}"]
    lines += [
        f'  s{n}: {{use: orders.place, with: {{customer: "${{s{n - 1}.id}}", note: "n {n}"}}}}'
        if n % 2
        else f"  s{n}: {{use: customers.create, with: {{region: US, status: n{n}}}, after: [s{n - 1}]}}"
        for n in range(1, 2000)
    ]
    scenario, _ = written(tmp_path, "\n".join(lines) + "\n")
    assert scenario
    shape.reader.cache_clear()
    assert edges.problems(scenario, stack, KNOWN) == []
    assert shape.reader.cache_info().misses == 2  # region; status and note are texts


def test_so_many_of_each_come_in_one_list() -> None:
    step = Step("all", Mark(Path("s.yaml"), 1), "customers.create", each="${inputs.regions}", count="${inputs.many}")
    members = list(_members(step, {"inputs": {"regions": ["EU", "US"], "many": 2}}))
    assert members == [{"each": region, "index": place} for place, region in enumerate(["EU", "EU", "US", "US"])]


WRITTEN = {
    "count of words": ("steps:\n  a: {use: customers.create, count: three}\n", "count is a whole number from 0, or one reference"),
    "count below nothing": ("steps:\n  a: {use: customers.create, count: -1}\n", "count is a whole number from 0, or one reference to one"),
    "count true": ("steps:\n  a: {use: customers.create, count: true}\n", "count is a whole number from 0, or one reference to one"),
    "each of a word": ("steps:\n  a: {use: customers.create, for_each: red}\n", "for_each is a list, or one reference to one"),
    "each of two": ('steps:\n  a: {use: customers.create, for_each: "${b.x}${c.x}"}\n', "for_each is a list, or one reference to one"),
    "a name of two words": ('steps:\n  "a b": {use: customers.create}\n', "'a b' is not a name for a step"),
    "a name like a member": ('act:\n  "c[0]": {use: customers.create}\n', "'c[0]' is not a name for a step"),
    "neither": ("steps:\n  a: {with: {}}\n", "exactly one of use, eventually"),
    "no such key": ("steps:\n  a: {use: customers.create, wiht: {}}\n", "no such key"),
    "an input that is not there": ('steps:\n  a: {use: customers.create, with: {region: "${inputs.regoin}"}}\n', "no input 'regoin'"),
    "not closed": ('steps:\n  a: {use: customers.create, with: {region: "${inputs.region"}}\n', "not closed"),
    "no reference": ('steps:\n  a: {use: customers.create, with: {region: "${a b}"}}\n', "can be filled in"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_badly_written_is_told_when_it_is_read(tmp_path: Path, name: str) -> None:
    text, cause = WRITTEN[name]
    _, problems = written(tmp_path, text)
    assert any(cause in one.cause for one in problems.problems), problems.problems
