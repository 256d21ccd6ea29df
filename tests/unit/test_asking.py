"""Asking a capability until it is known what came of it: nothing is made twice, and no doubt is forgotten."""

from __future__ import annotations

import datetime
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import httpx
import pytest
from pydantic import BaseModel, Field

from seeder import Context, TryAgain, generator
from seeder.definition.stack import Stack
from seeder.generators.python import Generator
from seeder.passed.capability import Asked
from seeder.passed.outcome import Badly
from seeder.passed.run import Run
from seeder.protocols import World
from seeder.steps.asking import ask
from seeder.steps.tried import Tried
from tests.conftest import DATA
from tests.fakes.world import read

SMALL = DATA / "small/compose.yaml"
NOON = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)
Answers = Iterator[int | Exception]


@pytest.fixture(scope="module")
def stack() -> Stack:
    return read(SMALL)


class Service:
    """A world with one service, which answers as it is told and keeps what it was asked."""

    def __init__(self, stack: Stack, *answers: int | Exception) -> None:
        self.stack, self._answers = stack, iter(answers)
        self.run = Run("r", "p", "small", "local", Path(), Path(), NOON, 42, NOON)
        self.asked: list[str] = []
        self.keys: list[str | None] = []
        self.told: list[str] = []

    def client(self, service: str) -> httpx.Client:
        return httpx.Client(base_url=f"http://{service}", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = next(self._answers)
        self.asked.append(f"{request.method} {request.url.path}")
        self.keys.append(request.headers.get("Idempotency-Key"))
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, json={"id": len(self.asked)})

    def ask(self, one: Generator) -> Tried:
        return ask(cast("World", self), one, Asked("order"), {}, again=self.told.append)


def made(ctx: Context) -> int:
    """A customer, then an order of his."""
    api = ctx.http("web")
    api.post("/customers").raise_for_status()
    return cast("int", api.post("/orders").raise_for_status().json()["id"])


def placed(ctx: Context) -> int:
    return cast("int", ctx.http("web").post("/orders").raise_for_status().json()["id"])


def offered(function: Callable[..., Any], **words: Any) -> Generator:
    return generator("orders.place", version="1", owner="a-team", **{"within": "300ms", **words})(function)


NOBODY = httpx.ConnectError("refused")


def test_a_doubt_is_not_forgotten_when_nobody_answers_any_more(stack: Stack) -> None:
    world = Service(stack, 503, *[NOBODY] * 20)
    assert world.ask(offered(placed, key="place")).state == "unknown"
    assert len(world.asked) > 1


def test_a_doubt_is_not_forgotten_when_a_later_try_is_refused(stack: Stack) -> None:
    world = Service(stack, 503, 409)
    last = world.ask(offered(placed, key="place", within="2s"))
    assert (last.state, "answered with 409" in last.reason) == ("unknown", True)
    assert world.keys[0] == world.keys[1] != None  # noqa: E711  (one key for both)


def test_what_may_have_been_made_is_looked_for_also_after_a_try_that_says_later(stack: Stack) -> None:
    tries: list[str] = []

    def function(ctx: Context) -> int:
        tries.append("make")
        if len(tries) == 1:
            ctx.http("web").post("/orders").raise_for_status()
        raise TryAgain("not yet", after=0)

    def find(ctx: Context) -> int | None:
        tries.append("find")
        return 7 if tries.count("find") == 2 else None

    last = Service(stack, 503).ask(offered(function, find=find, within="5s"))
    assert (last.state, last.made, tries) == ("confirmed", 7, ["make", "find", "make", "find"])


def test_nothing_is_made_again_after_a_part_of_it_was_made(stack: Stack) -> None:
    world = Service(stack, 201, NOBODY)
    last = world.ask(offered(made))
    assert (last.state, world.asked) == ("unknown", ["POST /customers", "POST /orders"])
    assert "(after POST /customers)" in last.reason


def test_nobody_there_yet_is_waited_for(stack: Stack) -> None:
    world = Service(stack, NOBODY, 429, 201)
    assert (world.ask(offered(placed, within="2s")).made, world.asked) == (3, ["POST /orders"] * 3)


def test_a_part_that_was_refused_was_not_made(stack: Stack) -> None:
    world = Service(stack, 409, NOBODY)

    def function(ctx: Context) -> int:
        ctx.http("web").post("/categories")  # somebody made it already
        return placed(ctx)

    assert world.ask(offered(function, within="100ms")).state == "failed"


def test_a_try_that_has_outrun_its_time_is_not_followed_by_another_while_it_goes_on(stack: Stack) -> None:
    """What it answers in the end is what was made; nobody looks for it or makes it again meanwhile."""
    done, tries = threading.Event(), list[str]()

    def function(ctx: Context) -> int:
        tries.append("make")
        done.wait(0.5)
        return 5

    def find(ctx: Context) -> None:
        tries.append("find")

    last = Service(stack).ask(offered(function, find=find))
    assert (last.state, last.made, tries) == ("confirmed", 5, ["make"])


@pytest.mark.parametrize("words", [{}, {"key": "place"}])
def test_a_try_that_never_ends_is_unknown(stack: Stack, words: dict[str, str]) -> None:
    ends, tries = threading.Event(), list[str]()

    def function(ctx: Context) -> int:
        tries.append("make")
        ends.wait(60)
        return 5

    last = Service(stack).ask(offered(function, within="50ms", **words))
    ends.set()
    assert (last.state, tries) == ("unknown", ["make"])
    assert "did not end within 0.05 s" in last.reason


def test_looking_for_what_was_made_has_a_time_limit_and_without_it_nothing_is_made(stack: Stack) -> None:
    ends, tries = threading.Event(), list[str]()

    def function(ctx: Context) -> int:
        tries.append("make")
        return placed(ctx)

    def find(ctx: Context) -> None:
        tries.append("find")
        ends.wait(60)

    last = Service(stack, 503, 201).ask(offered(function, find=find))
    ends.set()
    assert (last.state, tries.count("make")) == ("unknown", 1)
    assert "could not be looked for" in last.reason


def test_a_service_that_is_not_part_of_the_run_is_named(stack: Stack) -> None:
    last = Service(read(SMALL, "db")).ask(offered(placed))
    assert (last.state, last.again) == ("failed", None)
    assert "web: is not part of this run: not needed by db" in last.reason


def test_a_function_that_takes_no_context_or_whatever_comes_is_refused_in_words() -> None:
    def nothing() -> int:
        return 1

    def more(ctx: Context, **given: int) -> int:
        return 1

    def several(ctx: Context, *given: int) -> int:
        return 1

    with pytest.raises(Badly, match="takes no context"):
        offered(nothing)
    with pytest.raises(Badly, match=r"takes whatever is given \(\*\*given"):
        offered(more)
    with pytest.raises(Badly, match=r"takes whatever is given \(\*given"):
        offered(several)


def test_a_type_that_cannot_be_written_as_json_is_refused_in_words() -> None:
    def takes(ctx: Context, *, name: str, door: threading.Event) -> int:
        return 1

    def answers(ctx: Context, *, name: str) -> list[threading.Event]:
        return []

    with pytest.raises(Badly, match=r"door is of type threading.Event, which cannot be written as JSON"):
        offered(takes)
    with pytest.raises(Badly, match=r"its answer is of type list\[threading.Event\], which cannot be written"):
        offered(answers)


class Slot(BaseModel):
    id: Annotated[int, Field(ge=1)]


@dataclass
class Tag:
    id: int
    color: Literal["red", "blue"]


def test_an_instance_is_held_to_what_is_declared_as_a_mapping_is(stack: Stack) -> None:
    """Neither a dataclass nor a changed model was looked at by anybody when it was made; no warning of a library's stands in for words."""

    def tag(ctx: Context) -> Tag:
        return Tag("abc", "red")  # type: ignore[arg-type]

    def colour(ctx: Context) -> list[Tag]:
        return [Tag(1, "green")]  # type: ignore[arg-type]

    def least(ctx: Context) -> Slot:
        return Slot.model_construct(id=-1)

    def changed(ctx: Context) -> Slot:
        slot = Slot(id=1)
        slot.id = "five"  # type: ignore[assignment]
        return slot

    def no_value(ctx: Context) -> Slot:
        return Slot.model_construct(id=cast("int", object()))

    said = {tag: "id: 'abc' is not", colour: "0.color: 'green' is not", least: "id: -1 is less", changed: "id: 'five' is not", no_value: ""}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for function, why in said.items():
            last = Service(stack).ask(offered(function))
            assert last.state == "unknown"
            assert last.reason.startswith(f"its answer is not as it declares it: {why}")


def test_a_time_that_is_none_is_the_generator_s_mistake(stack: Stack) -> None:
    def function(ctx: Context) -> int:
        raise TryAgain("not yet", after="soon")

    last = Service(stack).ask(offered(function))
    assert (last.state, last.again) == ("unknown", None)
    assert "'soon' is not a duration" in last.reason
    for wrong in (-1, float("inf"), float("nan"), None):
        with pytest.raises(ValueError, match="after is a duration"):
            TryAgain("not yet", after=cast("float", wrong))


def test_find_and_undo_that_cannot_be_called_are_told_when_the_file_is_read() -> None:
    def named(ctx: Context, *, name: str) -> int:
        return 1

    def bare(ctx: Context) -> None:
        return None

    with pytest.raises(Badly, match=r"find is called as find\(ctx, name=\.\.\.\), and bare does not take that: got an unexpected"):
        offered(named, find=bare)
    with pytest.raises(Badly, match=r"undo is called as undo\(ctx, made\), and bare does not take that: too many"):
        offered(named, undo=bare)
    assert offered(named, find=lambda *_, **__: None, undo=lambda *_: None)


def test_a_default_is_of_its_type_as_what_is_given(stack: Stack) -> None:
    def wrong(ctx: Context, *, name: str = 3) -> str:  # type: ignore[assignment]
        return name

    def price(ctx: Context, *, price: Decimal = 3) -> str:  # type: ignore[assignment]
        return type(price).__name__

    with pytest.raises(Badly, match="the default 3 of name is not of its type"):
        offered(wrong)
    assert Service(stack).ask(offered(price)).made == "Decimal"


def test_whoever_waits_sees_why_and_reads_at_the_end_how_often_it_was_tried(stack: Stack) -> None:
    world = Service(stack, NOBODY, NOBODY, 429, 409)
    last = world.ask(offered(placed, within="5s"))
    assert [why.partition(":")[0] for why in world.told] == ["nobody answers", "POST /orders was answered with 429"]
    assert last.reason.startswith("POST /orders was answered with 409")
    assert "(tried 4 times in " in last.reason


def test_a_try_that_may_come_only_after_all_tries_are_over_is_not_waited_for(stack: Stack) -> None:
    def function(ctx: Context) -> int:
        raise TryAgain("not yet", after="10m")

    last = Service(stack).ask(offered(function, within="30s"))  # and would be waited for two minutes
    assert (last.state, last.reason) == ("failed", "not yet (it may be tried again after 10m, and all tries have 2m)")


def test_an_address_that_is_none_of_http_is_asked_once(stack: Stack) -> None:
    world = Service(stack, httpx.UnsupportedProtocol("'postgresql://' is no protocol"), 201)
    last = world.ask(offered(placed))
    assert (last.state, last.again, len(world.asked)) == ("failed", None, 1)
