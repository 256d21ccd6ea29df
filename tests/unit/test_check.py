"""`check` tells everything that is wrong with a definition at once, and starts nothing."""

from __future__ import annotations

import datetime
from pathlib import Path
from textwrap import dedent

import pytest

from seeder.check import Findings, check_project
from seeder.definition.checksums import lock
from seeder.definition.manifest import read_project
from tests.unit.conftest import MIGRATED, PROJECT

NOW = datetime.datetime(2026, 1, 15, tzinfo=datetime.UTC)
REPOSITORY = Path(__file__).parents[2]
COMPOSE = MIGRATED["compose.yaml"]


MACHINE = ("cannot be used here", "refused on local: it has no local form")  # what is told where no docker engine answers


@pytest.fixture
def checked(shop):
    def check(changes: dict | None = None, *, locked: bool = True) -> Findings:
        folder = shop({**MIGRATED, **(changes or {})})
        if locked:
            lock(read_project(folder / "manifest.yaml").datasets["checkout"][0])
        found = check_project(folder, {}, NOW)
        return Findings(found.errors, [hint for hint in found.hints if not any(words in hint.cause for words in MACHINE)])

    return check


def _said(problems) -> list[str]:
    return [f"{p.mark.file.name}:{p.mark.line}: {p.subject}: {p.cause} -> {p.remedy}" for p in problems]


def test_a_sound_project_has_neither_errors_nor_hints(checked):
    assert checked() == Findings()


@pytest.mark.parametrize("project", [REPOSITORY, REPOSITORY / "tests/data/small"])
def test_the_projects_of_this_repository_are_sound(project):
    assert _said(check_project(project, {}, NOW).errors) == []


def _compose(old: str, new: str) -> dict[str, str]:
    assert old in COMPOSE
    return {"compose.yaml": COMPOSE.replace(old, new, 1)}


CASES = {
    "engine": (_compose("image: redis:8", "image: redis:8\n        x-seeder: {store: rediss}"), "compose.yaml:8", "rediss", "'redis'"),
    "migrated cache": (
        _compose("image: redis:8", "image: redis:8\n        x-seeder: {migrate: {sql: migrations}}"),
        "compose.yaml:8",
        "redis cannot be migrated by sql",
        "`command` or `service`",
    ),
    "migrates as nobody": (
        _compose("{migrate: {sql: migrations}}", "{migrate: {sql: migrations, as: order}}"),
        "compose.yaml:5",
        "migrate.as: there is no service order",
        "'orders'",
    ),
    "export": (_compose('["8000"]', '["8000"]\n        x-seeder: {export: {A: "{uri}"}}'), "compose.yaml:13", "not known", "{STORE.url"),
    "export of nobody": (
        _compose('["8000"]', '["8000"]\n        x-seeder: {export: {A: "{order-db.url}"}}'),
        "compose.yaml:13",
        "no store or service order-db",
        "'orders-db'",
    ),
    "local placeholder": (
        _compose('["8000"]', '["8000"]\n        x-seeder: {local: {command: [serve, "{prt}"]}}'),
        "compose.yaml:13",
        "not known",
        "{port:8000}",
    ),
    "local port": (
        _compose('["8000"]', '["8000"]\n        x-seeder: {local: {command: [serve, "{port:80}"]}}'),
        "compose.yaml:13",
        "no port 80",
        "known: 8000",
    ),
    "auth on a store": (
        _compose("image: redis:8", "image: redis:8\n        x-seeder: {auth: {bearer: {token: a}}}"),
        "compose.yaml:8",
        "this service holds stores",
        "remove it",
    ),
    "reference": (
        _compose("services:", "x-seeder: {references: [orders-db.a.b -> custmers.c.d]}\n    services:"),
        "compose.yaml:1",
        "custmers",
        "known",
    ),
    "gate": (_compose("services:", "x-seeder: {gates: {counts: {db.a: 1}}}\n    services:"), "compose.yaml:1", "no store db", "orders-db"),
}


def test_one_variable_from_two_services_is_told(checked):
    changes = _compose('["8000"]', '["8000"]\n        x-seeder: {export: {A: "{url}"}}')
    changes["compose.yaml"] = changes["compose.yaml"].replace("image: redis:8", 'image: redis:8\n        x-seeder: {export: {A: "{url}"}}')
    assert "A: cache and orders both export it -> rename one of them" in _said(checked(changes).errors)[0]


M, S, D = "manifest.yaml", "testdata/scenarios/ready.yaml", "testdata/golden/checkout"
NATURAL = "natural_keys: {order-db.a: [b]}"
PROJECT_CASES = {
    "runtime": ({M: ("  policy: ci", "  policy: ci\n  runtime: dokcer")}, "manifest.yaml:3", "no runtime dokcer", "'docker'"),
    "stack version": ({M: ('"2.3.0"', '"3.0.0"')}, "manifest.yaml:17", "stack shop is 3.0.0", "another version"),
    "revision": ({M: ("0003..", "0004..")}, "manifest.yaml:18", "no single revision 0004", "0003_orders"),
    "required store": ({M: ("orders-db:", "order-db:")}, "manifest.yaml:18", "no store order-db", "'orders-db'"),
    "source": ({M: ("[golden, reference]", "[reference]")}, "manifest.yaml:12", "is golden data; policy ci allows reference", "another"),
    "scenario stack": ({S: ("stack: shop", "stack: shopp")}, "ready.yaml:1", "no stack shopp", "'shop'"),
    "scenario dataset": ({S: ("checkout@3.2", "chekout")}, "ready.yaml:10", "no dataset chekout", "'checkout'"),
    "scenario version": ({S: ("checkout@3.2", "checkout@4")}, "ready.yaml:10", "no version 4 of checkout", "known: 3.2.0"),
    "expected store": ({S: ("store: orders-db", "store: orders")}, "ready.yaml:12", "no store orders", "'orders-db'"),
    "expected service": ({S: ("http: orders", "http: order")}, "ready.yaml:15", "no service order", "'orders'"),
    "dataset folder": ({f"{D}/odrers-db/a.csv": "a\n"}, "a.csv:1", "neither a store nor a service odrers-db", "'orders-db'"),
    "natural key": ({M: ("    requires:", f"    {NATURAL}\n    requires:")}, "manifest.yaml:12", "no store order-db", "'orders-db'"),
    "compose": ({"compose.yaml": "services: {a: {image: b, imag: c}}\n"}, "compose.yaml:1", "imag", "image"),
}  # fmt: skip


@pytest.mark.parametrize("name", [*CASES, *PROJECT_CASES])
def test_what_a_stack_or_a_project_says_wrong_is_told(checked, name):
    changes, place, cause, remedy = (CASES | PROJECT_CASES)[name]
    [said] = [text for text in _said(checked(changes).errors) if cause in text]
    assert said.startswith(f"{place}: ")
    assert remedy in said


def test_everything_is_told_at_once_though_a_file_cannot_be_read(checked):
    changes = _compose("image: redis:8", "image: redis:8\n        x-seeder: {store: x}")
    found = checked({**changes, S: "scenario: [", M: ("  policy: ci", "  policy: cc")}, locked=False).errors
    assert {p.mark.file.name for p in found} == {"manifest.yaml", "compose.yaml", "ready.yaml"}


def test_a_mistake_in_the_manifest_hides_none_of_the_stacks(checked):
    changes = _compose("migrate: {sql: migrations}", "migrat: {sql: migrations}")
    found = checked({**changes, M: ("kind: golden", "kind: goldn")}, locked=False).errors
    said = _said(found)
    assert "compose.yaml:5: services.orders-db.x-seeder.migrat: there is no such key here -> did you mean 'migrate'?" in said
    assert "datasets.0.kind: 'goldn' is not among 'reference', 'config', 'golden' or 'fixture'" in said[-1]


def test_a_changed_file_is_an_error_and_a_missing_list_a_hint(checked, tmp_path):
    assert "has no SHA256SUMS -> seeder dataset lock checkout" in _said(checked(locked=False).hints)[0]
    checked()
    (tmp_path / "testdata/golden/checkout/orders-db/orders.csv").write_text("id,region\n2,US\n")
    assert "differs from its digest" in _said(check_project(tmp_path, {}, NOW).errors)[0]


def test_what_compose_reads_otherwise_is_a_hint(checked):
    found = checked(_compose("POSTGRES_PASSWORD: app", "POSTGRES_PASSWORD: app, VERSION: 1.10, MODE: 0644, QUOTED: '0644', PLAIN: 12"))
    assert _said(found.hints) == [
        'compose.yaml:4: services.orders-db.environment.VERSION: compose reads 1.10 as 1.1 -> quote it: "1.10"',
        'compose.yaml:4: services.orders-db.environment.MODE: compose reads 0644 as 420 -> quote it: "0644"',
    ]
    assert found.errors == []


def test_hints_are_given_for_every_document_and_for_what_only_the_parsers_dialect_takes(checked):
    second = "---\nservices:\n  cache:\n    environment:\n      V:\t1.10\n"
    found = checked({"compose.yaml": dedent(COMPOSE) + second})
    assert found.errors == []
    assert [text.partition(" -> ")[0] for text in _said(found.hints)] == [
        "compose.yaml:17: services.cache.environment.V: compose reads 1.10 as 1.1"
    ]


def test_a_port_that_is_written_out_is_a_hint(checked):
    found = checked(_compose('["8000"]', '["8000"]\n        x-seeder: {local: {command: [serve, "8000"]}}'))
    assert "the port 8000 is written out" in _said(found.hints)[0]


HOST = _compose('["8000"]', '["8000"]\n        network_mode: host')
SOCKET = _compose('["8000"]', '["8000"]\n        volumes: ["/var/run/docker.sock:/var/run/docker.sock"]')


@pytest.mark.parametrize(("changes", "cause"), [(HOST, "uses the network of the host"), (SOCKET, "may use the docker socket")])
def test_what_docker_refuses_is_an_error_where_a_run_takes_docker(checked, changes, cause):
    auto = checked(changes)
    assert [f"refused on docker: {cause}" in said for said in _said(auto.errors)] == [True]
    docker = checked({**changes, M: ("  policy: ci", "  policy: ci\n  runtime: docker")})
    assert [f"orders: {cause}" in said for said in _said(docker.errors)] == [True]
    local = checked({**changes, M: ("  policy: ci", "  policy: ci\n  runtime: local")})
    assert [said.partition(" -> ")[0] for said in _said(local.errors)] == ["compose.yaml:10: orders: it has no local form"]


def test_what_a_stub_cannot_do_without_containers_is_refused_where_it_stands(checked):
    mapping = '{"request": {"url": "/a"},\n"response": {"body": "{{now}}",\n"transformers": ["response-template"]}}\n'
    changes = {
        **_compose("      events:", "      outside:\n        image: wiremock/wiremock:3.13.2\n      events:"),
        "testdata/golden/checkout/outside/mappings/a.json": mapping,
    }
    assert _said(checked(changes).errors) == []  # docker, where an engine answers
    local = _said(checked({**changes, M: ("  policy: ci", "  policy: ci\n  runtime: local")}).errors)
    cause = "a.json:3: response.transformers: response.transformers is not known without containers"
    assert f"{cause} -> use --runtime docker, or write it otherwise" in local


def test_what_local_refuses_is_a_hint_where_some_services_are_meant_to_run_there(checked):
    changes = _compose('["8000"]', '["8000"]\n        x-seeder: {local: {command: [serve, "--port", "8000"]}}')
    found = checked(changes)
    assert not found.errors
    assert any("orders: refused on local: its local command has the port 8000" in said for said in _said(found.hints))


def test_what_local_refuses_is_a_hint_where_no_docker_engine_answers_here(checked, monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    checked()
    found = check_project(tmp_path, {}, NOW)
    assert not found.errors
    said = "\n".join(map(str, found.hints))
    assert "docker: cannot be used here, so that a run takes local: " in said
    assert "orders: refused on local: it has no local form" in said


def test_a_folder_that_is_not_there_is_told_where_it_is_written(checked):
    changes = _compose('["8000"]', '["8000"]\n        x-seeder: {local: {command: [serve, "{port}"], cwd: webb}}')
    found = checked({**changes, M: ("  policy: ci", "  policy: ci\n  runtime: local")})
    [said] = _said(found.errors)
    assert said.startswith("compose.yaml:13: orders: local.cwd: there is no folder webb -> it counts from")


def test_a_variable_that_is_not_set_is_a_hint(checked):
    [hint] = _said(checked(_compose("POSTGRES_PASSWORD: app", 'POSTGRES_PASSWORD: "${PW}", A: $$B, C: "${D:-}"')).hints)
    assert hint.startswith("compose.yaml:4: services.orders-db.environment.POSTGRES_PASSWORD: the variable PW is not set")
    assert hint.endswith(" -> set PW in the environment or in .env; ${PW:-} says that it may be empty")


HOSTS = """\
        environment:
          A: postgresql://app:app@order-db:5432/app
          B_HOST: orders-dbb
          C: http://localhost:80,https://example.com/x,s3://bucket/x,http://vault:1
          D_HOST: 0.0.0.0
          E: nats://u:p@events:4222,evnts:4222
        extra_hosts: ["vault:10.0.0.1"]
    """


def test_a_host_that_no_service_has_is_a_hint(checked):
    hints = _said(checked({"compose.yaml": COMPOSE.rstrip(" ") + HOSTS}).hints)
    assert [hint.partition("environment.")[2] for hint in hints] == [
        "A: no service is called order-db -> did you mean 'orders-db'?",
        "B_HOST: no service is called orders-dbb -> did you mean 'orders-db'?",
        "E: no service is called evnts -> did you mean 'events'?",
    ]


def test_what_keeps_state_and_has_no_engine_is_a_hint(checked):
    found = checked(_compose("image: redis:8", 'image: redis:8\n      maria: {image: "mariadb:11"}\n      admin: {image: mongo-express}'))
    assert found.errors == []
    [hint] = _said(found.hints)
    assert hint.startswith("compose.yaml:8: maria: no engine knows mariadb yet: it runs as a plain service and begins empty; its state")


def test_a_profile_that_no_service_has_is_told(checked):
    changes = _compose("image: redis:8", "image: redis:8\n        profiles: [load]")
    changes[M] = ("    compose: compose.yaml", "    profiles: [laod]\n    compose: compose.yaml")
    assert "profile laod: no service has this profile -> did you mean 'load'?" in _said(checked(changes).errors)[0]


def test_a_folder_without_a_project_is_told(tmp_path):
    [problem] = check_project(tmp_path, {}, NOW).errors
    assert "seeder init" in problem.remedy


COUNTED = "(paths count from the manifest's folder)"
ONE_CAUSE = {
    "a compose file that is not there": (
        {M: ("compose: compose.yaml", "compose: compse.yaml")},
        f"manifest.yaml:9: stacks.shop.compose: there is no file compse.yaml -> did you mean 'compose.yaml'? {COUNTED}",
    ),
    "a dataset's folder that is not there": (
        {M: ("path: testdata/golden/checkout", "path: testdata/golden/chekout")},
        f"manifest.yaml:15: datasets.0.path: there is no folder testdata/golden/chekout -> did you mean 'checkout'? {COUNTED}",
    ),
    "a key that is needed and misspelt": (
        {M: ("stacks:", "stak:")},
        "manifest.yaml:7: stak: there is no such key here -> did you mean 'stacks'?",
    ),
    "a word that is misspelt": (
        {M: ("kind: golden", "kind: gold")},
        "manifest.yaml:13: datasets.0.kind: 'gold' is not among 'reference', 'config', 'golden' or 'fixture' -> did you mean 'golden'?",
    ),
}


@pytest.mark.parametrize("name", ONE_CAUSE)
def test_what_has_one_cause_is_told_once_with_what_was_meant(checked, name):
    changes, said = ONE_CAUSE[name]
    assert _said(checked(changes, locked=False).errors) == [said]


OVERLAY = "compose.seeder.yaml"
TWO = {M: ("compose: compose.yaml", f"compose: [compose.yaml, {OVERLAY}]")}


def test_what_stands_in_another_file_than_the_service_is_told_there(checked):
    overlay = """\
        services:
          orders-db:
            x-seeder:
              migrate: {sql: migration}
          orders:
            x-seeder:
              export: {A: "{order-db.url}"}
              local: {command: [serve, "{prt}"]}
        x-seeder:
          gates:
            counts: {ordersdb.a: 1}
        """
    plain = COMPOSE.replace("        x-seeder: {migrate: {sql: migrations}}\n", "")
    said = _said(checked({**TWO, "compose.yaml": plain, OVERLAY: overlay}, locked=False).errors)
    assert [text.partition(": ")[0] for text in said if OVERLAY in text] == [f"{OVERLAY}:{line}" for line in (4, 7, 8, 11)], said


def test_a_service_that_only_another_file_knows_by_a_like_name_hides_nothing_of_the_scenario(checked):
    overlay = "services:\n  ordrs:\n    x-seeder: {ready: {http: /}}\n"
    scenario = dedent(PROJECT[S]).replace("store: orders-db", "store: orders-dbb").replace("http: orders", "http: order")
    assert _said(checked({**TWO, OVERLAY: overlay, S: scenario}).errors) == [
        f"{OVERLAY}:2: services.ordrs: has neither an image nor a build -> did you mean 'orders'? Else add image: or build:",
        "ready.yaml:12: expect query: stack shop has no store orders-dbb -> did you mean 'orders-db'?",
        "ready.yaml:15: expect http: stack shop has no service order -> did you mean 'orders'?",
    ]
