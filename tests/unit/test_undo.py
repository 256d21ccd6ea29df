"""Taking back what steps made: the last first, past what fails, what is left told, and taken up again."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from seeder import Context, Never, generator
from seeder.definition.compose import read_stack
from seeder.definition.manifest import read_project
from seeder.definition.stack import Stack
from seeder.errors import EnvironmentFailed
from seeder.events import Event
from seeder.generators.python import Generator
from seeder.order import aside
from seeder.passed.run import Run, Swept
from seeder.protocols import World
from seeder.registry import traits
from seeder.steps import ledger, undo
from seeder.steps.ledger import DATA, Entry, Ledger

SMALL = Path(__file__).resolve().parents[1] / "data/small"
NOON = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def stack() -> Stack:
    entry = read_project(SMALL / "manifest.yaml").stacks["small"]
    return read_stack(entry, environment={}, engines=traits(), only=["web"])


class Tables:
    """A store that others use, and what became of transactions in it."""

    name = "tables"

    def __init__(self) -> None:
        self.ended: dict[str, bool | None] = {}
        self.erased: list[Any] = []
        self.why = ""

    def keys(self, *_: Any) -> Any: ...

    def taken(self, *_: Any) -> Any: ...

    def join(self, *_: Any) -> Any: ...

    def committed(self, _: Any, transaction: str) -> bool | None:
        return self.ended[transaction]

    def erase(self, _: Any, rows: Any) -> int:
        if self.why:
            raise EnvironmentFailed("tables", self.why)
        self.erased.append(rows)
        return 1


class Shared:
    """A world of one service, which holds things by name and answers as often as it is told that it cannot."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.run = Run("r", "p", "small", "local", folder, folder, NOON, 42, NOON)
        self.things: dict[str, str | None] = {}
        self.answers: list[int | Exception] = []
        self.asked: list[str] = []
        self.events: list[Event] = []
        self.tables = Tables()

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def client(self, service: str) -> httpx.Client:
        return httpx.Client(base_url=f"http://{service}", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.strip("/")
        key = request.headers.get("Idempotency-Key")
        self.asked.append(f"{request.method} {name}")
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return httpx.Response(answer, text="no")
        if request.method == "POST":
            self.things.setdefault(name, key)
        elif request.method == "DELETE":
            assert key != self.things.get(name) or key is None, "another request has another key"
            return httpx.Response(204 if self.things.pop(name, "") != "" else 404)
        return httpx.Response(200 if name in self.things else 404, json={"id": name})

    def engine(self, _: str) -> Tables:
        return self.tables

    def target(self, store: str) -> str:
        return store

    @property
    def book(self) -> Ledger:
        return Ledger(self.run.folder)

    def states(self) -> dict[str, str]:
        return {entry.id: entry.state for entry in ledger.read(self.run.folder)}


def delete(ctx: Context, name: str) -> None:
    ctx.http("web").delete(f"/{name}").raise_for_status()


def make(ctx: Context) -> str:
    ctx.http("web").post(f"/{ctx.step}").raise_for_status()
    return ctx.step


def look(ctx: Context) -> str | None:
    found = ctx.http("web").get(f"/{ctx.step}")
    return ctx.step if found.status_code == 200 else None


def hang(_: Context) -> str | None:
    threading.Event().wait(60)
    return None


def refuse(_: Context, __: str) -> None:
    raise Never("the year is closed")


def offered(name: str, **words: Any) -> Generator:
    return generator(name, version="1", owner=f"{name}-team", **{"within": "300ms", "undo": delete, **words})(make)


OFFERED = {
    one.capability.name: one
    for one in (
        offered("a.plain"),
        offered("a.found", find=look),
        offered("a.keyed", key="thing"),
        offered("a.looks", undo="nothing"),
        offered("a.stays", undo=None),
        offered("a.closed", undo=refuse),
        offered("a.hangs", find=hang),
    )
}


@pytest.fixture
def shared(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shared:
    monkeypatch.setattr(undo, "generators", lambda _: OFFERED)
    monkeypatch.setattr(undo, "PATIENCE", 2.0)
    return Shared(stack, tmp_path)


def made(shared: Shared, name: str, use: str = "a.plain", *after: str, there: bool = True, ended: str = "confirmed") -> None:
    shared.book.begin(Entry(name, use, "1", f"{use}-team", "services", after=after, at=time.time()))
    if there:
        shared.things[name] = None
    if ended != "begun":
        shared.book.ended(name, cast("Any", ended), made=name if ended == "confirmed" else None)


def take_back(shared: Shared) -> Swept:
    return undo.take_back(cast("World", shared))


def test_the_last_thing_goes_first_and_a_second_time_nothing_is_asked(shared: Shared) -> None:
    for name in ("customer", "order", "parcel"):
        made(shared, name)
    assert take_back(shared).left == ()
    assert shared.asked == ["DELETE parcel", "DELETE order", "DELETE customer"]
    assert not shared.things
    shared.asked.clear()
    assert take_back(shared) == Swept(lasting=True)
    assert shared.asked == []


def test_a_look_for_what_was_made_that_does_not_end_holds_up_nothing(shared: Shared) -> None:
    made(shared, "order")
    made(shared, "lost", "a.hangs", ended="begun")
    took = aside(lambda: take_back(shared), within=20)()
    assert len(took.left) == 1
    assert "a.hangs of a.hangs-team, step lost" in took.left[0]
    assert shared.states()["order"] == "undone"


def test_what_is_gone_already_is_taken_back(shared: Shared) -> None:
    made(shared, "order", there=False)
    assert take_back(shared).left == ()
    assert shared.states() == {"order": "undone"}


def test_what_fails_is_told_and_keeps_what_it_builds_on_while_everything_else_goes(shared: Shared) -> None:
    made(shared, "customer")
    made(shared, "other")
    made(shared, "order", "a.closed", "customer")
    left = take_back(shared).left
    assert len(left) == 2
    assert any("a.closed of a.closed-team, step order" in one and "the year is closed" in one for one in left)
    assert any("step customer" in one and "order builds on it" in one for one in left)
    assert shared.states() == {"customer": "confirmed", "other": "undone", "order": "confirmed"}


def test_a_service_that_is_away_is_asked_again_and_what_is_left_is_taken_up_later(shared: Shared) -> None:
    made(shared, "a")
    made(shared, "b")
    shared.answers = [503, httpx.ConnectError("refused")]
    assert take_back(shared).left == ()
    made(shared, "c")
    shared.answers = [httpx.ConnectError("refused")] * 9
    (left,) = take_back(shared).left
    assert "step c" in left
    assert "nobody answers" in left
    shared.answers = []
    assert take_back(shared).removed == ("step c",)


@pytest.mark.parametrize(
    ("use", "there", "state", "says"),
    [
        ("a.found", True, "undone", ""),
        ("a.found", False, "failed", ""),
        ("a.keyed", True, "undone", ""),
        ("a.keyed", False, "undone", ""),  # its request is made again, so that what comes of it is known
        ("a.plain", True, "unknown", "whether it was made is unknown"),
    ],
)
@pytest.mark.parametrize("ended", ["begun", "unknown"])
def test_of_what_nobody_knows_it_is_found_out_or_told_to_be_unknown(
    shared: Shared, use: str, there: bool, state: str, says: str, ended: str
) -> None:
    made(shared, "thing", use, there=there, ended=ended)
    left = take_back(shared).left
    if says:
        assert [says in one for one in left] == [True]
        assert shared.things
    else:
        assert (left, shared.things, shared.states()) == ((), {}, {"thing": state})


def test_a_request_that_was_under_way_when_its_sender_died_is_waited_for(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    made(shared, "thing", "a.found", there=False, ended="begun")
    looks: list[int] = []
    answer: Callable[[httpx.Request], httpx.Response] = shared._answer

    def late(request: httpx.Request) -> httpx.Response:
        looks.append(1)
        if len(looks) == 2:
            shared.things["thing"] = None
        return answer(request)

    monkeypatch.setattr(shared, "_answer", late)
    assert take_back(shared).removed == ("step thing",)
    assert not shared.things


def test_what_cannot_be_taken_back_is_left_with_its_owner_and_key(shared: Shared) -> None:
    made(shared, "look", "a.looks", there=False)
    made(shared, "rate", "a.stays")
    made(shared, "lost", "a.gone", there=False)
    found = take_back(shared)
    assert found.removed == ("step look",)
    assert [one.rpartition(": ")[2] for one in found.left] == ["nobody offers this capability any more", "its capability has no undo"]
    assert shared.asked == []


def put_in(shared: Shared, name: str, ended: str = "confirmed", transaction: str = "7") -> None:
    given = {"store": "db", "transaction": transaction, "rows": {name: [["id"], [["1"]]]}}
    shared.book.begin(Entry(name, DATA, "1", "data-team", "inserted", given=given))
    if ended != "begun":
        shared.book.ended(name, cast("Any", ended))


@pytest.mark.parametrize(("there", "state", "says"), [(True, "undone", ""), (False, "failed", ""), (None, "begun", "is unknown")])
def test_rows_whose_commit_nobody_saw_go_only_if_it_was_one(shared: Shared, there: bool | None, state: str, says: str) -> None:
    """Another run may have taken their keys since."""
    put_in(shared, "gold", "begun")
    shared.tables.ended["7"] = there
    left = take_back(shared).left
    assert [says in one for one in left] == ([True] if says else [])
    assert (shared.states(), len(shared.tables.erased)) == ({"gold": state}, int(bool(there)))


def test_rows_stay_as_long_as_a_step_is_left_that_may_build_on_them(shared: Shared) -> None:
    put_in(shared, "gold")
    made(shared, "order", "a.closed")
    made(shared, "other")
    left = take_back(shared).left
    assert any("order is left, and may build on it" in one for one in left)
    assert shared.tables.erased == []
    assert shared.states() == {"gold": "confirmed", "order": "confirmed", "other": "undone"}
    shared.book.ended("order", "undone")
    assert take_back(shared).removed == ("rows of gold",)


def test_rows_that_cannot_go_keep_those_that_were_put_in_before_them(shared: Shared) -> None:
    put_in(shared, "customers")
    put_in(shared, "orders")
    shared.tables.why = "somebody refers to them"
    assert len(take_back(shared).left) == 2
    shared.tables.why = ""
    assert take_back(shared).removed == ("rows of orders", "rows of customers")
