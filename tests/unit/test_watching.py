"""A state that is waited for: what counts as there, as on the way, and as strange."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from seeder.definition.step import Step, Watch
from seeder.errors import EnvironmentFailed, Mark
from seeder.events import Event, Waited
from seeder.handles.eventual import Sight
from seeder.protocols import World
from seeder.steps.watching import judged, watch

UNTIL, MEANWHILE = {"status": "paid"}, {"status": ["draft", "placed"]}
MARK = Mark(Path("s.yaml"), 7)


# name -> (answer, what is waited for, what is allowed on the way, what is seen)
CASES: dict[str, tuple[int, Any, Mapping[str, Any], Mapping[str, Any], Sight]] = {
    "there": (200, {"status": "paid", "id": 1}, UNTIL, MEANWHILE, Sight(holds=True, shown='status "paid"')),
    "on the way": (200, {"status": "draft"}, UNTIL, MEANWHILE, Sight(holds=False, shown='status "draft"')),
    "strange": (200, {"status": "lost"}, UNTIL, MEANWHILE, Sight(holds=False, shown='status "lost"', strange='status is "lost"')),
    "anything goes": (200, {"status": "lost"}, UNTIL, {}, Sight(holds=False, shown='status "lost"')),
    "not made yet": (404, {"detail": "no such order"}, UNTIL, MEANWHILE, Sight(holds=False, shown="answered 404")),
    "broken": (503, {"status": "paid"}, UNTIL, MEANWHILE, Sight(holds=False, shown="answered 503")),
    "a number by its value": (200, {"total": 10.0}, {"total": 10}, {}, Sight(holds=True, shown="total 10.0")),
    "true is no number": (200, {"total": True}, {"total": 1}, {}, Sight(holds=False, shown="total true")),
    "a part of what is below": (200, {"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {}, Sight(holds=True, shown='a {"b": 1, "c": 2}')),
    "no JSON object": (200, "wait", UNTIL, {}, Sight(holds=False, shown="wait")),
}


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_judged_by_its_status_and_its_body(name: str) -> None:
    status, body, until, meanwhile, sight = CASES[name]
    assert judged(status, body, until, meanwhile) == sight


class Answers:
    """A world whose service gives one answer after another, the last one for ever."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self._answers, self.events, self.paths = list(answers), list[Event](), list[str]()

    def http(self, service: str) -> httpx.Client:
        return httpx.Client(base_url=f"http://{service}", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        status, body = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return httpx.Response(status, json=body)

    def emit(self, event: Event) -> None:
        self.events.append(event)


def watched(world: Answers, **words: Any) -> Any:
    wanted = Watch("orders", "/orders/${order.id}", UNTIL, **{"within": 5.0, **words})
    return watch(cast("World", world), Step("seen", MARK, watch=wanted), wanted, {"order": {"id": 5, "first": "draft"}})


def test_all_states_on_the_way_are_told_and_references_among_those_that_are_allowed_are_filled() -> None:
    world = Answers((404, None), (200, {"status": "draft"}), (200, {"status": "paid", "id": 5}))
    assert watched(world, meanwhile={"status": ("${order.first}",)}) == {"status": "paid", "id": 5}
    assert set(world.paths) == {"/orders/5"}
    (told,) = world.events
    assert isinstance(told, Waited)
    assert (told.subject, told.ending, told.looks) == ("seen", "there", 3)
    assert [state["shown"] for state in told.seen] == ["answered 404", 'status "draft"', 'status "paid"']
    assert 0 <= told.seen[0]["first"] <= told.seen[0]["last"] <= told.seen[1]["first"] <= told.seconds


def test_a_state_that_is_not_allowed_is_told_with_those_before_it_and_where_it_was_written() -> None:
    with pytest.raises(EnvironmentFailed) as raised:
        watched(Answers((200, {"status": "draft"}), (200, {"status": "lost"})), meanwhile=dict(MEANWHILE))
    (problem,) = raised.value.problems
    assert (problem.subject, problem.mark) == ("step seen", MARK)
    assert 'status is "lost", which is not allowed on the way: status "draft" (' in problem.cause


def test_a_state_that_does_not_come_is_told_with_what_to_look_at() -> None:
    with pytest.raises(EnvironmentFailed) as raised:
        watched(Answers((404, None)), within=0.05)
    (problem,) = raised.value.problems
    assert problem.mark == MARK
    assert 'orders/orders/5 did not come to {"status": "paid"}: not ready after 0.05 s: answered 404; seen: answered 404 (' in problem.cause
    assert problem.remedy == "look at the log of orders, or give it longer: `within`"
