"""What a manifest says of shared systems: what is wrong with it, who may attach, and what clients send there."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seeder import environment, variables
from seeder.check import check_project
from seeder.definition.claim import signed
from seeder.definition.manifest import read_project
from seeder.definition.request import Definition, Request, resolve, taking_part
from seeder.definition.stack import Stack
from seeder.errors import DefinitionError, SeederError, UsageError
from seeder.evidence import redact
from seeder.graph import mutations
from seeder.passed.run import Run
from seeder.passed.target import Address, Target
from seeder.plan import make
from seeder.registry import RUNTIMES, traits
from seeder.testing.database import Databases
from tests.unit.test_plan import NOW

COMPOSE = """\
    services:
      orders-db: {image: "postgres:17", environment: {POSTGRES_PASSWORD: app}}
      orders:
        image: python:3.13-slim
        ports: ["8000"]
        x-seeder: {auth: {bearer: {token: their-own-token}}, local: {command: [serve, "{port}"]}}
    """
TARGET = """
targets:
  staging:
    stack: shop
    attachable: true
    isolation: tenant
    services: {orders: {url: "https://orders.example/api/", header: X-Tenant, auth: {bearer: {token: "${TOKEN}"}}}}
    stores: {orders-db: "postgresql://app:${PASSWORD}@db.example:5432/orders"}
"""
GIVEN = {"TOKEN": "of-staging", "PASSWORD": "p"}


@pytest.fixture
def folder(shop) -> Path:
    made: Path = shop({"compose.yaml": COMPOSE})
    told = made / "manifest.yaml"
    told.write_text(told.read_text() + TARGET)
    return made


def attached(folder: Path, variables: dict[str, str] | None = None, **more: str) -> Definition:
    asked = Request(stack="shop", **{"target": "staging", **more})
    return resolve(read_project(folder / "manifest.yaml"), asked, traits(), GIVEN if variables is None else variables)


def test_clients_say_who_asks_and_for_which_tenant(folder: Path) -> None:
    definition = attached(folder)
    assert definition.runtime == "attached"
    headers = environment.credentials(definition.stack, "orders", "sd-abcdefgh")
    assert headers == {"Authorization": "Bearer of-staging", "X-Tenant": "sd-abcdefgh"}
    assert definition.stack.shared is not None
    assert definition.stack.shared.urls == {"orders": "https://orders.example/api"}
    assert definition.stack.shared.stores == {"orders-db": "postgresql://app:p@db.example:5432/orders"}


def test_a_claim_of_a_token_says_for_which_tenant(folder: Path) -> None:
    told = folder / "manifest.yaml"
    claim = 'claim: {name: tenant, key: "${TOKEN}", beside: {sub: tests}}'
    told.write_text(told.read_text().replace('header: X-Tenant, auth: {bearer: {token: "${TOKEN}"}}', claim))
    stack = attached(folder, {**GIVEN, "TOKEN": "a-key-of-staging"}).stack
    _, token = environment.credentials(stack, "orders", "sd-abcdefgh")["Authorization"].split()
    said, signature = token.split(".")[1:]
    claims = json.loads(base64.urlsafe_b64decode(said + "=="))
    assert (claims["sub"], claims["tenant"], claims["exp"] - claims["iat"]) == ("tests", "sd-abcdefgh", 86400)
    assert signed(claims, "a-key-of-staging").endswith(f".{signature}")
    assert signed(claims, "another") != token
    assert redact.text("a-key-of-staging", redact.secrets_of(stack)) == "***"


def test_the_command_is_told_how_to_be_the_tenant_and_no_token_is_kept_as_evidence(folder: Path) -> None:
    def told(stack: Stack) -> dict[str, Any]:
        run = SimpleNamespace(id="abcdefgh", project="shop", stack="shop", runtime="attached", seed=1, moment="", mark="sd-abcdefgh")
        run.told, run.folder = {}, folder
        here: Any = SimpleNamespace(run=run, stack=stack, keys={}, scenario=None, plan=SimpleNamespace(definition=attached(folder, given)))
        here.tenant = lambda service: environment.tenant(stack, service, run.mark)
        here.address, here.ports = lambda *_: Address("h", 1), lambda name: {8000: Address("h", 1)} if name == "orders" else {}
        here.target, here.reach = lambda name: Target.at(name, "postgres", stack.shared.stores[name], 5432), lambda _: "http://h:1"
        found: dict[str, Any] = variables.document(here)
        return found

    given = {**GIVEN, "TOKEN": "a-key-of-staging"}
    assert told(attached(folder, given).stack)["services"]["orders"]["headers"] == {"X-Tenant": "sd-abcdefgh"}
    file = folder / "manifest.yaml"
    claim = 'claim: {name: tenant, key: "${TOKEN}"}'
    file.write_text(file.read_text().replace('header: X-Tenant, auth: {bearer: {token: "${TOKEN}"}}', claim))
    whole = told(attached(folder, given).stack)
    assert whole["services"]["orders"]["headers"]["Authorization"].startswith("Bearer ey")
    assert redact.tree(whole)["services"]["orders"]["headers"] == {"Authorization": "***"}


def test_what_the_target_does_not_declare_is_said_to_be_that(folder: Path) -> None:
    file = folder / "manifest.yaml"
    file.write_text(file.read_text().replace('    stores: {orders-db: "postgresql://app:${PASSWORD}@db.example:5432/orders"}\n', ""))
    stack = attached(folder).stack
    with pytest.raises(UsageError, match="orders-db: is not part of this run: target staging does not declare it") as told:
        taking_part(stack, stack.stores, "orders-db", "store")
    assert told.value.problems[0].remedy == "say in the manifest how it is reached: targets.staging"
    with pytest.raises(UsageError, match="orders-dc: stack shop has no such store"):
        taking_part(stack, stack.stores, "orders-dc", "store")


def test_databases_of_tests_are_refused_in_a_shared_system_before_their_names_are_looked_at(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    databases = Databases(tmp_path, "test", folder, Request(stack="shop", target="staging"))
    with (
        databases.of_test(None, {}) as given,
        pytest.raises(UsageError, match="is a database for one test, and target staging is shared"),
    ):
        given("anything")


def test_tokens_are_signed_as_others_sign_them() -> None:
    """The example of https://jwt.io"""
    token = signed({"sub": "1234567890", "name": "John Doe", "iat": 1516239022}, "your-256-bit-secret")
    assert token == (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ"
        ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
    )


def test_the_port_of_an_address_is_a_number(folder: Path) -> None:
    told = folder / "manifest.yaml"
    told.write_text(told.read_text().replace("db.example:5432", "db.example:port"))
    with pytest.raises(DefinitionError, match="its port is no number"):
        attached(folder)


def test_addresses_without_ports_are_known_when_it_is_attached(folder: Path, tmp_path: Path) -> None:
    told = folder / "manifest.yaml"
    told.write_text(told.read_text().replace("db.example:5432", "db.example"))
    definition = attached(folder)
    us = Run("abcdefgh", "shop", "shop", "attached", tmp_path, folder, NOW, 42, NOW)
    found = RUNTIMES.get("attached").open(us, definition.stack, lambda _: None, {}, isolate_binds=False).prepare({})
    assert {name: str(address) for (name, _), address in found.items()} == {"orders": "orders.example:443", "orders-db": "db.example:5432"}


@pytest.mark.parametrize(
    ("url", "port"), [("postgresql://db.example/orders", 5432), ("https://db.example/", 443), ("postgresql://db.example:6432/orders", 6432)]
)
def test_a_store_without_a_port_is_asked_at_the_usual_one(url: str, port: int) -> None:
    assert Target.at("orders-db", "postgres", url, traits()["postgres"].port).address.port == port


def test_passwords_of_its_addresses_are_kept_out_of_the_evidence(folder: Path) -> None:
    told = folder / "manifest.yaml"
    told.write_text(told.read_text().replace("https://orders", "https://ann:${PASSWORD}@orders"))
    known = redact.secrets_of(attached(folder, {**GIVEN, "PASSWORD": "correct-horse"}).stack)
    assert redact.text("ann and correct-horse", known) == "ann and ***"


def test_events_are_not_tried_in_it(folder: Path) -> None:
    with pytest.raises(UsageError, match="takes stores back between variants, and target staging is shared"):
        mutations.base(make(attached(folder), RUNTIMES.get("attached"), "asked for", NOW))


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("header: X-Tenant, ", "", "isolation is tenant, and it names neither"),
        ("header: X-Tenant", "header: X-Tenant, claim: {name: t, key: k}", "isolation is tenant, and it names header and claim"),
        ("header: X-Tenant", "claim: {name: t, key: k}", "has both auth and a claim"),
        ("isolation: tenant", "isolation: prefix", "isolation is prefix, and it names a header"),
        ("services: {orders", "services: {order", "stack shop has no service order"),
        ("stores: {orders-db", "stores: {order-db", "stack shop has no store order-db"),
        ("isolation: tenant\n", "isolation: tenant\n    ranges: {orders-db.orders.id: [9, 3]}\n", "ends before it begins: 9, 3"),
        (
            "isolation: tenant\n",
            "isolation: tenant\n    ranges: {orders-db.orders.id: [1, 4095]}\n",
            "holds 4,095 numbers, and each run takes",
        ),
        ("isolation: tenant\n", "isolation: tenant\n    marks: {orders.place: {column: db.orders.id}}\n", "'db.orders.id' names no store"),
    ],
)
def test_what_a_target_gets_wrong_is_told_by_check_and_before_anybody_attaches(folder: Path, old: str, new: str, cause: str) -> None:
    told = folder / "manifest.yaml"
    text = told.read_text()
    assert old in text
    told.write_text(text.replace(old, new))
    assert any(cause in problem.cause for problem in check_project(folder, {}, NOW).errors)
    with pytest.raises(DefinitionError) as refused:
        attached(folder)
    assert any(cause in problem.cause and problem.mark for problem in refused.value.problems)


def test_variables_are_asked_for_when_somebody_attaches(folder: Path) -> None:
    assert not [problem for problem in check_project(folder, {}, NOW).errors if "staging" in problem.subject]
    with pytest.raises(SeederError) as refused:
        attached(folder, {"TOKEN": "t"})
    assert [problem.cause for problem in refused.value.problems] == ["the variable PASSWORD is not set"]
