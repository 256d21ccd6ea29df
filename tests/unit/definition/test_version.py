"""Versions, revisions and durations."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.definition.dataset import Dataset, Requirement
from seeder.definition.duration import seconds, words
from seeder.definition.extension import Migrate
from seeder.definition.requirements import revision_problem, unmet
from seeder.definition.service import Service
from seeder.definition.stack import Stack, Store
from seeder.definition.version import matches, newest_first, parse, satisfies
from seeder.errors import Mark

MARK = Mark(Path("manifest.yaml"), 3)


@pytest.mark.parametrize(
    ("version", "wanted", "fits"),
    [
        ("2.3.0", ">=2.3,<3", True), ("2.2.9", ">=2.3,<3", False), ("3.0", ">=2.3,<3", False), ("2.10", ">=2.3,<3", True),
        ("3.0.0-rc1", "<3", False), ("3.0.0-rc1", ">=3", False), ("3.0.0-rc1", ">=3.0.0-rc1", True), ("2.9.1-rc1", "<3", True),
        ("2.3.0", "2.3", True), ("2.30.0", "2.3", False), ("v2.3", "2.3.0", True), ("2.3", "==2.3.0", True), ("2.3.1", "!=2.3", True),
        ("2.9", "~=2.3", True), ("3.0", "~=2.3", False), ("2.3.9", "~=2.3.1", True), ("2.4", "~=2.3.1", False),
        ("2.3+build.7", "==2.3", True), ("1.0.post1", ">1.0", True), ("2.3", " >= 2.3 , < 3 ", True),
    ],
)  # fmt: skip
def test_a_version_fits_a_range_or_not(version, wanted, fits):
    assert satisfies(version, wanted) is fits


@pytest.mark.parametrize("wanted", ["", ",", ">=", ">=two", "=>2", ">=2.3,", "^2.3"])
def test_what_is_no_range_is_refused_with_an_example(wanted):
    with pytest.raises(ValueError, match=r">=2\.3,<3"):
        satisfies("2.3", wanted)


def test_versions_stand_in_their_order():
    ordered = ["1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0.post1", "1.0.1", "1.2", "1.10", "2"]
    assert sorted(set(ordered), key=parse) == ordered
    assert sorted(["nightly", "1.2", "1.10"], key=newest_first, reverse=True) == ["1.10", "1.2", "nightly"]


@given(st.lists(st.integers(0, 99), min_size=1, max_size=4))
def test_a_release_equals_itself_with_zeros_behind(numbers):
    text = ".".join(map(str, numbers))
    assert parse(text) == parse(text + ".0")
    assert satisfies(text, f">={text},<={text}.0")


def test_a_shortened_version_matches_at_its_dots():
    assert [matches("3.2.1", wanted) for wanted in (None, "3", "3.2", "3.2.1", "3.20", "2")] == [True, True, True, True, False, False]
    assert not matches("3.20", "3.2")


HISTORY = ["0001_start", "0002_more", "0003_last"]


@pytest.mark.parametrize("wanted", ["0003", "0001..", "0003_last..", "..0003", "0002..0003"])
def test_a_history_fits(wanted):
    assert revision_problem(wanted, HISTORY) is None


@pytest.mark.parametrize(
    ("wanted", "cause"),
    [
        ("0002", "the head is 0003_last, and 0002 is needed"),
        ("..0002", "the head is 0003_last"),
        ("0001..0002", "the head is 0003_last"),
        ("0004..", "no single revision 0004"),
        ("000..", "no single revision 000"),
        ("..", "names no revision"),
    ],
)
def test_a_history_does_not_fit(wanted, cause):
    assert cause in revision_problem(wanted, HISTORY).cause


def _unmet(subject: str, wanted: str) -> list[str]:
    history = Migrate(sql="migrations")
    stores = {"db": Store("db", "db", "postgres", migrate=history), "bare": Store("bare", "db", "postgres")}
    stores |= {name: Store(name, "db", "postgres", migrate=history) for name in ("new", "broken")}
    stack = Stack("shop", "2.3.0", Path(), (), {"db": Service("db", MARK)}, stores, absent={"pg": "--services"})
    dataset = Dataset("checkout", "3.2.0", "golden", Path(), (), MARK, requires=(Requirement(subject, wanted, MARK),))
    found = list(unmet(dataset, stack, {"db": HISTORY, "new": []}))
    assert all(p.subject == f"checkout@3.2.0 requires {subject} {wanted}" and p.mark == MARK for p in found)
    return [f"{p.cause} -> {p.remedy}" for p in found]


def test_what_a_dataset_requires_and_does_not_find_names_both_sides():
    assert _unmet("stack", ">=2.3,<3") == _unmet("db", "0003") == _unmet("pg/orders", "0009") == _unmet("broken", "0001") == []
    assert "stack shop is 2.3.0" in _unmet("stack", ">=3")[0]
    assert "store db of stack shop: the head is 0003_last, and 0002 is needed" in _unmet("db", "0002")[0]
    assert "stack shop has no store dbb -> did you mean 'db'?" in _unmet("dbb", "0002")[0]
    assert "store bare of stack shop has no migrations" in _unmet("bare", "0002")[0]
    assert "store new of stack shop: the history has no revisions" in _unmet("new", "0001")[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [("500ms", 0.5), ("5s", 5), ("1m30s", 90), ("1.5h", 5400), ("7d", 604800), ("2w", 1209600), ("0s", 0), ("50us", 5e-5)],
)
def test_a_duration_is_read(text, value):
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "-5s", "5s ", "1h30", "5S", "\u0665s"])
def test_what_is_no_duration_is_refused_with_examples(text):
    with pytest.raises(ValueError, match="500ms, 5s, 2m, 24h or 7d"):
        seconds(text)


def test_a_duration_is_said_in_its_two_greatest_units():
    assert [words(s) for s in (0.5, 59, 60, 5400, 86400, 90061, 604800)] == ["0.5s", "59s", "1m", "1h30m", "1d", "1d1h", "7d"]
