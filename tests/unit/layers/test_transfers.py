"""Layers on their way to a folder that others reach and back into an empty cache: what is whole is had, and nothing else is ever found."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seeder import registry
from seeder.cli.cache import command as cache_command
from seeder.errors import EnvironmentFailed
from seeder.layers.directory import Directory
from seeder.machine import home
from seeder.passed.layer import SET, Layer, key
from seeder.passed.operation import Plan
from seeder.protocols import Remote
from seeder.reuse import cache, pull, push, room
from seeder.reuse.transfer import Transfer
from tests.scenarios.failing import change
from tests.scenarios.layered import through_services
from tests.unit.layers.changing import other_secret, service_apart
from tests.unit.layers.test_room import KEPT, begins, build, planned


@pytest.fixture(autouse=True)
def at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Go to another machine: one with a cache of its own and without Docker."""
    monkeypatch.setenv(cache.VARIABLE, "on")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")

    def go(name: str) -> None:
        monkeypatch.setenv(home.VARIABLE, str(tmp_path / name))

    go("here")
    return go


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    return tmp_path / "shared"


@pytest.fixture
def remote(shared: Path) -> Remote:
    return registry.remote(str(shared))


def states(transfers: list[Transfer]) -> list[str]:
    return sorted({one.state for one in transfers})


def pulled(remote: Remote, plan: Plan | None) -> list[Transfer]:
    told: list[object] = []
    return list(pull.of_plan(remote, plan, told.append) if plan else pull.everything(remote, told.append))


def acting(project: Path) -> None:
    """Its stores are kept as a set, in which its migrations are no part of the service."""
    through_services(project)
    service_apart(project)


def build_set(plan: Plan, content: str = "one cut", **known: object) -> list[Layer]:
    """Keep a set as a run does: members, then the manifest."""
    source = home.cache().parent / "state"
    source.mkdir(exist_ok=True)
    (source / "content").write_text(content)
    for server, one in plan.chains.items():
        facts = cache.facts(plan, [server], plan.whole) | cache.told(plan, server, plan.whole)
        Directory().keep(cache.member(plan.whole, server), one.form, str(source), facts)
    Directory().keep(plan.whole, SET, str(source), cache.facts(plan, [], plan.whole, **known))
    return [layer for layer in room.every() if layer.facts.get("set") == plan.whole]


def contents() -> set[str]:
    return {path.read_text() for path in (home.cache() / "layers").glob("[!.]*/state/content")}


def test_a_set_is_not_taken_once_a_service_has_another_secret(project: Path) -> None:
    acting(project)
    change(
        project, "compose.yaml", "    environment:\n      DATABASE_URL", "    environment:\n      AUTH_MODE: lenient\n      DATABASE_URL"
    )
    build_set(planned(project))
    assert cache._members(planned(project))
    change(project, "compose.yaml", "AUTH_MODE: lenient", "AUTH_MODE: strict")
    assert not cache._members(planned(project))


def test_that_other_secrets_made_a_set_is_said_only_of_one_that_is_there_as_a_whole(project: Path) -> None:
    acting(project)
    made = build_set(planned(project))
    assert cache.unfit(planned(project)) == {}
    other_secret(project)
    assert cache.unfit(planned(project)) == {"": "all stores together"}
    room.remove(layer for layer in made if layer.facts.get("server") == "cache")
    assert cache.unfit(planned(project)) == {}


# -- layers at rest ---------------------------------------------------------------------------------------------------


def test_another_machine_begins_where_this_one_came_to(project, remote, at):
    build(planned(project))
    sent = list(push.push(remote, push.of_plan(planned(project))))
    assert states(sent) == ["moved"]
    assert len(sent) == 3
    at("there")
    assert begins(planned(project)) == {}
    got = pulled(remote, planned(project))
    assert states(got) == ["moved"]
    assert len(got) == 2  # of each server the deepest
    assert begins(planned(project)) == KEPT


def test_what_is_there_is_not_sent_again(project, remote, shared):
    """It is told of it that it was of use now; files stay the same ones."""
    build(planned(project))
    layers = push.of_plan(planned(project))
    list(push.push(remote, layers))
    before = {path.name: path.stat().st_ino for path in shared.iterdir()}
    for path in shared.iterdir():
        os.utime(path, (0, 0))
    assert states(list(push.push(remote, layers))) == ["there"]
    assert {path.name: path.stat().st_ino for path in shared.iterdir()} == before
    assert {path.suffix for path in shared.iterdir() if path.stat().st_mtime} == {".json"}
    assert states(list(push.push(remote, layers, again=True))) == ["moved"]


def test_what_is_here_is_not_fetched_again(project, remote, at):
    build(planned(project))
    list(push.push(remote, room.every()))
    assert states(pulled(remote, planned(project))) == ["there"]
    at("there")
    assert states(pulled(remote, None)) == ["moved"]
    assert states(pulled(remote, None)) == ["there"]


def test_with_a_new_migration_the_state_before_it_is_fetched(project, remote, at):
    build(planned(project))
    list(push.push(remote, room.every()))
    (project / "migrations/0003_more.sql").write_text("create table more (id int primary key);\n")
    at("there")
    pulled(remote, planned(project))
    assert begins(planned(project)) == {"db": "0002_pinned", "cache": KEPT["cache"]}


def damage(shared: Path, name: str, how: str) -> None:
    pack, told = shared / f"{name}.tar.zst", shared / f"{name}.json"
    content = bytearray(pack.read_bytes())
    if how == "corrupted":
        content[len(content) // 2] ^= 1
        pack.write_bytes(content)
    elif how == "truncated":
        pack.write_bytes(content[:-7])
    elif how == "without its pack":
        pack.unlink()
    elif how == "told in half":
        told.write_text(told.read_text()[:20])
    elif how == "of another id":
        told.write_text(json.dumps({**json.loads(told.read_text()), "id": "b" * 64}))


DAMAGES = {
    "corrupted": "its pack is not what was pushed: its SHA-256 is another",
    "truncated": "bytes of",
    "without its pack": "half of it is missing there: its pack",
    "told in half": "half of it is missing there: what is told of it",
    "of another id": "what is told of it is not understood",
}


@pytest.mark.parametrize(("how", "cause"), DAMAGES.items(), ids=DAMAGES)
def test_what_is_not_whole_is_named_and_what_comes_before_it_is_fetched(project, remote, shared, at, how, cause):
    plan = planned(project)
    build(plan)
    list(push.push(remote, room.every()))
    one = plan.chains["db"]
    damage(shared, one.key(one.states[-1]), how)
    at("there")
    got = pulled(remote, planned(project))
    (bad,) = [transfer for transfer in got if transfer.state == "left out"]
    assert bad.why
    assert bad.why.subject == f"layer {one.end[:12]}"
    assert cause in bad.why.cause
    assert bad.why.remedy
    assert begins(planned(project)) == {"db": "0002_pinned", "cache": KEPT["cache"]}


def test_what_was_made_with_other_passwords_is_not_fetched(project, remote, at):
    build(planned(project))
    list(push.push(remote, room.every()))
    at("there")
    other_secret(project)
    got = pulled(remote, planned(project))
    assert states(got) == ["moved", "unfit"]
    assert begins(planned(project)) == {"cache": KEPT["cache"]}


def test_what_is_not_installed_is_told_of_each_layer(project, remote, monkeypatch):
    build(planned(project))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    sent = list(push.push(remote, room.every()))
    assert {one.why.remedy for one in sent if one.why} == {"pip install 'seeder-env[remote]'"}
    assert states(sent) == ["left out"]


def test_no_password_leaves_the_machine(project, remote, shared):
    build(planned(project))
    list(push.push(remote, room.every()))
    assert not any(b"correct-horse-battery" in path.read_bytes() for path in shared.iterdir())


# -- sets -------------------------------------------------------------------------------------------------------------


def test_a_set_is_had_as_a_whole(project, remote, at):
    acting(project)
    build(planned(project))
    build_set(planned(project))
    assert states(list(push.push(remote, push.of_plan(planned(project))))) == ["moved"]
    at("there")
    got = pulled(remote, planned(project))
    assert states(got) == ["moved"]
    assert len(got) == 3
    assert planned(project).calls == ()


@pytest.mark.parametrize(("how", "cause"), DAMAGES.items(), ids=DAMAGES)
def test_of_a_set_that_is_not_whole_nothing_is_kept(project, remote, shared, at, how, cause):
    acting(project)
    plan = planned(project)
    build(plan)
    build_set(plan)
    list(push.push(remote, room.every()))
    damage(shared, next(path.stem for path in shared.glob(f"{cache.member(plan.whole, 'cache')}.*.json")), how)
    at("there")
    got = pulled(remote, planned(project))
    bad = {one.why.subject: one.why.cause for one in got if one.why}
    assert cause in bad[f"layer {cache.member(plan.whole, 'cache')[:12]}"]
    assert "1 of its 2 layers cannot be had" in bad[f"layer {plan.whole[:12]}"]
    assert [layer for layer in room.every() if layer.facts.get("set")] == []
    assert begins(planned(project)) == KEPT  # from layers at rest
    assert planned(project).calls


def test_a_set_whose_member_was_removed_here_is_not_sent(project, remote, shared):
    acting(project)
    layers = build_set(planned(project))
    shutil.rmtree(Path(next(layer for layer in layers if layer.form != SET).place))
    got = list(push.push(remote, layers))
    assert states(got) == ["left out"]
    assert not shared.exists()


def test_two_cuts_of_a_set_do_not_mix(project, remote, at):
    """Two machines came to the same set and both push it at the same time: whoever pulls has the one or the other."""
    acting(project)
    sent = []
    for machine in ("here", "there"):
        at(machine)
        sent.append(push.push(remote, build_set(planned(project), f"as it is {machine}"), again=True))
        next(sent[-1])  # the first of its members
    for number, machine in enumerate(("here", "there")):
        at(machine)
        list(sent[number])
        at(f"another {number}")
        assert states(pulled(remote, planned(project))) == ["moved"]
        assert contents() == {f"as it is {machine}"}


def test_a_set_that_is_pulled_replaces_what_was_left_of_another(project, remote, at):
    acting(project)
    build_set(planned(project), "of this cut")
    list(push.push(remote, room.every()))
    at("there")
    plan = planned(project)
    build_set(plan, "of another")
    room.remove(Directory().find([key(plan.whole, SET)]).values())
    pulled(remote, planned(project))
    assert contents() == {"of this cut"}


# -- what steps made --------------------------------------------------------------------------------------------------


def test_what_steps_made_is_known_wherever_their_set_is_taken(project, remote, at):
    acting(project)
    build_set(planned(project), results={"order": {"id": 7}})
    assert planned(project).results == {"order": {"id": 7}}
    assert states(list(push.push(remote, push.of_plan(planned(project))))) == ["moved"]
    at("there")
    assert planned(project).results == {}
    pulled(remote, planned(project))
    assert planned(project).results == {"order": {"id": 7}}


def test_a_set_whose_steps_made_secrets_stays_here(project, remote):
    acting(project)
    build_set(planned(project), results={"order": {"id": 7}, "login": {"session_token": "abc"}})
    (left,) = list(push.push(remote, push.of_plan(planned(project))))
    assert (left.state, left.why and left.why.cause) == (
        "left out",
        "what login made holds what is named like a secret, and would travel in plain text",
    )
    assert remote.names() == set()


def test_what_is_known_of_a_layer_is_for_its_owner_alone(project):
    build(planned(project))
    assert {path.stat().st_mode & 0o777 for path in (home.cache() / "layers").glob("*/layer.json")} == {0o600}


def test_that_nothing_is_there_is_said(
    tmp_path: Path, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(project)
    for way, words in (("pull", "the remote holds no layer of it"), ("push", "no layer of it is kept here")):
        cache_command.main([way, str(tmp_path / "empty"), "--runtime", "local"], standalone_mode=False)
        assert words in capsys.readouterr().err


def test_a_remote_that_is_not_there_is_said_though_layers_are_here_and_a_file_is_none(
    tmp_path: Path, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    build(planned(project))
    monkeypatch.chdir(project)
    cache_command.main(["pull", str(tmp_path / "nowhere"), "--runtime", "local"], standalone_mode=False)
    told = capsys.readouterr()
    assert "it is empty, or not there yet" in told.err
    assert told.out == ""
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFailed, match="it is a file, and a remote is a folder"):
        cache_command.main(["pull", str(tmp_path / "file"), "--runtime", "local"], standalone_mode=False)
