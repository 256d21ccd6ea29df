"""Order: what comes after what, and work along it."""

import threading

import pytest

from seeder import order


def test_everything_stands_after_what_it_depends_on_and_ties_go_by_name():
    assert order.sort({"c": ["a"], "b": ["a"], "a": []}) == ["a", "b", "c"]


def test_a_cycle_is_shown():
    with pytest.raises(order.Cycle) as found:
        order.sort({"a": ["b"], "b": ["c"], "c": ["a"], "d": []})
    assert found.value.path[0] == found.value.path[-1]
    assert set(found.value.path) == {"a", "b", "c"}


def test_independent_work_runs_at_the_same_time():
    together = threading.Barrier(2, timeout=10)
    order.along({"a": [], "b": []}, lambda _: together.wait())


def test_after_a_failure_nothing_new_begins_and_the_first_error_is_raised():
    begun = []

    def work(name):
        begun.append(name)
        if name == "a":
            raise ValueError("a is broken")

    with pytest.raises(ValueError, match="a is broken"):
        order.along({"a": [], "b": ["a"], "c": ["b"]}, work)
    assert begun == ["a"]


def test_a_failure_does_not_wait_for_what_still_runs():
    hanging = threading.Event()

    def work(name):
        if name == "a":
            raise ValueError("a is broken")
        assert hanging.wait(30)

    with pytest.raises(ValueError, match="a is broken"):
        order.along({"a": [], "b": []}, work)
    assert not hanging.is_set()
    hanging.set()


def test_no_more_than_wanted_runs_at_once():
    lock, now, most = threading.Lock(), [0], [0]
    gate = threading.Barrier(2, timeout=10)

    def work(_):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        gate.wait()
        with lock:
            now[0] -= 1

    order.along({name: [] for name in "abcdefgh"}, work, at_once=2)
    assert most == [2]


def test_each_answers_in_the_order_asked():
    assert order.each(["b", "a"], str.upper) == {"b": "B", "a": "A"}
    assert order.each([], str.upper) == {}


def test_work_aside_is_done_meanwhile_and_answers_when_it_is_asked():
    begun = threading.Event()
    answer = order.aside(lambda: begun.set() or "done")
    assert begun.wait(10)
    assert answer() == answer() == "done"


def test_an_error_of_work_aside_is_raised_to_who_asks():
    answer = order.aside(lambda: int("none"))
    with pytest.raises(ValueError, match="none"):
        answer()


def test_closure_follows_edges():
    edges = {"a": ["b"], "b": ["c"], "c": [], "d": ["a"]}
    assert order.closure(["a"], lambda n: edges[n]) == {"a", "b", "c"}
