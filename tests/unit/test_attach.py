"""What a plan refuses to do in a system that others use, too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, cast

import pytest

from seeder.check import check_project
from seeder.definition.manifest import read_project
from seeder.definition.request import Definition, Request, resolve
from seeder.errors import DefinitionError, EnvironmentFailed
from seeder.passed.target import Target
from seeder.plan import make
from seeder.registry import RUNTIMES, traits
from seeder.session import Session
from tests.unit.test_plan import NOW

NO_FILES: Mapping[str, str] = MappingProxyType({})
COMPOSE = """\
    services:
      cache: {image: "redis:8"}
      outside: {image: "wiremock/wiremock:3"}
      orders:
        image: python:3.13-slim
        ports: ["8000"]
        x-seeder: {cache: {disable: {CACHE: "off"}}}
    """
TARGET = """
targets:
  staging:
    stack: shop
    attachable: true
    isolation: prefix
    services: {orders: {url: "http://orders.example"}}
    stores: {cache: "redis://cache.example:6379/0", outside: "http://outside.example"}
"""
SCENARIO = """\
scenario: ready
version: "1.0.0"
stack: shop
"""


def resolved(shop: Any, scenario: str, files: Mapping[str, str] = NO_FILES) -> Definition:
    folder: Path = shop({"compose.yaml": COMPOSE, "testdata/scenarios/ready.yaml": SCENARIO + scenario, **files})
    told = folder / "manifest.yaml"
    told.write_text(told.read_text().partition("datasets:")[0].replace("  policy: ci\n", "") + TARGET)
    assert not check_project(folder, {}, NOW).errors
    return resolve(read_project(told), Request(stack="shop", scenario="ready", target="staging"), traits(), {})


def refused(shop: Any, scenario: str, files: Mapping[str, str] = NO_FILES) -> list[str]:
    with pytest.raises(DefinitionError) as found:
        make(resolved(shop, scenario, files), RUNTIMES.get("attached"), "asked for", NOW)
    return [str(problem) for problem in found.value.problems]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("invalidate", 'keys: "*"'),
        ("ttl", 'keys: "*", left: 2s'),
        ("expire", 'keys: "*"'),
        ("stale", "key: price, value: 1"),
    ],
)
def test_steps_that_touch_keys_of_others_are_refused(shop: Any, name: str, given: str) -> None:
    (told,) = refused(shop, f"steps:\n  gone: {{use: cache.{name}, with: {{{given}}}}}\n")
    assert f"ready.yaml:5: step gone: cache.{name} touches what is not its own, and target staging is shared" in told


def test_a_cache_may_be_warmed(shop: Any) -> None:
    asked = resolved(shop, "steps:\n  warm: {use: cache.warm, with: {service: orders, paths: [/]}}\n")
    assert [one.step.name for one in make(asked, RUNTIMES.get("attached"), "asked for", NOW).calls] == ["warm"]  # type: ignore[union-attr]


def test_a_cache_that_would_be_switched_off_is_refused(shop: Any) -> None:
    (told,) = refused(shop, "caches: {orders: disabled}\n")
    assert "ready.yaml:4: caches.orders: would be switched off, and target staging is shared" in told


def test_files_that_no_shared_store_takes_are_not_said_to_need_its_declaration(shop: Any) -> None:
    data = "datasets:\n  - {name: gold, kind: golden, version: '1', path: gold}\n"
    files = {"testdata/scenarios/ready.yaml": SCENARIO + "data: [gold]\n", "gold/cache/keys.jsonl": ""}
    folder: Path = shop({"compose.yaml": COMPOSE, **files})
    told = folder / "manifest.yaml"
    target = TARGET.replace('cache: "redis://cache.example:6379/0", ', "")
    told.write_text(told.read_text().partition("datasets:")[0].replace("  policy: ci\n", "") + data + target)
    definition = resolve(read_project(told), Request(stack="shop", scenario="ready", target="staging"), traits(), {})
    with pytest.raises(DefinitionError, match=r"gold@1: has files for cache, .*nobody could take back") as refused:
        make(definition, RUNTIMES.get("attached"), "asked for", NOW)
    assert [one.remedy for one in refused.value.problems] == ["leave gold@1 out, and make the state by steps"]


GENERATORS = """\
owner: orders-team
generators:
  orders.sweep: {use: http, version: "1", service: orders, path: /sweep, undo: nothing, shared: false, outputs: {type: object}}
"""


def test_a_generator_behind_http_may_be_for_systems_of_ones_own_alone(shop: Any) -> None:
    (told,) = refused(shop, "steps:\n  gone: {use: orders.sweep}\n", {"generators/orders.yaml": GENERATORS})
    assert "step gone: orders.sweep touches what is not its own, and target staging is shared" in told


def test_a_test_does_not_tell_a_stub_of_others_what_to_answer(shop: Any) -> None:
    stack = resolved(shop, "").stack
    environment = SimpleNamespace(stack=stack, target=lambda name: Target.at(name, "stub", "http://outside.example:80", 8080))
    stub = Session(cast("Any", environment), cast("Any", None), {}).stub("outside")
    for change in (lambda: stub.answer({"id": "1"}), lambda: stub.forget("1")):
        with pytest.raises(EnvironmentFailed, match="outside: a mapping of outside: the environment is attached to staging"):
            change()
