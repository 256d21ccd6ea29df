"""Copies are there before they are asked for; used ones are removed behind the back of who goes on; what goes wrong is told once."""

from __future__ import annotations

import itertools
import threading
from contextlib import closing, suppress

import pytest

from seeder import order
from seeder.errors import EnvironmentFailed
from seeder.passed.target import Address, Target
from seeder.testing.supply import AHEAD, MAKERS, MOST_USED, Supply
from seeder.wait import READY, not_yet, wait_for


class Disk:
    """Where copies are, for cloners of several threads."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.there: set[str] = set()
        self.most = 0
        self.full = False
        self.wrong: Exception | None = None
        self.open = 0
        self._lock = threading.Lock()

    def cloner(self) -> Cloner:
        if self.wrong:
            raise self.wrong
        with self._lock:
            self.open += 1
        return Cloner(self)


class Cloner:
    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def clone(self, name: str) -> Target:
        if self._disk.full:
            raise EnvironmentFailed("db", "no space left on device")
        with self._disk._lock:
            self._disk.made.append(name)
            self._disk.there.add(name)
            self._disk.most = max(self._disk.most, len(self._disk.there))
        return Target("db", "postgres", "postgresql", Address("localhost", 1), database=name)

    def drop(self, clone: Target) -> None:
        if str(clone.database).startswith("stuck"):
            raise EnvironmentFailed("db", "it is used by prepared transactions")
        if str(clone.database).startswith("broken"):
            raise ValueError("no answer that was expected")
        with self._disk._lock:
            self._disk.there.discard(str(clone.database))

    def close(self) -> None:
        with self._disk._lock:
            self._disk.open -= 1


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def supply(disk: Disk):
    numbers = itertools.count(1)
    made = Supply(disk.cloner, lambda: f"copy{next(numbers)}")
    yield made
    made.close()
    assert disk.open == 0


def in_time(take):
    """What it answers or raises; a wait without end fails."""
    return order.aside(take, within=5)()


def until(look) -> None:
    wait_for("supply", lambda: READY if look() else not_yet("not so yet"), within=5, longest=0.01)


def test_some_are_made_ahead_and_no_more(supply, disk):
    until(lambda: len(disk.made) == AHEAD)
    supply.take()
    until(lambda: len(disk.made) == AHEAD + 1)


def test_nobody_gets_what_another_had(supply):
    taken = []
    for _ in range(50):
        taken.append(supply.take())
        supply.give_back(taken[-1])
    assert len({one.database for one in taken}) == 50


def test_used_ones_are_removed(supply, disk):
    for _ in range(10):
        supply.give_back(supply.take())
    until(lambda: len(disk.there) == AHEAD)


def test_they_do_not_pile_up(supply, disk):
    for _ in range(4 * MOST_USED):
        supply.give_back(supply.take())
    assert disk.most <= MOST_USED + AHEAD + 4


def test_what_keeps_one_from_being_made_is_told_and_the_next_is_tried(supply, disk):
    until(lambda: len(disk.made) == AHEAD)
    disk.full = True
    for _ in range(AHEAD):
        supply.take()
    with pytest.raises(EnvironmentFailed, match="no space left"):
        supply.take()
    with pytest.raises(EnvironmentFailed, match="no space left"):
        supply.take()
    disk.full = False
    assert supply.take().database


def test_one_that_cannot_be_removed_is_left_to_its_server(supply, disk):
    supply.give_back(Target("db", "postgres", "postgresql", Address("localhost", 1), database="stuck"))
    supply.give_back(supply.take())
    until(lambda: len(disk.there) == AHEAD)


@pytest.mark.parametrize("wrong", [EnvironmentFailed("db", "the server is gone"), ValueError("the server is gone")])
def test_a_server_that_cannot_be_reached_is_told_and_the_next_time_tried_again(disk, wrong):
    disk.wrong = wrong
    with closing(Supply(disk.cloner, lambda: "copy")) as supply:
        for _ in range(2):
            with pytest.raises(type(wrong), match="the server is gone"):
                in_time(supply.take)
        disk.wrong = None
        assert in_time(supply.take).database == "copy"


def test_what_goes_wrong_with_a_removal_keeps_nobody_from_the_next(supply):
    for _ in range(2 * MAKERS):
        supply.give_back(Target("db", "postgres", "postgresql", Address("localhost", 1), database="broken"))
    for _ in range(4 * AHEAD):
        with suppress(ValueError):
            in_time(supply.take)
    assert in_time(supply.take).database


def test_nobody_waits_for_a_supply_that_is_closed(disk):
    supply = Supply(disk.cloner, lambda: "copy")
    until(lambda: len(disk.made) == AHEAD)
    disk.full = True
    supply.close()
    for _ in range(AHEAD):
        supply.take()
    with pytest.raises(EnvironmentFailed, match="no more are made"):
        in_time(supply.take)
