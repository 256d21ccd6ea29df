"""Scenarios: what they ask for, and how values are filled in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seeder.definition.alone import alone
from seeder.definition.extension import Gates, ServiceExtension
from seeder.definition.manifest import read_project
from seeder.definition.references import Nowhere, filled, named_parameters
from seeder.definition.scenario import Scenario, bind, fill
from seeder.definition.service import Service
from seeder.definition.settling import settle
from seeder.definition.stack import Stack, Store
from seeder.errors import DefinitionError, EnvironmentFailed, Mark, UsageError
from seeder.planning.soundness import accepted

SCENARIO = """\
    scenario: ready
    version: "1.4.0"
    stack: shop
    owner: orders-team
    description: |
      An order.
    tags: [checkout]
    inputs:
      region: {type: string, enum: [EU, US], default: EU}
      quantity: {type: integer, minimum: 1, maximum: 9, default: 2}
      rate: {type: number, default: 0.5}
      gift: {type: boolean, default: false}
      code: {type: string, pattern: "^[A-Z]{2}$"}
    data: [checkout@3.2]
    expect:
      - {store: orders-db, query: "select :order_id, :n, :region", with: {n: "${inputs.quantity}"}, equals: null, within: 500ms}
      - {http: orders, method: POST, path: "/${inputs.code}?gift=${inputs.gift}", status: 201, equals: {n: "${inputs.quantity}"}}
      - {event: "orders.${inputs.code}", where: {all: ["${inputs.rate}", "$${x}"]}, at_least: 2, within: 2m}
      - {key: "n:${inputs.quantity}", exists: false}
      - {key: "${inputs.quantity}", store: cache, equals: "x"}
    outputs: {order_id: 17, text: "${inputs.quantity} of ${inputs.gift}", whole: "${inputs.gift}"}
    gates: {nulls: {orders-db.orders: [region]}}
    """


@pytest.fixture
def scenario(shop):
    return read_project(shop({"testdata/scenarios/ready.yaml": SCENARIO}) / "manifest.yaml").scenarios["ready"]


def test_a_scenario_is_read_with_its_expectations(scenario):
    query, http, event, gone, key = scenario.expect
    assert (query.kind, query.store, query.equals, query.compares, query.within) == ("query", "orders-db", None, True, 0.5)
    assert (http.service, http.method, http.status, http.within) == ("orders", "POST", 201, 5.0)
    assert (event.subject, event.store, event.at_least, event.within) == ("orders.${inputs.code}", "", 2, 120.0)
    assert (gone.exists, gone.compares, key.exists, key.equals, key.compares) == (False, False, None, "x", True)
    assert [e.mark.line for e in scenario.expect] == [16, 17, 18, 19, 20]
    assert scenario.gates == Gates(nulls={"orders-db.orders": ["region"]})
    assert (scenario.description, scenario.owner, scenario.tags) == ("An order.", "orders-team", ("checkout",))


def test_values_are_filled_in_with_their_types(scenario):
    bound = bind(scenario, {"code": "AB", "quantity": "3", "gift": "true", "rate": "1e-3"})
    query, http, event, gone, key = bound.expect
    assert query.parameters == {"n": 3, "order_id": 17, "region": "EU"}
    assert (http.path, http.equals) == ("/AB?gift=true", {"n": 3})
    assert (event.subject, event.where) == ("orders.AB", {"all": [0.001, "${x}"]})
    assert (gone.key, key.key) == ("n:3", "3")
    assert bound.outputs == {"order_id": 17, "text": "3 of true", "whole": True}
    assert bound.values == {"region": "EU", "quantity": 3, "rate": 0.001, "gift": True, "code": "AB"}


# reference -> why it leads to nothing, what mends it
NOWHERE = {
    "a[5].id": ("there is a list of 2, and no 5", "mend what a came to"),
    "a.id": ("there is a list, which has no id", "mend what a came to"),
    "b.statu": ("no statu is there", "did you mean 'status'?"),
    "b[0]": ("there is a mapping, and no list", "known: name, status"),
    "b[*].x": ("there is a mapping, and no list", "known: name, status"),
    "b.name[0]": ('"Ada" has no 0', "mend what b came to"),
    "b.name.first": ('"Ada" has no first', "mend what b came to"),
    "a[*].size": ("no size is there", "known: id"),
    "c.id": ("no c is there", "known: a, b"),
}


@pytest.mark.parametrize("written", NOWHERE)
def test_a_reference_that_leads_to_nothing_tells_what_is_there(written):
    known = {"a": [{"id": 1}, {"id": 2}], "b": {"status": "new", "name": "Ada"}}
    for value in (f"${{{written}}}", f"the {written} is ${{{written}}}"):
        with pytest.raises(Nowhere) as raised:
            filled(value, known)
        cause, remedy = NOWHERE[written]
        assert str(raised.value) == f"${{{written}}} leads to nothing: {cause}"
        assert remedy in raised.value.remedy


def test_results_that_outputs_and_expectations_miss_are_told_all_at_once(scenario):
    whole = replace(bind(scenario, {"code": "AB"}), outputs={"x": "${a[5].id}", "y": "${a[0].id}"})
    whole = replace(whole, expect=(replace(whole.expect[0], equals="${a[0].size}"),))
    with pytest.raises(EnvironmentFailed) as raised:
        fill(whole, {"a": [{"id": 1}]})
    assert [(problem.subject, problem.mark.line) for problem in raised.value.problems] == [("expect query", 16), ("outputs.x", 21)]


def test_what_is_filled_into_a_path_cannot_change_its_shape(shop):
    change = ("quantity:\n    type: integer\n    minimum: 1\n    default: 2", "quantity:\n    type: string")
    scenario = read_project(shop({"testdata/scenarios/ready.yaml": change}) / "manifest.yaml").scenarios["ready"]
    assert bind(scenario, {"quantity": "a/../b?c#d"}).expect[1].path == "/orders/a%2F..%2Fb%3Fc%23d"


@pytest.mark.parametrize(
    ("values", "cause", "remedy"),
    [
        ({"code": "AB", "quantity": "many"}, "'many' is not a whole number", "a whole number from 1 up to 9"),
        ({"code": "AB", "quantity": "0"}, "below the minimum 1", "from 1"),
        ({"code": "AB", "quantity": "10"}, "above the maximum 9", "up to 9"),
        ({"code": "AB", "quantity": "9" * 5000}, "is not a whole number", "up to 9"),
        ({"code": "AB", "region": "UK"}, "'UK' is not among EU, US", "one of EU, US"),
        ({"code": "AB", "gift": "yes"}, "'yes' is not true or false", "true or false"),
        ({"code": "AB", "rate": "nan"}, "is not a number", "a number"),
        ({"code": "abc"}, "does not match ^[A-Z]{2}$", "like ^[A-Z]{2}$"),
        ({}, "needs a value for code", "--set code=VALUE"),
        ({"code": "AB", "regoin": "EU"}, "no such input", "did you mean 'region'?"),
    ],
)
def test_a_bad_value_is_refused(scenario, values, cause, remedy):
    with pytest.raises(UsageError) as found:
        bind(scenario, values)
    [problem] = found.value.problems
    assert cause in problem.cause
    assert remedy in problem.remedy


def test_all_bad_values_come_at_once(scenario):
    with pytest.raises(UsageError) as found:
        bind(scenario, {"quantity": "x", "region": "x", "y": "z"})
    assert len(found.value.problems) == 4


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("select :a, :b, :a", ["a", "b"]),
        ("select 'it''s :a', \":b\", x::text, y[1:2]", []),
        ("select 1 -- :a\n/* :b */ + :c", ["c"]),
        ("select $$ :a $$, $t$ :b $t$, :c::int", ["c"]),
    ],
)
def test_parameters_are_found_where_sql_has_them(query, names):
    assert named_parameters(query) == names


def _stack(**engines: str) -> Stack:
    mark = Mark("compose.yaml", 1)
    services = {name: Service(name, mark, x=ServiceExtension()) for name in [*engines, "orders"]}
    stores = {name: Store(name, name, engine) for name, engine in engines.items()}
    return Stack("shop", "2.3.0", mark.file, (), services, stores, absent={"billing": "profile"})


def _settle(scenario: Scenario, **engines: str) -> Scenario:
    stack = _stack(**engines)
    return settle(scenario, stack, accepted(stack))


SHOP = {"orders-db": "postgres", "cache": "redis", "events": "nats"}


def test_the_only_store_that_holds_such_may_be_left_out(scenario):
    settled = _settle(scenario, **SHOP)
    assert [e.store for e in settled.expect] == ["orders-db", "", "events", "cache", "cache"]


def test_the_only_store_of_the_whole_stack_is_meant_whatever_part_of_it_runs(scenario):
    whole = _stack(**SHOP)
    part = alone(whole, "orders-db")
    assert [e.kind for e in settle(scenario, part, accepted(part)).expect] == ["query"]
    part = alone(whole, "cache")
    assert [(e.kind, e.store) for e in settle(scenario, part, accepted(part)).expect] == [("key", "cache"), ("key", "cache")]


@pytest.mark.parametrize(
    ("engines", "cause"),
    [
        ({**SHOP, "more": "nats"}, "2 that hold messages"),
        ({"orders-db": "postgres", "cache": "redis"}, "0 that hold messages"),
        ({**SHOP, "cache": "postgres"}, "store cache is postgres and holds no keys"),
        ({"cache": "redis", "events": "nats"}, "has no store orders-db"),
    ],
)
def test_an_expectation_of_an_unknown_store_is_refused(scenario, engines, cause):
    with pytest.raises(DefinitionError, match=cause):
        _settle(scenario, **engines)


def test_calls_of_a_stub_are_expected(shop):
    text = """- {stub: outside, where: {method: POST, path: "/messages/${inputs.code}", body: {n: "${inputs.quantity}"}}, count: 0}
      - {stub: outside, at_least: 3}"""
    written = SCENARIO.replace('- {key: "n:${inputs.quantity}", exists: false}', text)
    scenario = read_project(shop({"testdata/scenarios/ready.yaml": written}) / "manifest.yaml").scenarios["ready"]
    *_, none, several, _ = bind(_settle(scenario, **SHOP, outside="stub"), {"code": "EU"}).expect
    assert (none.kind, none.store, none.count) == ("stub", "outside", 0)
    assert none.where == {"method": "POST", "path": "/messages/EU", "body": {"n": 2}}
    assert (several.where, several.count, several.at_least) == ({}, None, 3)
    with pytest.raises(DefinitionError, match="store outside is redis and holds no calls"):
        _settle(scenario, **SHOP, outside="redis")


def test_expectations_of_absent_services_are_left_out(shop):
    scenario = read_project(shop({"testdata/scenarios/ready.yaml": ("http: orders", "http: billing")}) / "manifest.yaml").scenarios["ready"]
    assert [e.kind for e in _settle(scenario, **SHOP).expect] == ["query"]
