"""Environments that stay: reached from outside, expired, ended, by one or by several at once."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.scenarios.bare import bare
from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.failing import evidence, proper, result, run, web
from tests.scenarios.seeder import SEEDER, leftovers, run_id, seeder
from tests.scenarios.suites import home_of_its_own

pytestmark = pytest.mark.usefixtures("cached")

DIES = "import sys\nsys.exit(3)\n"
ASK = 'import os, urllib.request as ask; print(ask.urlopen(os.environ["NOTES_WEB"] + "/health").read().decode())'


@product(
    "failure, runtime", ["service", "command", "gate", "timeout"], RUNTIMES,
    some=[("service", "local"), ("command", "docker")],
)  # fmt: skip
def test_a_failed_environment_that_is_kept_can_be_looked_into(project, home, runtime, failure):
    folder = project("small")
    code, words, options = _spoil(folder, failure)
    said = run(folder, runtime, *words, options=("--keep-failed", *options))
    proper(said, code, "kept until", "seeder env --run", "seeder down")
    name = run_id(folder)
    try:
        evidence(folder)
        assert f"SEEDER_RUN={name}" in seeder("env", "--run", name, cwd=folder).out
        assert seeder("sql", "db", "--run", name, "-c", "select count(*) from notes", cwd=folder).out == "2\n"
        assert seeder("logs", "db", "--run", name, cwd=folder).out
        assert "total" in seeder("digest", "--run", name, cwd=folder).out
        assert name in seeder("ls", cwd=folder).out
    finally:
        proper(seeder("down", name, cwd=folder), 0, "nothing left")
    assert leftovers(name, home) == []


def _spoil(folder, failure):
    if failure == "service":
        web(folder, DIES)
    if failure == "gate":
        scenario = folder / "testdata" / "scenarios" / "ready.yaml"
        scenario.write_text(scenario.read_text().replace("equals: first}", "equals: other, within: 100ms}", 1))
    return {
        "service": (123, ("true",), ()),
        "command": (9, ("sh", "-c", "exit 9"), ()),
        "gate": (122, ("true",), ()),
        "timeout": (124, ("sleep", "600"), ("--timeout", "20s")),
    }[failure]


@pytest.fixture
def folder(project):
    """What an environment holds is not looked at where its end is."""
    return bare(project("small"))


@product("runtime, other", RUNTIMES, RUNTIMES, some=[["docker", "local"]])
def test_an_expired_environment_goes_with_the_next_start_and_with_gc(folder, tmp_path, monkeypatch, runtime, other):
    home = home_of_its_own(tmp_path, monkeypatch)  # or the next start is another test's
    first = _up(folder, runtime, "--ttl", "1ms")
    assert leftovers(first, home) != []
    second = _up(folder, other, "--ttl", "1ms")
    assert leftovers(first, home) == []
    assert leftovers(second, home) != []
    proper(seeder("gc", cwd=folder), 0)
    assert leftovers(second, home) == []
    assert second not in seeder("gc", cwd=folder).err


def test_an_expired_environment_is_named_by_who_does_not_find_one_and_may_be_ended_without_its_name(folder, tmp_path, monkeypatch):
    home = home_of_its_own(tmp_path, monkeypatch)
    name = _up(folder, "local", "--ttl", "1ms")
    proper(
        seeder("env", cwd=folder),
        2,
        f"run: no environment is alive: {name} is expired",
        f"-> `seeder down {name}` or `seeder gc` removes it",
    )
    proper(seeder("down", cwd=folder), 0, f"run {name} is down")
    assert leftovers(name, home) == []


def _up(folder, runtime, *options):
    said = seeder("up", "small", "--runtime", runtime, "--json", *options, cwd=folder)
    assert said.code == 0, said.err
    return json.loads(said.out)["run"]


@product("runtime", RUNTIMES, some=[["docker"]])
def test_a_living_run_is_left_alone_by_seeders_of_other_homes(folder, home, runtime, tmp_path):
    """However short a kept environment would live: this one is at work."""
    other = tmp_path / "other"
    stranger = f"SEEDER_HOME={other} {sys.executable} -m seeder gc; {sys.executable} -m seeder gc"
    said = run(folder, runtime, "sh", "-c", f"{stranger}; {sys.executable} -c '{ASK}'", options=("--ttl", "1ms"))
    proper(said, 0)
    assert said.out == '"ok"\n'
    assert leftovers(run_id(folder), home) == []


@product("runtime", RUNTIMES, some=[["local"]])
def test_two_that_end_an_environment_at_once_do_not_disturb_each_other(folder, home, runtime):
    name = _up(folder, runtime)
    both = [subprocess.Popen([*SEEDER, "down", name], cwd=folder, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [child.communicate(timeout=60)[1] for child in both]
    assert 0 in {child.returncode for child in both}, said
    assert all(child.returncode == 0 or "no such run" in text for child, text in zip(both, said, strict=True)), said
    assert leftovers(name, home) == []


@product("runtime", RUNTIMES, some=[["local"]])
def test_up_that_fails_leaves_nothing_and_says_why(folder, home, runtime):
    web(folder, DIES)
    proper(seeder("up", "small", "--runtime", runtime, cwd=folder), 3, "ed with code 3")
    assert result(folder)["kept"] is False
    evidence(folder)
    assert leftovers(run_id(folder), home) == []
