"""Runs begin at layers: the second one of the same definition migrates and loads nothing, and every one ends at the same digest."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import DATA
from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.layered import RUN, did, digests, emptied, last, layers, named, run, through_services
from tests.scenarios.seeder import events, seeder, started, until
from tests.unit.layers import changing

KILLS = int(os.environ.get("SEEDER_TEST_LAYER_KILLS", "1"))


@pytest.fixture
def folder(project, tmp_path: Path) -> Path:
    return named(project("small"), f"small-{os.getpid()}-{tmp_path.name}")


@pytest.fixture
def home(folder: Path, tmp_path: Path) -> Iterator[Path]:
    """A home of the test's own, so that nothing is kept before; images of layers go with it."""
    with emptied(folder, tmp_path / "home") as made:
        yield made


@pytest.fixture(scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def warm(request, tmp_path_factory) -> Iterator[tuple[Path, Path, str]]:
    """Project, home and runtime of a first run that has kept its layers."""
    at = tmp_path_factory.mktemp("warm")
    folder = named(Path(shutil.copytree(DATA / "small", at / "small")), f"small-{at.name}-{request.param}-{os.getpid()}")
    with emptied(folder, at / "home") as home:
        first = run(folder, home, request.param)
        assert first.code == 0, first.err
        assert did(folder, "migrate", "migrated") == ["db"]
        assert did(folder, "keep", "kept") == ["cache", "db", "db"]
        yield folder, home, request.param


@pytest.fixture
def copied(warm, tmp_path) -> tuple[Path, Path, str]:
    """A copy of that project, to be changed."""
    folder, home, runtime = warm
    return Path(shutil.copytree(folder, tmp_path / "changed")), home, runtime


def test_the_second_run_migrates_and_loads_nothing_and_its_writes_are_in_no_layer(warm):
    folder, home, runtime = warm
    write = f"{sys.executable} -m seeder sql db -c \"insert into notes (kind, body, written_at) select min(kind), 'new', now() from notes\""
    second = run(folder, home, runtime, act=write)
    assert second.code == 0, second.err
    assert "1 row changed" in second.err
    assert did(folder, "migrate", "migrated") == did(folder, "keep", "kept") == []
    assert last(folder, "dataset.loaded") == []
    assert seeder("gc", cwd=folder, SEEDER_HOME=str(home), SEEDER_CACHE="on").code == 0
    assert run(folder, home, runtime).code == 0
    assert did(folder, "keep", "kept") == []
    assert len(digests(folder)) == 1


@pytest.mark.one_runtime
def test_a_new_migration_alone_is_applied(copied):
    folder, home, runtime = copied
    (folder / "migrations/0003_more.sql").write_text("create table more (id int primary key);\n")
    plan = seeder("plan", "small", "--scenario", "ready", "--runtime", runtime, cwd=folder, SEEDER_HOME=str(home), SEEDER_CACHE="on").out
    assert "0002_pinned -> 0003_more: 1 revision by sql" in plan
    assert run(folder, home, runtime).code == 0
    assert did(folder, "keep", "kept") == ["db", "db"]
    assert last(folder, "dataset.loaded")


@pytest.mark.one_runtime
def test_without_the_cache_everything_is_done_and_nothing_kept(warm):
    folder, home, runtime = warm
    kept = len(layers(folder, home))
    assert run(folder, home, runtime, "--no-cache").code == 0
    assert did(folder, "migrate", "migrated") == ["db"]
    assert len(layers(folder, home)) == kept
    assert len(digests(folder)) == 1


@product("runtime", RUNTIMES, some=[["local"]])
def test_four_runs_at_once_build_once(folder, home, runtime):
    words = (*RUN, "--runtime", runtime, "--", "true")
    copies = [shutil.copytree(folder, folder.parent / f"copy{number}") for number in range(4)]
    with_all = [started(*words, cwd=copy, SEEDER_HOME=str(home), SEEDER_CACHE="on") for copy in copies]
    children = [one.__enter__() for one in with_all]
    try:
        for child, copy in zip(children, copies, strict=True):
            assert child.wait(240) == 0, (copy / "seeder.log").read_text()
    finally:
        for one in with_all:
            one.__exit__(None, None, None)
    kept = [name for copy in copies for name in did(copy, "keep", "kept")]
    assert sorted(kept) == ["cache", "db", "db"]
    assert len({digest for copy in copies for digest in digests(copy)}) == 1


@pytest.mark.parametrize("time", range(KILLS))
@pytest.mark.one_runtime
def test_a_killed_builder_leaves_nothing_that_the_next_one_trusts(folder, home, runtime, time):
    stage = ("migrate", "keep")[time % 2]
    with started(*RUN, "--runtime", runtime, "--", "true", cwd=folder, SEEDER_HOME=str(home), SEEDER_CACHE="on") as child:
        until(f"stage {stage}", lambda: any(e.get("stage") == stage for e in events(folder)) or child.poll() is not None)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(random.Random(time).uniform(0, 0.8))  # the same moments every time
        child.kill()
    ended = run(folder, home, runtime)
    assert ended.code == 0, ended.err
    assert run(folder, home, runtime).code == 0
    assert did(folder, "keep", "kept") == []
    assert len(digests(folder)) == 1


def test_a_set_is_of_one_cut_whatever_a_killed_builder_left_of_another(folder, home):
    through_services(folder)
    assert run(folder, home, "local").code == 0
    assert did(folder, "keep", "kept") == ["cache", "cache", "db", "db", "db"]
    (manifest,) = home.glob("cache/layers/*.set")
    shutil.rmtree(manifest)
    (member,) = [path.parent for path in home.glob("cache/layers/*.portable/layer.json") if '"set"' in path.read_text()]
    for file in (path for path in (member / "state").rglob("*") if path.is_file()):
        file.write_text("of another cut")
    assert run(folder, home, "local").code == 0
    assert did(folder, "keep", "kept") == ["cache", "db"]
    third = run(folder, home, "local")
    assert third.code == 0, third.err
    assert did(folder, "keep", "kept") == []
    assert len(digests(folder)) == 1


@product("runtime", RUNTIMES, some=[["local"]])
def test_repeated_runs_build_once(folder, home, runtime):
    assert run(folder, home, runtime, "--repeat", "2").code == 0
    kept = [event["subject"] for event in events(folder) if (event.get("stage"), event.get("state")) == ("keep", "kept")]
    assert sorted(kept) == ["cache", "db", "db"]
    assert len(digests(folder)) == 1


@pytest.mark.docker
@pytest.mark.acceptance  # test_chain knows which ones
@product("more", ["user: postgres", "command: [postgres, -D, /var/lib/postgresql/data]"], some=[["user: postgres"]])
def test_a_database_that_cannot_be_kept_is_made_anew_by_every_run(folder, home, more):
    compose = folder / "compose.yaml"
    compose.write_text(compose.read_text().replace("image: postgres:17\n", f"image: postgres:17\n    {more}\n"))
    for _ in range(2):
        ended = run(folder, home, "docker")
        assert ended.code == 0, ended.err
        assert did(folder, "migrate", "migrated") == ["db"]
    assert len(digests(folder)) == 1


@pytest.mark.acceptance  # pruning is seen in unit tests
def test_pruned_layers_are_built_again(folder, home, tmp_path):
    assert run(folder, home, "local").code == 0
    kept = layers(folder, home)
    assert kept
    assert all(layer["size"] > 0 for layer in kept if layer["form"] != "set")
    prune = functools.partial(
        seeder, "cache", "prune", "--all", cwd=folder, SEEDER_HOME=str(home), SEEDER_CACHE="on", DOCKER_HOST=f"unix://{tmp_path}/none"
    )  # an engine's layers are everybody's: they are left alone
    assert prune("--dry-run").code == 0
    assert layers(folder, home) == kept
    assert prune().code == 0
    assert layers(folder, home) == []
    assert run(folder, home, "local").code == 0
    assert did(folder, "keep", "kept") == ["cache", "db", "db"]
    assert len(digests(folder)) == 1


HEAD, END = "0001_notes..0002_pinned", "0001_notes..0002_pinned, kinds@1.0.0, notes@1.0.0"
KEYS = "notes@1.0.0"  # all that the cache holds


CHANGES = {
    "a comment in the compose file": (changing.comment, {"db": END, "cache": KEYS}, []),
    "an edited old migration": (changing.edit_old_migration, {"cache": KEYS}, ["db: revision 0001_notes changed"]),
    "a squashed history": (changing.squash, {"cache": KEYS}, ["db: revision 0002_pinned changed", "db: 0001_notes is gone"]),
    "a dataset": (changing.change_dataset, {"db": HEAD, "cache": KEYS}, ["db: notes@1.0.0: db/notes.csv changed"]),
    "an image tag": (changing.other_image, {"cache": KEYS}, ["db: image changed"]),
    "a secret": (changing.other_secret, {"cache": KEYS}, ["db: the layer of notes@1.0.0 was made with other secrets"]),
}


@pytest.mark.one_runtime  # test_changes knows them all
@product("change", tuple(CHANGES), some=[["a dataset"], ["a secret"]])
def test_a_plan_begins_where_it_may_and_tells_why_not_further_on(copied, change):
    folder, home, runtime = copied
    act, begins, causes = CHANGES[change]
    act(folder)
    assert planned(folder, home, runtime) == (begins, causes)


def planned(folder: Path, home: Path, runtime: str) -> tuple[dict[str, str], list[str]]:
    """What the servers that begin at layers begin with, and what the plan tells of the last run, as a person and as a program read it."""
    ask = functools.partial(seeder, "plan", *RUN[1:], "--runtime", runtime, cwd=folder, SEEDER_HOME=str(home), SEEDER_CACHE="on")
    said = ask("--json")
    assert said.code == 0, said.err
    plan = json.loads(said.out)
    causes = [f"{one['server'] or 'through services'}: {one['cause']}" for one in plan["changed"]]
    assert [line.partition("since the last run: ")[2] for line in ask().out.splitlines() if "since the last run" in line] == causes
    return {one["subject"]: one["detail"] for one in plan["operations"] if one["verb"] == "resume"}, causes


@pytest.mark.acceptance  # test_changes and test_sets know what it makes anew
@product("runtime", RUNTIMES, some=[["local"]])
def test_a_generator_whose_code_changed_acts_anew_on_what_is_at_rest(folder, home, runtime):
    (folder / "fill.py").write_text("")
    manifest = folder / "manifest.yaml"
    program = f"path: testdata/reference/kinds, seed: {{command: [{sys.executable}, fill.py], inputs: [fill.py]}}}}"
    manifest.write_text(manifest.read_text().replace("path: testdata/reference/kinds}", program))
    assert run(folder, home, runtime).code == 0
    assert planned(folder, home, runtime)[1] == []
    (folder / "fill.py").write_text("# changed\n")
    begins, causes = planned(folder, home, runtime)
    assert begins == {"db": END, "cache": KEYS}
    assert f"through services: kinds@1.0.0: {sys.executable} fill.py changed" in causes
    assert run(folder, home, runtime).code == 0
    assert did(folder, "keep", "kept") == ["cache", "db"]
    assert last(folder, "dataset.loaded") == []
    assert len(digests(folder)) == 1


@pytest.mark.one_runtime
def test_states_are_listed_with_what_changed_since_the_last_run(copied):
    folder, home, runtime = copied
    changing.edit_old_migration(folder)
    said = seeder("cache", "explain", *RUN[1:], "--runtime", runtime, cwd=folder, SEEDER_HOME=str(home), SEEDER_CACHE="on")
    assert said.code == 0, said.err
    assert said.out.count("revision 0001_notes changed") == 1
    assert said.out.count("what comes before it changed") == 3
