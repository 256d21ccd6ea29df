"""A stack as it is read from its compose files."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from seeder.definition.alone import alone
from seeder.definition.compose import project_name, read_stack
from seeder.definition.manifest import StackEntry
from seeder.definition.stack import Stack
from seeder.errors import DefinitionError, Problem, UsageError
from seeder.registry import traits

SHOP = """\
    services:
      orders-db: {image: "postgres:17"}
      billing-db: {image: "postgres:17"}
      orders-migrate:
        image: shop
        depends_on: [orders-db]
        x-seeder: {only: compose}
      orders:
        image: shop
        environment: {DATABASE_URL: "postgresql://orders-db/x", BILLING_URL: "http://billing:8000"}
        depends_on: {orders-db: {condition: service_healthy}, orders-migrate: {condition: service_completed_successfully}}
      billing:
        image: shop
        environment: {DB_HOST: billing-db}
        depends_on: {mail: {condition: service_started, required: false}}
      mail: {image: mailpit}
      debug: {image: shop, profiles: [debug, tools], depends_on: [orders]}
      load: {image: shop, profiles: [load]}
    """


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str, *more: str, **options) -> Stack:
        files = []
        for number, content in enumerate((text, *more)):
            files.append(tmp_path / f"compose{number or ''}.yaml")
            files[-1].write_text(textwrap.dedent(content))
        entry = StackEntry("shop", "1.0", tuple(files), options.pop("entry_profiles", ()))
        return read_stack(entry, **{"environment": {}, "engines": traits(), **options})

    return read


@pytest.fixture
def problems(read):
    def problems(text: str, *more: str, **options) -> list[Problem]:
        with pytest.raises(DefinitionError) as refused:
            read(text, *more, **options)
        return list(refused.value.problems)

    return problems


def test_what_takes_no_part_has_a_reason(read):
    stack = read(SHOP)
    assert set(stack.services) == {"orders-db", "billing-db", "orders", "billing", "mail"}
    assert stack.absent == {
        "debug": "profiles debug, tools not active",
        "load": "profile load not active",
        "orders-migrate": "seeder replaces it (only: compose)",
    }


def test_edges_to_what_seeder_replaces_are_dropped(read):
    assert [edge.service for edge in read(SHOP).services["orders"].depends_on] == ["orders-db"]


def test_part_of_a_stack_is_closed_over_dependencies_and_links(read):
    stack = read(SHOP, only=["orders"])
    assert set(stack.services) == {"orders", "orders-db", "billing", "billing-db"}
    assert stack.absent["mail"] == "not needed by orders"  # not required
    assert not stack.services["billing"].depends_on


@pytest.mark.parametrize(
    ("migrate", "there"),
    [("alembic: a.ini, as: orders", True), ("service: orders", True), ("alembic: a.ini", True), ("sql: migrations", False)],
)
def test_a_database_brings_the_service_that_migrates_it(read, migrate, there):
    text = SHOP.replace('orders-db: {image: "postgres:17"}', f'orders-db: {{image: "postgres:17", x-seeder: {{migrate: {{{migrate}}}}}}}')
    stack = read(text, only=["orders-db"])
    assert ("orders" in stack.services) is there
    assert ("orders" in alone(read(text), "orders-db").services) is there


def test_a_part_without_needs_is_alone(read):
    stack = read(SHOP, only=["mail"])
    assert set(stack.services) == {"mail"}
    assert stack.stores == {}
    assert stack.links == ()


def test_a_service_that_is_named_needs_no_profile(read):
    stack = read(SHOP, only=["debug"])
    assert {"debug", "orders", "billing"} <= set(stack.services)
    assert "load" in stack.absent


def test_an_unknown_part_is_a_usage_error_with_the_nearest_name(read):
    with pytest.raises(UsageError) as refused:
        read(SHOP, only=["order"])
    assert refused.value.problems[0].remedy == "did you mean 'orders'?"


@pytest.mark.parametrize("options", [{"profiles": ["load"]}, {"entry_profiles": ("load",)}, {"environment": {"COMPOSE_PROFILES": "load"}}])
def test_profiles_come_from_the_command_the_manifest_or_the_environment(read, options):
    assert "load" in read(SHOP, **options).services


def test_the_star_activates_every_profile(read):
    assert {"debug", "load"} <= set(read(SHOP, profiles=["*"]).services)


def test_links_and_stores_are_those_of_the_part(read):
    stack = read(SHOP)
    assert {(link.client, link.server, link.port) for link in stack.links} == {
        ("orders", "orders-db", 5432), ("orders", "billing", 8000), ("billing", "billing-db", 5432),
    }  # fmt: skip
    assert sorted(stack.stores) == ["billing-db", "orders-db"]


def test_services_know_where_they_were_written(read):
    stack = read("services:\n  a: {image: x}\n", "services:\n  a: {hostname: h}\n\n  b: {image: x}\n")
    assert [(service.mark.file.name, service.mark.line) for service in stack.services.values()] == [
        ("compose.yaml", 2),
        ("compose1.yaml", 4),
    ]


def test_every_further_file_is_named(read, tmp_path):
    (tmp_path / ".env").write_text("A=1\n")
    (tmp_path / "e.env").write_text("B=1\n")
    (tmp_path / "part").mkdir()
    (tmp_path / "part/base.yaml").write_text("services: {base: {image: x}}\n")
    (tmp_path / "part/more.yaml").write_text("services: {more: {image: x}}\n")
    stack = read(
        """\
        include: [part/more.yaml]
        services:
          a: {extends: {file: part/base.yaml, service: base}, env_file: e.env}
        """
    )
    assert sorted(str(path.relative_to(tmp_path)) for path in stack.env_files) == [".env", "e.env", "part/base.yaml", "part/more.yaml"]
    assert stack.files == (tmp_path / "compose.yaml",)


def test_the_extension_is_filled_in_and_merged_over_several_files(read):
    stack = read(
        """\
        services:
          api:
            image: x
            x-seeder: {ready: {http: /a}, export: {ONE: "1"}, inputs: [a], local: {command: [run, --slow]}}
        x-seeder: {references: [db.a.b -> db.c.d]}
        """,
        """\
        services:
          api: {x-seeder: {ready: {http: "/${ROUTE}"}, export: {TWO: "2"}, inputs: [b], local: {command: [run]}}}
          db: {image: "postgres:17"}
        x-seeder: {references: [db.s.a.b -> db.c.d]}
        """,
        environment={"ROUTE": "ready"},
    )
    x = stack.services["api"].x
    assert (x.ready.http, x.export, x.inputs, x.local.command) == ("/ready", {"ONE": "1", "TWO": "2"}, ["a", "b"], ["run"])
    assert [str(reference) for reference in stack.references] == ["db.a.b -> db.c.d", "db.s.a.b -> db.c.d"]


def test_references_to_stores_that_take_no_part_are_left_out(read):
    text = SHOP + "x-seeder: {references: [orders-db.a.b -> billing-db.c.d, billing-db.a.b -> billing-db.c.d]}\n"
    assert len(read(text).references) == 2
    assert len(read(text, only=["billing"]).references) == 1


def test_references_of_databases_in_one_server(read):
    stack = read(
        """\
        services: {pg: {image: "postgres:17", x-seeder: {databases: {orders: {}, customers: {}}}}}
        x-seeder: {references: [pg/orders.orders.customer_id -> pg/customers.customers.id]}
        """
    )
    assert (stack.references[0].source.store, stack.references[0].target.table) == ("pg/orders", "customers")


def test_everything_wrong_with_extensions_is_told_with_its_line(problems):
    found = problems(
        """\
        services:
          api:
            image: x
            x-seeder:
              faults: {}
              redy: {http: /}
              ready: {within: 5}
              auth:
                mtls: {}
        x-seeder:
          references: [nowhere.a.b -> api.c.d, a.b]
          links: []
        """
    )
    assert {(p.subject, p.mark.line, p.cause) for p in found} >= {
        ("services.api.x-seeder.faults", 5, "is not supported yet"),
        ("services.api.x-seeder.redy", 6, "there is no such key here"),
        ("services.api.x-seeder.auth.mtls", 9, "is not supported yet"),
        ("x-seeder.links", 12, "is not supported yet"),
    }
    assert {p.remedy for p in found if p.subject.endswith("redy")} == {"did you mean 'ready'?"}


def test_a_reference_that_names_no_store_offers_the_nearest(problems):
    text = SHOP + "x-seeder: {references: [order-db.a.b -> billing-db.c.d, orders-db.a -> billing-db.c.d, x]}\n"
    assert [p.remedy for p in problems(text)] == [
        "did you mean 'orders-db'?", "write orders-db.table.column", "write store.table.column -> store.table.column",
    ]  # fmt: skip


def test_problems_of_all_files_are_told_at_once(problems):
    found = problems("services:\n  a: {imag: x}\n", "services:\n  b: {image: x, port: [1]}\nvolume: {}\n")
    assert [(p.mark.file.name, p.mark.line) for p in found] == [
        ("compose.yaml", 2), ("compose.yaml", 2), ("compose1.yaml", 2), ("compose1.yaml", 3),
    ]  # fmt: skip


def test_a_problem_of_a_file_that_is_extended_is_told_once(problems, tmp_path):
    (tmp_path / "base.yaml").write_text("services:\n  base:\n    image: x\n    portss: []\n")
    text = "services:\n  a: {extends: {file: base.yaml, service: base}}\n  b: {extends: {file: base.yaml, service: base}}\n"
    assert [(p.mark.file.name, p.mark.line) for p in problems(text) if p.mark.file.name == "base.yaml"] == [("base.yaml", 4)]


def test_what_only_containers_can_honour_is_named(read):
    service = read(
        """\
        services:
          a:
            image: x
            cap_add: [NET_ADMIN]
            sysctls: {}
            init: false
            labels: {a: b}
            deploy: {resources: {limits: {memory: 1G}}, labels: {a: b}}
            ulimits: {nproc: 1}
        """
    ).services["a"]
    assert service.unhonoured == ("cap_add", "deploy.resources", "ulimits")


def test_contents_of_configs_and_secrets(read, tmp_path):
    mounts = read(
        """\
        services:
          a: {image: x, configs: [inline, file], secrets: [variable, {source: away, target: /etc/away}]}
        configs: {inline: {content: "port ${PORT:-80}"}, file: {file: ./f.conf}}
        secrets: {variable: {environment: TOKEN}, away: {external: true}}
        """,
        environment={"TOKEN": "t"},
    ).services["a"].mounts  # fmt: skip
    assert [(m.kind, m.target, m.source, m.content, m.read_only) for m in mounts] == [
        ("config", "/inline", None, "port 80", True),
        ("config", "/file", str(tmp_path / "f.conf"), None, True),
        ("secret", "/run/secrets/variable", None, "t", True),
        ("secret", "/etc/away", None, None, True),
    ]


def test_a_target_leads_nowhere_above_the_container_s_root(read):
    mounts = read(
        """\
        services:
          a:
            image: x
            configs: [{source: c, target: /../../etc/c}]
            tmpfs: [/../t]
            volumes: ["../../b:/../b", {type: volume, source: v, target: ../v/../../w}]
        configs: {c: {content: c}}
        volumes: {v: {}}
        """
    ).services["a"].mounts  # fmt: skip
    assert [m.target for m in mounts] == ["/b", "/w", "/t", "/etc/c"]


@pytest.mark.parametrize("text", ["services: {..: {image: x}}", "services: {a: {image: x}}\nvolumes: {.: {}}"])
def test_nothing_is_named_after_a_folder_above(problems, text):
    (problem,) = problems(text)
    assert "and not . or .." in problem.cause


def test_a_limit_of_migrations_is_a_duration_and_no_wish(problems):
    for migrate, cause in (("{command: [x], within: soon}", "duration"), ("{sql: x, within: 5m}", "no such limit")):
        (problem,) = problems(f"services: {{a: {{image: 'postgres:17', x-seeder: {{migrate: {migrate}}}}}}}")
        assert cause in problem.cause


def test_the_limit_of_settling_is_a_duration(problems, read):
    assert read("services: {a: {image: x}}").x.settle.within == 60
    assert read("services: {a: {image: x}}\nx-seeder: {settle: {within: 2m}}").x.settle.within == 120
    (problem,) = problems("services: {a: {image: x}}\nx-seeder: {settle: {within: soon}}")
    assert "is not a duration" in problem.cause


def test_services_that_wait_for_each_other_are_shown_in_a_circle(problems):
    (problem,) = problems("services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [a]}\n")
    assert "a -> b -> a" in problem.cause or "b -> a -> b" in problem.cause


def test_two_containers_cannot_have_one_name(problems):
    (problem,) = problems("services:\n  a: {image: x, container_name: c}\n  b: {image: x, container_name: c}\n")
    assert (problem.subject, problem.mark.line) == ("services.b.container_name", 3)


def test_a_missing_file_is_a_definition_error(tmp_path):
    with pytest.raises(DefinitionError, match="cannot be read"):
        read_stack(StackEntry("shop", "1", (tmp_path / "nowhere.yaml",)), engines=traits(), environment={})


def test_the_projects_name_is_composes(tmp_path):
    assert project_name(tmp_path / "My Shop_2.x") == "myshop_2x"
    assert project_name(tmp_path / "_-x") == "x"


def test_raw_env_files_are_refused_until_they_can_be_read(problems, tmp_path):
    (tmp_path / "e.env").write_text("A=1\n")
    (problem,) = problems("services:\n  a: {image: x, env_file: [{path: e.env, format: raw}]}\n")
    assert "not supported yet" in problem.cause


def test_a_file_that_cannot_be_read_is_not_blamed_on_the_others(problems):
    more = "services:\n  db: {x-seeder: {volatile: [a.b]}}\n  web: {depends_on: [db]}\n"
    [problem] = problems("services:\n\tdb: {image: redis}\n", more)
    assert "this is not YAML" in problem.cause


def test_a_profile_that_no_service_has_is_refused(problems):
    [problem] = problems(SHOP, profiles=["tool"])
    assert str(problem) == "profile tool: no service has this profile\n    -> did you mean 'tools'?"
