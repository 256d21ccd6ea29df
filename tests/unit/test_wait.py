"""The one waiting function, on a clock of the test's own."""

import itertools

import pytest

from seeder.errors import EnvironmentFailed
from seeder.wait import READY, never, not_yet, wait_for


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def pause(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


def test_it_answers_how_long_it_took(clock):
    answers = iter([not_yet("starting"), not_yet("starting"), READY])
    took = wait_for("db", lambda: next(answers), within=5, first=1.0, longest=10, clock=clock, pause=clock.pause)
    assert took == pytest.approx(2.5)


def test_never_ends_it_at_once_with_the_log(clock):
    with pytest.raises(EnvironmentFailed) as failed:
        wait_for("db", lambda: never("exited with code 1", "no space left"), within=5, clock=clock, pause=clock.pause)
    assert clock.now == 0
    assert failed.value.log == "no space left"


def test_the_limit_names_the_last_observation(clock):
    with pytest.raises(EnvironmentFailed, match=r"db: not ready after 3 s: connection refused"):
        wait_for("db", lambda: not_yet("connection refused"), within=3, clock=clock, pause=clock.pause)
    assert clock.now == pytest.approx(3)


def test_only_changes_are_told(clock):
    answers = iter([not_yet("a"), not_yet("a"), not_yet("b"), READY])
    told = []
    wait_for("db", lambda: next(answers), within=60, changed=told.append, clock=clock, pause=clock.pause)
    assert told == ["a", "b"]


def test_what_mends_the_last_observation_comes_first_and_a_closer_look_is_taken_once(clock):
    looks = []
    closed = not_yet("nothing listens", "listen on 8000", lambda: looks.append(1) or "pid 7 listens on 8080")
    with pytest.raises(EnvironmentFailed) as failed:
        wait_for("web", lambda: closed, within=3, remedy="wait longer", clock=clock, pause=clock.pause)
    problem = failed.value.problems[0]
    assert problem.cause == "not ready after 3 s: nothing listens; pid 7 listens on 8080"
    assert problem.remedy == "listen on 8000\n       wait longer"
    assert looks == [1]


def test_a_lively_wait_looks_again_soon_after_a_change_and_never_sooner_than_a_look_takes(clock):
    looks = []

    def look():
        looks.append(clock.now)
        clock.now += 0.5 if len(looks) == 5 else 0.0
        return READY if len(looks) == 7 else not_yet("new" if len(looks) > 3 else "old")

    wait_for("order", look, within=60, first=0.1, longest=10, lively=True, clock=clock, pause=clock.pause)
    assert [round(later - sooner, 4) for sooner, later in itertools.pairwise(looks)] == [0.1, 0.15, 0.225, 0.1, 1.0, 0.225]
