"""What programs wait for: until when, what may be seen on the way, and what is told of it all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from seeder.errors import EnvironmentFailed
from seeder.events import Event, Waited
from seeder.evidence.story import summed
from seeder.generators.context import Context
from seeder.handles.eventual import TRUE, Seen, answered
from seeder.session import Session

# name -> (answers, what is waited for, what may be on the way, what comes of it: the answer, or a part of the message)
CASES: dict[str, tuple[list[Any], Any, Any, Any]] = {
    "true": ([0, None, "yes"], TRUE, None, "yes"),
    "a value": (["draft", "paid"], "paid", ["draft"], "paid"),
    "a part": ([{"s": 1}, {"s": 2, "more": 3}], {"s": 2}, {"s": [1]}, {"s": 2, "more": 3}),
    "functions": ([1, 2, 8], lambda n: n > 5, lambda n: n < 3, 8),
    "nothing on the way": ([None, "there"], TRUE, [None], "there"),
    "another value": (["draft", "lost", "paid"], "paid", ["draft"], r"the answer was 'lost', which is not allowed on the way: 'draft' \("),
    "another field": ([{"s": 1}, {"s": 7}], {"s": 2}, {"s": [1]}, r"the answer was \{'s': 7\}, which is not allowed"),
    "not pleasing": ([1, 4], lambda n: n > 5, lambda n: n < 3, "the answer was 4"),
    "a list of others": (["a"], TRUE, [], "a"),
}


def asked(answers: list[Any], told: Callable[[Event], None] = lambda _: None, **words: Any) -> Any:
    left = iter(answers)
    return answered("the condition", lambda: next(left), told, **{"within": "5s", **words})


@pytest.mark.parametrize("name", CASES)
def test_what_is_waited_for_and_what_may_be_on_the_way(name: str) -> None:
    answers, until, meanwhile, comes = CASES[name]
    if comes in answers:
        assert asked(answers, until=until, meanwhile=meanwhile) == comes
    else:
        with pytest.raises(EnvironmentFailed, match=comes):
            asked(answers, until=until, meanwhile=meanwhile)


def test_what_does_not_come_is_told_with_the_last_answer_and_all_before_it() -> None:
    answers = iter(["draft", "placed"])
    with pytest.raises(EnvironmentFailed) as raised:
        answered("the condition", lambda: next(answers, "held"), lambda _: None, within=0.1, until="paid")
    (problem,) = raised.value.problems
    assert problem.subject == "the condition did not become true within 0.1 s"
    assert problem.cause.startswith("last answer 'held'; seen: 'draft' (0.00 s) -> 'placed' (0.")
    assert problem.cause.endswith(" looks)")


def test_the_journal_is_told_however_it_ends() -> None:
    told = list[Any]()
    asked([1, 1, 2], told.append, until=2)
    for answers, ending in (([1, 3], "strange"), ([], "broken")):
        with pytest.raises((EnvironmentFailed, StopIteration)):
            asked(answers, told.append, until=2, meanwhile=[1])
        assert told[-1].ending == ending
    assert all(isinstance(one, Waited) for one in told)
    assert (told[0].ending, told[0].looks, [state["looks"] for state in told[0].seen]) == ("there", 3, [2, 1])
    with pytest.raises(EnvironmentFailed):
        answered("the condition", lambda: 1, told.append, within=0.05, until=2)
    assert told[-1].ending == "late"
    assert told[-1].seconds >= 0.05


def test_equal_looks_are_one_state_and_one_that_comes_back_is_another() -> None:
    seen = Seen()
    for shown in ("a", "a", "b", "a"):
        seen.note(shown)
    assert [(state["shown"], state["looks"]) for state in seen.states] == [("a", 2), ("b", 1), ("a", 1)]
    assert seen.looks == 4


def test_nobody_can_just_sleep() -> None:
    assert not hasattr(Context, "sleep")
    assert not hasattr(Session, "sleep")


def test_a_result_sums_up_what_was_waited_for() -> None:
    waits = [Waited("seen", ending, 2.0, seconds, 3, []) for ending, seconds in (("there", 0.5), ("late", 2.0), ("strange", 0.25))]
    assert summed(waits) == {"count": 3, "seconds": 2.75, "longest": 2.0, "late": 1, "strange": 1}
