"""What the checkout saga does next, decided from what is written alone."""

from __future__ import annotations

from datetime import date
from itertools import pairwise, product

import pytest

from orders.models import SagaStep
from orders.saga import Move, next_move
from orders.subscriptions import following
from orders.worker import FIRST_DELAY, LONGEST_DELAY, Backlog

REFUSED, UNCERTAIN = ("refused", {"reason": "no"}), ("refused", {"reason": "no", "uncertain": True})
WAITING, DONE, UNDONE = ("waiting", {}), ("done", {}), ("compensated", {})


def steps(*states: tuple[str, dict[str, object]]) -> list[SagaStep]:
    return [SagaStep(position=position, status=status, detail=detail) for position, (status, detail) in enumerate(states)]


@pytest.mark.parametrize(
    ("states", "move"),
    [
        ((WAITING, WAITING, WAITING), Move("act", 0)),
        ((DONE, DONE, WAITING), Move("act", 2)),
        ((DONE, DONE, DONE), Move("finish", confirmed=True)),
        ((REFUSED, WAITING, WAITING), Move("finish")),
        ((DONE, DONE, REFUSED), Move("undo", 1)),
        ((DONE, UNDONE, REFUSED), Move("undo", 0)),
        ((UNDONE, UNDONE, REFUSED), Move("finish")),
        ((DONE, UNCERTAIN, WAITING), Move("undo", 1)),
        ((DONE, UNDONE, WAITING), Move("undo", 0)),
    ],
)
def test_the_next_move(states: tuple[tuple[str, dict[str, object]], ...], move: Move) -> None:
    assert next_move(steps(*states)) == move


@pytest.mark.parametrize("answers", list(product(["done", "refused", "uncertain"], repeat=3)))
def test_every_saga_ends_with_all_done_or_nothing_done(answers: tuple[str, ...]) -> None:
    saga, moves = steps(WAITING, WAITING, WAITING), 0
    while (move := next_move(saga)).kind != "finish":
        step, moves = saga[move.position], moves + 1
        if move.kind == "undo":
            step.status = "compensated"
        elif answers[move.position] == "done":
            step.status = "done"
        else:
            step.status, step.detail = "refused", {"reason": "no", "uncertain": answers[move.position] == "uncertain"}
        assert moves <= 6
    left = [step.status == "done" or (step.status == "refused" and bool(step.detail["uncertain"])) for step in saga]
    assert move.confirmed == all(left)
    assert move.confirmed == any(left)


@pytest.mark.parametrize(
    ("day", "months", "anchor", "expected"),
    [
        (date(2025, 1, 31), 1, 31, date(2025, 2, 28)),
        (date(2025, 2, 28), 1, 31, date(2025, 3, 31)),
        (date(2023, 11, 30), 3, 30, date(2024, 2, 29)),
        (date(2025, 12, 15), 1, 15, date(2026, 1, 15)),
        (date(2025, 6, 1), 12, 1, date(2026, 6, 1)),
    ],
)
def test_the_period_after(day: date, months: int, anchor: int, expected: date) -> None:
    assert following(day, months, anchor) == expected


def test_a_pending_order_is_looked_at_ever_more_rarely() -> None:
    backlog, now, looks = Backlog(), 0.0, []
    while now < 60:
        looks += [now for _ in backlog.due([7], now)]
        now += 0.25
    assert looks[0] == FIRST_DELAY
    pauses = [later - earlier for earlier, later in pairwise(looks)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_DELAY
    assert backlog.due([], now) == []
    assert backlog.due([7], now) == []  # pending anew: it starts from the beginning
