"""What a run made in a shared system is taken up by whoever comes next; one that cannot be taken up stands in nobody's way."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest
from click.testing import CliRunner

from seeder import owner, warden
from seeder.cli import down
from seeder.definition.compose import read_stack
from seeder.definition.manifest import read_project
from seeder.definition.stack import ATTACHED, Shared
from seeder.errors import EnvironmentFailed
from seeder.machine import home, living
from seeder.passed.run import Run, Swept
from seeder.registry import RUNTIMES, traits
from seeder.runtimes import _attached_again, _attached_undo
from seeder.runtimes._attached_deployment import AttachedDeployment
from seeder.steps import ledger
from seeder.steps.ledger import DATA, Entry, Ledger
from tests.conftest import DATA as PROJECTS

SYSTEM = Shared("staging", "prefix", {"web": "http://ann:correct-horse@127.0.0.1:9"}, {"db": "postgresql://a:p@127.0.0.1:9/app"})


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, and a home of its own: these tests sweep whatever is over."""
    monkeypatch.setenv(home.VARIABLE, str(tmp_path / "home"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    return copytree(PROJECTS / "small", tmp_path / "small")


@pytest.fixture
def orphan(checkout: Path) -> Callable[..., Run]:
    """Makes a run whose seeder died, with this ledger and this file of how it was attached; both may be left out."""

    def make(name: str, book: str | None = "", told: str | None = None) -> Run:
        run = Run(name, "small", "small", ATTACHED, home.run_folder(name), checkout, now(), 42, now() + datetime.timedelta(hours=1))
        dead = replace(living.myself(), pid=2**22 + 1)
        owner._write(replace(owner.claim(run), process=dead), run.folder)
        stack = read_stack(read_project(checkout / "manifest.yaml").stacks["small"], environment={}, engines=traits())
        _attached_again.remember(run, replace(stack, shared=SYSTEM))
        if told is not None:
            (run.folder / _attached_again.FILE).write_text(told)
        if book:
            (run.folder / ledger.FILE).write_text(book)
        return run

    return make


def rows(store: str) -> Entry:
    return Entry(f"gold in {store}", DATA, "1", "us", "inserted", given={"store": store, "rows": {}})


def swept(*, passing: bool = False) -> dict[str, tuple[str, ...]]:
    return {run: one.left for run, one in warden.sweep_expired(now(), passing=passing)}


def test_runs_that_cannot_be_taken_up_are_told_and_all_others_are_swept(checkout: Path, orphan) -> None:
    orphan("b-ledger", "{]\n")
    orphan("c-newer", '{"id": "a", "after": [], "colour": "red"}\n')
    orphan("d-told", "", "[]")
    orphan("e-renamed")
    other = orphan("f-store")
    Ledger(other.folder).begin(rows("gone"))
    good = orphan("z-good")
    owner._write(replace(owner.read("e-renamed"), stack="other"), home.run_folder("e-renamed"))
    left = swept()
    assert left.pop(good.id) == ()
    assert not good.folder.exists()
    for run, cause in {
        "b-ledger": "ledger.jsonl: line 1 is none that this version of seeder writes",
        "c-newer": "ledger.jsonl: line 1 is none that this version of seeder writes",
        "d-told": "attached.json: cannot be read as this version of seeder writes it (TypeError)",
        "e-renamed": "other: there is no such stack",
        "f-store": "gold in gone, 0 rows: stack small has no such store any more",
    }.items():
        assert cause in "; ".join(left.pop(run)), run
        assert home.run_folder(run).exists()
    assert left == {}


def test_what_nobody_thought_of_is_told_of_its_run_alone(orphan, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(here: AttachedDeployment) -> Swept:
        if here.run.id == "bad":
            raise ZeroDivisionError("by nothing")
        return Swept(lasting=True)

    orphan("bad")
    orphan("good")
    monkeypatch.setattr(_attached_undo, "take_back", broken)
    assert swept() == {"bad": ("ZeroDivisionError: by nothing",), "good": ()}


def test_a_file_that_is_missing_while_things_are_taken_back_keeps_the_ledger(orphan, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(_: AttachedDeployment) -> Swept:
        raise FileNotFoundError("generators/notes.sql")

    run = orphan("lacks")
    Ledger(run.folder).begin(rows("db"))
    monkeypatch.setattr(_attached_undo, "take_back", lacking)
    assert swept() == {"lacks": ("FileNotFoundError: generators/notes.sql",)}
    assert [one.id for one in ledger.read(run.folder)] == ["gold in db"]


def test_a_run_that_was_killed_before_it_asked_anything_leaves_nothing(orphan) -> None:
    run = orphan("young")
    (run.folder / _attached_again.FILE).unlink()
    assert swept() == {"young": ()}
    assert not run.folder.exists()


def test_who_begins_a_run_waits_for_nobody_and_asks_no_second_time_for_what_is_left_for_good(orphan) -> None:
    run = orphan("busy", '{"id": "a"}\n')
    with _attached_undo.alone(run.folder) as mine:
        assert mine
        assert swept(passing=True) == {"busy": ("another process takes back what it made",)}
    assert "line 1" in swept(passing=True)["busy"][0]
    assert swept(passing=True) == {}
    assert "line 1" in swept()["busy"][0]


def test_by_force_it_is_given_up_and_what_is_left_is_told(orphan) -> None:
    run = orphan("lost", '{"id": "a"}\n')
    refused = CliRunner().invoke(down.command, ["lost"]).exception
    assert refused.code == 3
    assert refused.problems[0].remedy == "once that is mended: `seeder down lost`; with --force it is given up"
    done = CliRunner().invoke(down.command, ["lost", "--force"])
    assert "and given up: " in done.output
    assert "line 1" in done.output
    assert not run.folder.exists()


def test_a_service_that_does_not_answer_is_told_without_its_password(orphan) -> None:
    stack = read_stack(read_project(PROJECTS / "small/manifest.yaml").stacks["small"], environment={}, engines=traits())
    run = orphan("asks")
    here = AttachedDeployment(run, replace(stack, shared=SYSTEM), lambda _: None)
    with here.exit:
        said = here.look("web", "healthy").reason
    assert "127.0.0.1:9" in said
    assert "correct-horse" not in said


def test_errors_of_what_was_written_down_tell_no_credentials(orphan) -> None:
    told = json.loads((orphan("one").folder / _attached_again.FILE).read_text())
    orphan("two", "", json.dumps({**told, "auth": {"web": {"bearer": {"token": ["correct-horse"]}}}}))
    with pytest.raises(EnvironmentFailed) as raised:
        _attached_again.deployment("two")
    assert "correct-horse" not in str(raised.value)
    assert RUNTIMES.get(ATTACHED).sweep("two").left
