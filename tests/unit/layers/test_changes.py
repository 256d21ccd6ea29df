"""Why a plan does not begin where the last run came to is said in the words of the files, each reason once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from seeder.machine import home
from seeder.passed.layer import Layer
from seeder.passed.operation import Plan
from seeder.reuse import chain, explain, shortcut
from tests.scenarios.failing import change
from tests.unit.layers import changing
from tests.unit.layers.changing import planned


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No layer is kept there, whatever other tests keep in theirs."""
    monkeypatch.setenv(home.VARIABLE, str(tmp_path / "home"))


@pytest.fixture
def sown(project: Path) -> Path:
    changing.by_program(project)
    return project


def in_full(at: Path) -> Plan:
    plan = planned(at)
    return dataclasses.replace(plan, chains=chain.of(plan))


def generator(at: Path) -> None:
    (at / "tools/fill.py").write_text("print(1)\n")


def variable(at: Path) -> None:
    change(at, "compose.yaml", "      CACHE_URL:", "      COLOUR: red\n      CACHE_URL:")


def long_words(at: Path) -> None:
    change(at, "compose.yaml", '"0.0.0.0", "8000"]', f'"0.0.0.0", "8000", "{"x" * 99}"]')


def renamed_migration(at: Path) -> None:
    (at / "migrations/0002_pinned.sql").rename(at / "migrations/0002_other.sql")


def without_keys(at: Path) -> None:
    (at / "testdata/golden/notes/cache/keys.jsonl").unlink()


NOTHING: list[tuple[str, str]] = []


@pytest.mark.parametrize(
    ("act", "causes"),
    [
        pytest.param(lambda _: None, NOTHING, id="nothing"),
        pytest.param(changing.comment, NOTHING, id="a comment in the compose file"),
        pytest.param(changing.other_port, NOTHING, id="a published port"),
        pytest.param(changing.other_secret, NOTHING, id="a secret, of which no layer is kept"),
        pytest.param(changing.edit_old_migration, [("db", "revision 0001_notes changed")], id="an edited old migration"),
        pytest.param(changing.edit_new_migration, [("db", "revision 0002_pinned changed")], id="the newest migration edited"),
        pytest.param(changing.add_migration, [("db", "0003_more is new")], id="a new migration"),
        pytest.param(changing.squash, [("db", "revision 0002_pinned changed"), ("db", "0001_notes is gone")], id="a squashed history"),
        pytest.param(renamed_migration, [("db", "0002_other is new"), ("db", "0002_pinned is gone")], id="another name"),
        pytest.param(changing.change_dataset, [("db", "notes@1.0.0: db/notes.csv changed")], id="a changed table"),
        pytest.param(changing.change_key, [("cache", "notes@1.0.0: cache/keys.jsonl changed")], id="a changed key"),
        pytest.param(without_keys, [("cache", "notes@1.0.0 is gone")], id="no data for a store any more"),
        pytest.param(changing.other_image, [("db", "image changed")], id="another image of a server"),
        pytest.param(generator, [("", "kinds@1.0.0: python tools/fill.py changed")], id="a generator's code"),
        pytest.param(changing.service_code, [("", "program of web changed"), ("", "file /srv of web changed")], id="a service's code"),
        pytest.param(variable, [("", "variable COLOUR of web is new")], id="a service's variable"),
        pytest.param(long_words, [("", "command of web changed")], id="the end of a long command"),
    ],
)
def test_each_reason_is_told_once_and_what_follows_from_it_is_not(
    sown: Path, tmp_path: Path, act: Callable[[Path], None], causes: list[tuple[str, str]]
) -> None:
    explain.remember(in_full(sown), tmp_path / "chains")
    act(sown)
    changing.relock(sown)
    assert [(one.server, one.cause) for one in explain.changes(in_full(sown), tmp_path / "chains")] == causes


def test_without_a_last_run_there_is_nothing_to_tell(sown: Path, tmp_path: Path) -> None:
    assert explain.changes(in_full(sown), tmp_path / "chains") == []
    (tmp_path / "chains").mkdir()
    for text in ("", "{}", '{"db": {"base": "", "inputs": {}, "states": []}}', "[]"):
        (tmp_path / "chains/small.ready.local.json").write_text(text)
        assert explain.changes(in_full(sown), tmp_path / "chains") == []


def test_states_in_another_order_are_told_as_that(sown: Path, tmp_path: Path) -> None:
    plan = in_full(sown)
    explain.remember(plan, tmp_path / "chains")
    one = plan.chains["db"]
    *revisions, kinds, notes = one.states
    turned = dataclasses.replace(one, states=(*revisions, dataclasses.replace(notes, id="1"), dataclasses.replace(kinds, id="2")))
    plan = dataclasses.replace(plan, chains={**plan.chains, "db": turned})
    assert [one.cause for one in explain.changes(plan, tmp_path / "chains")] == ["its states come in another order"]


def test_a_state_that_follows_from_a_change_is_told_as_that(sown: Path, tmp_path: Path) -> None:
    explain.remember(in_full(sown), tmp_path / "chains")
    changing.add_migration(sown)
    told = {one.subject: one.changed for one in explain.states(in_full(sown), tmp_path / "chains") if one.server == "db"}
    follows = ("what comes before it changed",)
    assert told == {
        "beginning": (),
        "0001_notes": (),
        "0002_pinned": (),
        "0003_more": ("is new here",),
        "kinds@1.0.0": follows,
        "notes@1.0.0": follows,
    }


def test_the_set_is_told_beside_the_states_and_what_lies_before_the_begin_is_not_needed(sown: Path, tmp_path: Path) -> None:
    plan = in_full(sown)
    plan = dataclasses.replace(plan, whole=chain.whole(plan, plan.chains))
    explain.remember(plan, tmp_path / "chains")

    def told(of: Plan) -> dict[tuple[str, str], tuple[bool, bool]]:
        found = explain.states(of, tmp_path / "chains")
        return {(one.server, one.subject): (one.found, one.passed) for one in found if one.server in ("db", "")}

    absent, there, passed = (False, False), (True, False), (False, True)
    ways = [("db", "beginning"), ("db", "0001_notes"), ("db", "0002_pinned"), ("db", "kinds@1.0.0"), ("db", "notes@1.0.0")]
    ways.append(("", explain.THROUGH))
    assert told(plan) == dict.fromkeys(ways, absent)
    head = plan.chains["db"].states[1]
    kept = {plan.chains["db"].key(head): Layer(head.id, "data", "/nowhere", 1, changing.NOW, changing.NOW)}
    assert told(shortcut.take(plan, plan.chains, {}, kept)) == dict(zip(ways, [passed, passed, there, absent, absent, absent], strict=True))
    of_set = {server: Layer("1", "data", "/nowhere", 1, changing.NOW, changing.NOW, {"set": plan.whole}) for server in plan.chains}
    whole = shortcut.take(dataclasses.replace(plan, full=plan), plan.chains, of_set, {})
    assert told(whole) == dict(zip(ways, [passed, passed, passed, passed, passed, there], strict=True))
