"""What makes another set of all stores, another environment, or the same one with other secrets: steps, programs and what they are told."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from seeder.definition.expectation import Expectation
from seeder.definition.manifest import read_project
from seeder.definition.request import Request, resolve
from seeder.passed.operation import Make, Plan
from seeder.plan import make
from seeder.registry import RUNTIMES, traits
from seeder.reuse import chain
from tests.conftest import copied_shop
from tests.scenarios.failing import change
from tests.unit.layers.changing import NOW, as_of, by_program, comment, edit_new_migration, other_port, other_secret, planned, relock

GENERATORS = """
from dataclasses import dataclass
from seeder import Context, generator

@dataclass
class Made:
    id: int

@generator("notes.write", version="1", owner="notes-team")
def write(ctx: Context, *, tokens: int = 1, cookie: str = "", colour: str = "red") -> Made:
    return Made(tokens)
"""
STEPS = """
  access_tokens: {type: integer, default: 1}
  colour: {type: string, default: red}
  shade: {type: string, default: dark}
steps:
  one: {use: notes.write, with: {tokens: 100, colour: "${inputs.colour}"}}
  two: {use: notes.write, with: {tokens: "${inputs.access_tokens}"}, after: [one]}
  seen: {eventually: {get: web, path: /health, until: {session_token: abc}, within: 1s}, after: [two]}
act:
  last: {use: notes.write, with: {cookie: crumbs, colour: "${inputs.shade}"}}
"""
SCENARIO = "testdata/scenarios/ready.yaml"


@pytest.fixture
def stepping(project: Path) -> Path:
    (project / "generators").mkdir()
    (project / "generators/notes.py").write_text(GENERATORS)
    change(project, SCENARIO, "minimum: 1}\n", f"minimum: 1}}{STEPS}")
    by_program(project, "--password", "hush")
    return project


def known(plan: Plan) -> dict[str, object]:
    """By what a set and an environment are known again."""
    return {
        "set": chain.whole(plan, chain.of(plan)),
        "its secrets": chain.secrets(plan, "db", whole=True),
        "environment": chain.environment(plan),
        "all secrets": chain.every_secret(plan),
    }


def edit(old: str, new: str, name: str = SCENARIO) -> Callable[[Path], None]:
    return lambda at: change(at, name, old, new)


def code(at: Path) -> None:
    (at / "generators/more.py").write_text("")


SET, SECRET = {"set", "environment"}, {"its secrets", "all secrets"}


@pytest.mark.parametrize(
    ("act", "inputs", "expected"),
    [
        pytest.param(lambda _: None, {}, set(), id="nothing"),
        pytest.param(comment, {}, {"environment"}, id="a comment in the compose file"),
        pytest.param(other_port, {}, {"environment"}, id="a published port"),
        pytest.param(other_secret, {}, {"environment", *SECRET}, id="a secret of the stack"),
        pytest.param(edit_new_migration, {}, SET, id="a migration"),
        pytest.param(edit('colour: "${inputs.colour}"', "colour: blue"), {}, SET, id="what a step is given"),
        pytest.param(edit("tokens: 100", "tokens: 999"), {}, SECRET, id="what it is given under the name of a secret"),
        pytest.param(edit("session_token: abc", "session_token: xyz"), {}, SECRET, id="what it waits for under such a name"),
        pytest.param(edit("within: 1s", "within: 2s"), {}, SET, id="how long it waits"),
        pytest.param(edit("after: [one]", "after: []"), {}, SET, id="the order of steps"),
        pytest.param(lambda _: None, {"access_tokens": "5"}, SECRET, id="an input of the name of a secret"),
        pytest.param(lambda _: None, {"colour": "blue"}, SET, id="an input that a step is given"),
        pytest.param(lambda _: None, {"shade": "light"}, {"environment"}, id="an input that only `act` is given"),
        pytest.param(lambda _: None, {"note": "2"}, set(), id="an input that only outputs hold"),
        pytest.param(edit('colour: "${inputs.shade}"', "colour: blue"), {}, {"environment"}, id="what is acted"),
        pytest.param(edit("cookie: crumbs", "cookie: whole"), {}, {"all secrets"}, id="what is acted with, under the name of a secret"),
        pytest.param(edit("equals: first}", "equals: last}"), {}, set(), id="what is expected"),
        pytest.param(code, {}, SET, id="what generators are made of"),
        pytest.param(edit("hush", "loud", "manifest.yaml"), {}, SECRET, id="a secret word of a program"),
        pytest.param(edit("tools/fill.py, --pass", "tools/fill.py, -v, --pass", "manifest.yaml"), {}, SET, id="a word of a program"),
        pytest.param(edit("print()", "print(1)", "tools/fill.py"), {}, SET, id="a program"),
        pytest.param(as_of, {}, SET, id="another reference time"),
    ],
)
def test_a_change_makes_another_set_or_environment_or_tells_other_secrets(
    stepping: Path, act: Callable[[Path], None], inputs: Mapping[str, str], expected: set[str]
) -> None:
    before = known(planned(stepping))
    act(stepping)
    after = known(planned(stepping, inputs=inputs))
    assert {name for name in before if before[name] != after[name]} == expected


OTHERS = {"kind": "key", "parameters": {"id": 1}, "where": {"id": 1}, "count": 0, "exists": False, "equals": "x"}


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Expectation) if field.name != "mark"])
def test_whatever_a_step_expects_otherwise_makes_another_set(stepping: Path, name: str) -> None:
    plan = planned(stepping)
    made = next(one for one in plan.calls if isinstance(one, Make))
    one = Expectation("query", made.step.mark, "db", query="SELECT 1")
    was = getattr(one, name)
    other = dataclasses.replace(one, **{name: OTHERS[name] if name in OTHERS else f"{was}9" if isinstance(was, str) else was + 1})
    assert getattr(other, name) != was

    def identity(expected: Expectation) -> object:
        step = dataclasses.replace(made.step, expect=(expected,))
        calls = tuple(dataclasses.replace(call, step=step) if call is made else call for call in plan.calls)
        return known(dataclasses.replace(plan, calls=calls))["set"]

    assert identity(one) == identity(dataclasses.replace(one, mark=dataclasses.replace(one.mark, line=99))) != identity(other)


def test_no_id_of_a_step_holds_a_secret(stepping: Path) -> None:
    told = chain.acting(planned(stepping, inputs={"access_tokens": "123456789"}))
    assert "123456789" not in str(told)
    assert "crumbs" not in str(told)


def test_another_faker_makes_another_set_where_there_are_steps(stepping: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(plan: Plan) -> Plan:
        return dataclasses.replace(plan, calls=tuple(one for one in plan.calls if one.verb != "make"), acts=())

    plan = planned(stepping)
    before = known(plan), known(without(plan))
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "0.1")
    assert known(plan)["set"] != before[0]["set"]
    assert known(without(plan)) == before[1]


def test_a_program_that_can_read_an_output_is_told_apart_by_it(stepping: Path) -> None:
    text = (stepping / SCENARIO).read_text()
    (stepping / SCENARIO).write_text(text[: text.index("steps:")] + text[text.index("data:") :])
    before, after = known(planned(stepping)), known(planned(stepping, inputs={"note": "2"}))
    assert {name for name in before if before[name] != after[name]} == SET


# -- who migrates -----------------------------------------------------------------------------------------------------


COMPOSE = "stacks/shop/compose.yaml"
DATABASE = "      DATABASE_URL: postgresql://app:app@orders-db:5432/orders\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    change(copied_shop(tmp_path), COMPOSE, DATABASE, f"{DATABASE}      ADMIN_TOKEN: only-of-this-test\n")
    return tmp_path


def found_owner(at: Path) -> None:
    change(at, COMPOSE, "{alembic: orders/alembic.ini, as: orders}", "{alembic: orders/alembic.ini}")


def configured(line: str) -> Callable[[Path], None]:
    def act(at: Path) -> None:
        file = at / "testdata/config/shop/orders/environment.yaml"
        file.write_text(f"{file.read_text()}{line}\n")
        relock(at)

    return act


def databases(at: Path, images: Mapping[str, str] | None = None) -> dict[str, tuple[str, object]]:
    """Server -> the id of its state at rest, and the secrets that made it."""
    definition = resolve(read_project(at / "manifest.yaml"), Request(stack="shop"), traits(), {})
    plan = make(definition, RUNTIMES.get("local"), "asked for", NOW)
    request = dataclasses.replace(definition.request, images=images or {})
    plan = dataclasses.replace(plan, definition=dataclasses.replace(plan.definition, request=request))
    return {server: (one.end, chain.secrets(plan, server)) for server, one in chain.of(plan).items() if server.endswith("-db")}


@pytest.mark.parametrize(
    ("act", "images", "changed"),
    [
        pytest.param(lambda _: None, {}, (False, False), id="nothing"),
        pytest.param(edit(DATABASE, f"{DATABASE}      TENANTS: one,two\n", COMPOSE), {}, (True, False), id="a variable of it"),
        pytest.param(edit("only-of-this-test", "another-token", COMPOSE), {}, (False, True), id="a secret of it"),
        pytest.param(lambda _: None, {"orders": "shop:2"}, (True, False), id="another image of it"),
        pytest.param(configured("TENANTS: one,two"), {}, (True, False), id="a variable that a dataset adds to it"),
        pytest.param(configured("ADMIN_TOKEN: another-token"), {}, (True, True), id="a secret that a dataset adds to it"),
    ],
)
@pytest.mark.parametrize("owner", ["named", "found"])
def test_who_migrates_is_in_the_id(
    shop: Path, act: Callable[[Path], None], images: Mapping[str, str], changed: tuple[bool, bool], owner: str
) -> None:
    if owner == "found":
        found_owner(shop)
    before = databases(shop)
    act(shop)
    after = databases(shop, images)
    assert {name for name in before if before[name] != after[name]} <= {"orders-db"}
    told = tuple(old != new for old, new in zip(before["orders-db"], after["orders-db"], strict=True))
    assert told == changed
