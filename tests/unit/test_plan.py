"""A plan decides, starts nothing, and refuses what `check` refuses."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from seeder import variables
from seeder.check import check_project
from seeder.definition.checksums import lock
from seeder.definition.manifest import read_project
from seeder.definition.request import Request, resolve
from seeder.errors import DefinitionError, Problem, SeederError
from seeder.passed.operation import Plan
from seeder.passed.target import Address
from seeder.plan import make
from seeder.registry import traits
from seeder.runtimes.local import Local
from tests.scenarios.failing import change
from tests.unit.conftest import MIGRATED

NOW = datetime.datetime(2026, 1, 15, tzinfo=datetime.UTC)
PORTS = 'ports: ["8000"]\n'
COMPOSE = MIGRATED["compose.yaml"].replace(PORTS, f'{PORTS}        x-seeder: {{local: {{command: [serve, "{{port}}"]}}}}\n')
FILES = {**MIGRATED, "compose.yaml": COMPOSE}
Make = Callable[..., Plan]


@pytest.fixture
def folder(shop) -> Path:
    made: Path = shop(FILES)
    lock(read_project(made / "manifest.yaml").datasets["checkout"][0])
    return made


@pytest.fixture
def planned(folder: Path) -> Make:
    def make_one(**request) -> Plan:
        asked = Request(scenario="ready", **request)
        return make(resolve(read_project(folder / "manifest.yaml"), asked, traits(), {}), Local(), "asked for", NOW)

    return make_one


def _refused(planned: Make) -> list[Problem]:
    with pytest.raises(DefinitionError) as refused:
        planned()
    return list(refused.value.problems)


ROWS = "testdata/golden/checkout/orders-db/orders.csv"
SAME = {
    "a changed file": (ROWS, "1,EU", "1,US", "differs from its digest"),
    "an export of nobody": ("compose.yaml", "{local:", '{export: {A: "{db.url}"}, local:', "no store or service db"),
    "an engine that nobody knows": ("compose.yaml", "image: redis:8", "image: redis:8\n    x-seeder: {store: rediss}", "no engine rediss"),
    "migrations as nobody": ("compose.yaml", "sql: migrations", "sql: migrations, as: order", "no service order"),
    "a natural key": ("manifest.yaml", "    requires:", "    natural_keys: {order-db.a: [b]}\n    requires:", "no store order-db"),
    "a revision": ("manifest.yaml", "0003..", "0004..", "no single revision 0004"),
    "an expectation": ("testdata/scenarios/ready.yaml", "http: orders,", "http: order,", "no service order"),
    "a scenario's gate": ("testdata/scenarios/ready.yaml", "data:", "gates: {counts: {db.a: 1}}\ndata:", "no store db"),
}


@pytest.mark.parametrize("name", SAME)
def test_check_and_plan_tell_the_same(folder, planned, name):
    file, old, new, cause = SAME[name]
    planned()
    change(folder, file, old, new)
    refused = _refused(planned)
    assert any(cause in problem.cause for problem in refused)
    assert set(refused) == set(check_project(folder, {}, NOW).errors)


def test_all_that_is_wrong_is_told_at_once(folder, planned):
    for file, old, new, _ in SAME.values():
        if "sql: migrations" not in old:
            change(folder, file, old, new)
    told = [problem.cause for problem in _refused(planned)]
    for name, (*_, cause) in SAME.items():
        assert name == "migrations as nobody" or any(cause in one for one in told), name


def test_gates_stand_where_they_are_asked_and_what_is_acted_has_a_word_of_its_own(folder, planned):
    def shown(plan: Plan) -> list[str]:
        return [f"{one.verb} {one.subject}" for one in plan.operations if one.verb in ("gate", "act")]

    asked = ["gate ready", "gate drift", "gate counts", "gate expect"]
    assert shown(planned()) == asked
    assert [check.gate for check in planned().lasting] == ["ready", "drift", "counts", "expect"]
    acts = "act:\n  seen: {eventually: {get: orders, path: /, until: {status: up}}}\n"
    change(folder, "testdata/scenarios/ready.yaml", "expect:", f"{acts}expect:")
    plan = planned()
    assert shown(plan) == [*asked[:-1], "act seen", "gate expect"]
    assert [one["verb"] for one in plan.as_json()["operations"]][-2:] == ["act", "gate"]
    assert [check.gate for check in plan.lasting] == ["ready", "drift", "expect"]


def test_an_image_of_ones_own_is_what_the_plan_shows_and_asks_for(planned):
    plan = planned(images={"orders-db": "postgres:16"})
    assert next(start.detail for start in plan.servers if start.subject == "orders-db") == "postgres:16"
    assert any(n.subject == "orders-db" and n.message.startswith("postgres:16 -> PostgreSQL") for n in plan.notices)


@pytest.mark.parametrize(("service", "image", "cause"), [
    ("orders", "orders:2", "it runs its local command here, and no image"),
    ("orders-db", "postgres:99", "postgres:99 is newer"),
    ("orders-db", "redis:8", "orders-db is a postgres store, and this is an image of redis"),
    ("order", "orders:2", "the stack has no such service"),
])  # fmt: skip
def test_an_image_that_cannot_run_is_refused_by_the_plan(planned, service, image, cause):
    with pytest.raises(SeederError) as refused:
        planned(images={service: image})
    assert cause in str(refused.value)


def test_every_revision_that_will_run_is_named(folder, planned):
    for number in range(4, 10):
        assert f"000{number - 1}_" in planned().text()
        (folder / f"migrations/000{number}_more.sql").write_text("select 1;\n")
    for number in range(10, 14):
        (folder / f"migrations/00{number}_more.sql").write_text("select 1;\n")
    plan = planned()
    names = "0003_orders, 0004_more, 0005_more, 0006_more, 0007_more, ..., 0012_more, 0013_more"
    assert f"{names}: 11 revisions by sql" in plan.text()
    [shown] = [operation["revisions"] for operation in plan.as_json()["operations"] if operation["verb"] == "migrate"]
    assert [revision["id"][:4] for revision in shown] == [f"{number:04}" for number in range(3, 14)]
    assert all(Path(revision["file"]).is_file() for revision in shown)


@pytest.mark.parametrize(
    ("migrate", "said"),
    [("service: mend", "all that service mend does"), ("command: [make, db]", "all that `make db` does")],
)
def test_a_migrator_that_names_no_files_is_told_as_what_runs(folder, planned, migrate, said):
    change(folder, "manifest.yaml", '      orders-db: "0003.."\n', "")
    one_shot = "services:\n  mend: {image: alpine, x-seeder: {local: {command: [mend]}}}\n"
    change(folder, "compose.yaml", "services:\n", one_shot)
    change(folder, "compose.yaml", "sql: migrations", migrate)
    assert f"  {said}  (the store starts empty)" in planned().text()


def test_one_of_a_kind_is_told_as_one(planned):
    assert "0003_orders: 1 revision by sql" in planned().text()
    assert "1 migrated store " in planned().text()


def test_a_part_of_the_stack_is_not_asked_what_the_scenario_expects_of_the_rest_and_the_plan_says_so(folder, planned):
    change(folder, "testdata/scenarios/ready.yaml", "expect:\n", "expect:\n  - {key: hits, exists: true}\n")
    assert "3 expectations  (of the scenario)" in planned().text()
    text = planned(services=("orders-db",)).text()
    assert "1 expectation  (of the scenario)" in text
    assert "note: ready: leaves out 2 expectations of absent services" in text


def test_an_export_of_what_takes_no_part_is_not_set_and_the_plan_says_so(folder, planned):
    change(folder, "compose.yaml", "{local:", '{export: {CACHE: "{cache.url}/0", HERE: "{port}"}, local:')
    assert "is not set" not in planned().text()
    made = planned(services=("orders",))
    assert "note: orders: export CACHE is not set: it names cache, which takes no part" in made.text()
    here = SimpleNamespace(stack=made.stack, address=lambda *_: Address("127.0.0.1", 9), ports=lambda _: {}, reach=None)
    assert variables.exports(here) == {"HERE": "9"}
    assert "is not set" not in planned(alone="orders-db").text()


def test_what_keeps_state_and_has_no_engine_is_named_once_by_the_plan_with_what_is_not_done_for_it(shop):
    made: Path = shop(
        {
            **FILES,
            "compose.yaml": COMPOSE.replace(
                "image: redis:8\n", "image: redis:8\n      maria: {image: 'mariadb:11', x-seeder: {local: {command: [maria]}}}\n"
            ),
        }
    )
    text = make(resolve(read_project(made / "manifest.yaml"), Request(), traits(), {}), Local(), "asked for", NOW).text()
    assert text.count("note: maria: no engine knows mariadb yet") == 1
    assert "its state is neither loaded, digested, kept nor reset -> load it by" in text


def test_a_limit_of_waiting_says_where_it_comes_from(shop):
    check = "        healthcheck: {test: [CMD, check], interval: 2s}\n"
    ready = "        x-seeder: {ready: {tcp: 1, within: 5s}}\n"
    compose = COMPOSE.replace("image: redis:8\n", f"image: redis:8\n{check}").replace("image: nats:2\n", f"image: nats:2\n{ready}")
    made: Path = shop({**FILES, "compose.yaml": compose})
    definition = resolve(read_project(made / "manifest.yaml"), Request(), traits(), {})
    starts = {start.subject: (start.within, start.limit) for start in make(definition, Local(), "asked for", NOW).servers}
    assert starts == {
        "orders-db": (60, "the usual one"),
        "cache": (96, "what its healthcheck allows: 3 x (interval 2 s + timeout 30 s)"),
        "events": (5, "`x-seeder.ready.within`"),
    }


def test_a_scenario_gets_the_data_that_it_names_and_a_run_without_one_what_every_run_needs(folder):
    lookups = '  - {name: lookups, kind: reference, version: "1.0.0", path: testdata/reference/lookups}\n'
    change(folder, "manifest.yaml", "policies:\n", f"{lookups}policies:\n")
    rows = folder / "testdata/reference/lookups/orders-db/orders.csv"
    rows.parent.mkdir(parents=True)
    rows.write_text("id\n1\n")
    manifest = read_project(folder / "manifest.yaml")
    got = {name: resolve(manifest, Request(stack="shop", scenario=name), traits(), {}).datasets for name in (None, "ready")}
    assert {name: [dataset.name for dataset in datasets] for name, datasets in got.items()} == {None: ["lookups"], "ready": ["checkout"]}
