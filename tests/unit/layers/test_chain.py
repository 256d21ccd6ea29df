"""What a change of the definition leaves of the layers: each reuses exactly what it may, and the plan says from where."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from seeder.passed.layer import Chain, Layer
from seeder.registry import MIGRATORS
from seeder.reuse import chain, shortcut
from seeder.stages import up
from tests.contract.docker_stack import docker
from tests.scenarios.failing import change
from tests.unit.layers.changing import (
    NOW,
    add_migration,
    as_of,
    change_dataset,
    change_key,
    comment,
    edit_new_migration,
    edit_old_migration,
    other_image,
    other_port,
    other_secret,
    planned,
    relock,
    service_apart,
    service_code,
    squash,
)


def chains(project: Path) -> dict[str, Chain]:
    return chain.of(planned(project))


def every_layer(made: Mapping[str, Chain]) -> dict[str, Layer]:
    """As if every state of the chains had been kept."""
    return {one.key(state): Layer(state.id, one.form, "/nowhere", 1, NOW, NOW) for one in made.values() for state in one.states}


def begins(project: Path, layers: Mapping[str, Layer]) -> dict[str, str]:
    """Server -> the last thing that the layer at which it begins holds."""
    plan = dataclasses.replace(planned(project), chains=chains(project))
    short = shortcut.take(plan, plan.chains, {}, layers)
    return {server: plan.chains[server].states[begin.place - 1].subject for server, begin in short.begins.items()}


SEEDED, CACHE = "notes@1.0.0", "notes@1.0.0"


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        pytest.param(lambda _: None, {"db": SEEDED, "cache": CACHE}, id="nothing"),
        pytest.param(comment, {"db": SEEDED, "cache": CACHE}, id="a comment in the compose file"),
        pytest.param(other_port, {"db": SEEDED, "cache": CACHE}, id="a published port"),
        pytest.param(other_secret, {"db": SEEDED, "cache": CACHE}, id="a secret: the id stays, the form tells"),
        pytest.param(service_code, {"db": SEEDED, "cache": CACHE}, id="a service's code: data at rest does not know it"),
        pytest.param(edit_old_migration, {"cache": CACHE}, id="an edited old migration"),
        pytest.param(edit_new_migration, {"db": "0001_notes", "cache": CACHE}, id="the newest migration edited"),
        pytest.param(add_migration, {"db": "0002_pinned", "cache": CACHE}, id="a new migration"),
        pytest.param(squash, {"cache": CACHE}, id="a squashed history"),
        pytest.param(change_dataset, {"db": "kinds@1.0.0", "cache": CACHE}, id="a changed table"),
        pytest.param(change_key, {"db": SEEDED}, id="a changed key"),
        pytest.param(other_image, {"cache": CACHE}, id="another image of a server"),
        pytest.param(as_of, {"db": "0002_pinned"}, id="another reference time"),
    ],
)
def test_a_change_leaves_what_it_does_not_touch(project: Path, act: Callable[[Path], None], expected: dict[str, str]) -> None:
    layers = every_layer(chains(project))
    act(project)
    relock(project)
    assert begins(project, layers) == expected


def test_rows_over_which_migrations_go_by_now_are_not_what_gates_ask_for(project: Path) -> None:
    """A layer that was kept where a dataset went in at the head stands for the same rows at a halt before it."""
    requires = 'requires: {stack: ">=1,<2", db: "0002.."}}'
    change(project, "manifest.yaml", requires, requires.removesuffix("}") + ', loads_at: {db: "0002_pinned"}}')
    tables = [
        {"dataset": label, "store": store, "table": "notes", "columns": ["id"], "rows": 2, "file": "testdata/notes.csv"}
        for label, store in (("notes@1.0.0", "db"), ("notes@1.0.0", "other"), ("kinds@1.0.0", "db"))
    ]
    layer = Layer("1", "form", "/nowhere", 1, NOW, NOW, {"tables": tables})
    assert len(up.loaded(layer, planned(project), project)) == 3
    add_migration(project)
    full = planned(project)
    begun = dataclasses.replace(full, halts=(), full=full)
    assert [(one.dataset, one.store) for one in up.loaded(layer, begun, project)] == [("notes@1.0.0", "other"), ("kinds@1.0.0", "db")]


def test_the_plan_says_where_a_history_goes_on_and_why(project: Path) -> None:
    layers = every_layer(chains(project))
    add_migration(project)
    plan = dataclasses.replace(planned(project), chains=chains(project))
    text = shortcut.take(plan, plan.chains, {}, layers).text()
    assert "0002_pinned -> 0003_more: 1 revision by sql  (layer of 0002_pinned found)" in text
    assert "resume" in text


def test_a_plan_without_layers_is_left_as_it_is(project: Path) -> None:
    plan = dataclasses.replace(planned(project), chains=chains(project))
    assert shortcut.take(plan, plan.chains, {}, {}).operations == plan.operations


def test_an_id_is_the_same_in_another_folder(project: Path, tmp_path: Path) -> None:
    other = shutil.copytree(project, tmp_path / "elsewhere" / "small")
    assert [one.end for one in chains(project).values()] == [one.end for one in chains(other).values()]


def test_a_secret_is_in_no_id_and_no_input(project: Path) -> None:
    for one in chains(project).values():
        told = [*one.inputs.values(), *(value for state in one.states for value in state.inputs.values())]
        assert not any("correct-horse-battery" in value for value in told)


def test_what_a_program_does_is_kept_only_if_its_inputs_are_named(project: Path) -> None:
    change(project, "compose.yaml", "migrate: {sql: migrations}", "migrate: {command: [touch, done]}")
    change(project, "manifest.yaml", ', db: "0002.."', "")
    one = chains(project)["db"]
    assert one.states == ()
    assert "inputs" in one.unkept


@pytest.mark.parametrize(("stepwise", "states"), [(True, ["0001_notes", "0002_pinned"]), (False, ["sql"])])
def test_a_migrator_has_a_state_for_each_revision_if_it_says_that_it_goes_step_by_step(project, monkeypatch, stepwise, states) -> None:
    monkeypatch.setattr(MIGRATORS.get("sql"), "stepwise", stepwise, raising=False)
    assert [state.subject for state in chains(project)["db"].states if state.verb == "migrate"] == states


def by_preset(project: Path) -> None:
    """The small project's migrations as files of golang-migrate, run by a program."""
    change(project, "compose.yaml", "{sql: migrations}", "{command: [./migrate], preset: golang-migrate, inputs: [migrations, migrate]}")
    change(project, "manifest.yaml", 'db: "0002.."', 'db: "2.."')
    (project / "migrate").write_text("#!/bin/sh\n")
    for number, file in enumerate(sorted((project / "migrations").iterdir()), 1):
        file.rename(project / f"migrations/{number}_step.up.sql")
    (project / "migrations/10_last.up.sql").write_text("create table last (id int primary key);\n")


def add_by_preset(project: Path) -> None:
    (project / "migrations/11_more.up.sql").write_text("create table more (id int primary key);\n")
    (project / "migrations/11_more.down.sql").write_text("drop table more;\n")


def touch(name: str) -> Callable[[Path], None]:
    return lambda project: change(project, name, "\n", "\n\n")


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        pytest.param(add_by_preset, "10", id="a new revision"),
        pytest.param(touch("migrations/10_last.up.sql"), "2", id="the newest revision edited"),
        pytest.param(touch("migrations/2_step.up.sql"), "1", id="an old revision edited, which its tool will not see"),
        pytest.param(touch("migrate"), None, id="the program edited"),
    ],
)
def test_a_preset_tells_the_revisions_of_a_program_apart(project: Path, act: Callable[[Path], None], expected: str | None) -> None:
    by_preset(project)
    layers = every_layer(chains(project))
    act(project)
    assert begins(project, layers).get("db") == expected


def test_a_program_with_a_preset_goes_on_where_the_layer_stands(project: Path) -> None:
    by_preset(project)
    layers = every_layer(chains(project))
    add_by_preset(project)
    plan = dataclasses.replace(planned(project), chains=chains(project))
    assert "10 -> 11: 1 revision by golang-migrate  (layer of 10 found)" in shortcut.take(plan, plan.chains, {}, layers).text()


@pytest.mark.docker
def test_a_program_run_as_a_service_of_another_image_makes_other_states(project: Path) -> None:
    by_preset(project)
    change(project, "compose.yaml", "preset: golang-migrate", "as: web, preset: golang-migrate")
    one, other = (chain.of(planned(project, "docker", images=images))["db"] for images in ({}, {"web": "python:3.14-slim"}))
    assert one.base == other.base
    assert one.end != other.end


BUILT = """
    image: redis:8
    build: {context: built, target: "", args: {FLAVOUR: plain, API_TOKEN: "s3cret-of-a-build"}}
    x-seeder: {store: redis}
"""


def dockerfile(project: Path) -> None:
    (project / "built/Dockerfile").write_text("FROM redis:8\nRUN echo changed\n")


@pytest.mark.parametrize(
    ("act", "same"),
    [
        pytest.param(comment, True, id="a comment in the compose file"),
        pytest.param(lambda at: change(at, "compose.yaml", "s3cret-of-a-build", "another"), True, id="a secret among the arguments"),
        pytest.param(lambda at: change(at, "compose.yaml", "FLAVOUR: plain", "FLAVOUR: sharp"), False, id="an argument"),
        pytest.param(lambda at: change(at, "compose.yaml", 'target: ""', "target: small"), False, id="a target"),
        pytest.param(dockerfile, False, id="the Dockerfile"),
        pytest.param(lambda at: (at / "built/init.sh").write_text("echo\n"), False, id="a file that it is built from"),
        pytest.param(
            lambda at: change(at, "compose.yaml", "{context: built,", '{context: built, dockerfile_inline: "FROM redis:8",'),
            False,
            id="a Dockerfile in the compose file",
        ),
    ],
)
@pytest.mark.parametrize("of", ["server", "service"])
def test_what_an_image_is_built_from_is_in_the_id(project: Path, act: Callable[[Path], None], same: bool, of: str) -> None:
    (project / "built").mkdir()
    (project / "built/Dockerfile").write_text("FROM redis:8\n")
    change(project, "compose.yaml", "\n    image: redis:8\n", BUILT)

    def identity() -> object:
        plan = planned(project)
        return chain.of(plan)["cache"].base if of == "server" else chain._service(plan, plan.stack.services["cache"])["program"]

    before = identity()
    act(project)
    assert (identity() == before) == same


BUILT_WEB = """
    build: {context: built}
"""


@pytest.mark.parametrize(
    ("runtime", "program"), [("local", "    image: python:3.13-slim\n"), ("local", BUILT_WEB), ("docker", "    image: python:3.13-slim\n")]
)
def test_what_a_service_runs_without_containers_is_in_the_id_there(project: Path, runtime: str, program: str) -> None:
    change(project, "compose.yaml", "    image: python:3.13-slim\n", program)
    change(project, "compose.yaml", 'volumes: ["./web:/srv:ro"]', "env_file: []")
    service_apart(project)
    (project / "built").mkdir()
    (project / "built/Dockerfile").write_text("FROM python:3.13-slim\n")

    def identity() -> object:
        plan = dataclasses.replace(planned(project), runtime=runtime)
        return chain._service(plan, plan.stack.services["web"])

    before = identity()
    service_code(project)
    assert (identity() != before) == (runtime == "local")


def test_nothing_is_put_on_a_layer_that_is_made_of_too_many(project: Path) -> None:
    layers = {name: dataclasses.replace(layer, deep=True) for name, layer in every_layer(chains(project)).items()}
    assert begins(project, layers) == {"db": SEEDED, "cache": CACHE}
    add_migration(project)
    assert begins(project, layers) == {"cache": CACHE}


@pytest.mark.docker
@pytest.mark.parametrize("given", ["    user: postgres\n", "    command: [postgres, -D, /var/lib/postgresql/data]\n", "    build: web\n"])
def test_a_server_whose_data_cannot_be_taken_from_its_image_is_not_kept(project: Path, given: str) -> None:
    change(project, "compose.yaml", "    image: postgres:17\n", f"    image: postgres:17\n{given}")
    plan = planned(project, "docker")
    one = chain.of(plan)["db"]
    assert one.states == ()
    assert "where it cannot be taken from" in one.unkept
    assert chain.of(plan)["cache"].states  # what is told in values is kept by what it holds


@pytest.mark.docker
def test_the_form_of_an_image_that_had_to_be_pulled_is_that_of_the_next_plan(project: Path) -> None:
    name = f"postgres:17-absent-{os.getpid()}"
    change(project, "compose.yaml", "image: postgres:17\n", f"image: {name}\n")
    before = planned(project, "docker")
    before = dataclasses.replace(before, chains=chain.of(before))
    docker("tag", "postgres:17", name)
    try:
        form = chain.formed(before, "db").form
        assert form == chain.of(planned(project, "docker"))["db"].form != before.chains["db"].form
    finally:
        docker("rmi", name)
