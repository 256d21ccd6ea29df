"""A store's way through its history: halts on the way, and what is left from a state that is there already."""

from __future__ import annotations

from pathlib import Path

import pytest

from seeder.definition.dataset import Dataset
from seeder.definition.extension import Migrate as Written
from seeder.definition.stack import Store
from seeder.errors import Mark
from seeder.passed.fitness import Revision
from seeder.passed.operation import Load, Migrate
from seeder.planning import history

IDS = ("0001", "0002", "0003", "0004")


def whole(ids: tuple[str, ...] = IDS) -> Migrate:
    store = Store("db", "db", "postgres", None, Written(sql="migrations"))
    return history.to_head(store, tuple(Revision(id_, Path(f"{id_}.sql")) for id_ in ids))


def load(name: str, at: str) -> Load:
    dataset = Dataset(name, "1.0.0", "golden", Path(name), (), Mark(Path("manifest.yaml"), 1))
    return Load(dataset.label, "", "", dataset, {"db": ()}, at)


def said(operation: Migrate | Load | None) -> str:
    if operation is None:
        return "nothing"
    return f"{operation.detail} ({operation.cause})" if isinstance(operation, Migrate) else operation.subject


def test_a_history_is_one_way_to_its_head() -> None:
    assert said(whole()) == "0001, 0002, 0003, 0004: 4 revisions by sql (the store starts empty)"
    assert [said(one) for one in history.halting(whole(), {})] == [said(whole())]


def test_it_halts_where_rows_go_in_and_goes_on_over_them() -> None:
    here = {"0002": [load("a", "0002"), load("b", "0002")], "0003": [load("c", "0003")]}
    assert [said(one) for one in history.halting(whole(), here)] == [
        "0001, 0002: 2 revisions by sql (a@1.0.0 is loaded at this revision)",
        "a@1.0.0",
        "b@1.0.0",
        "0002 -> 0003: 1 revision by sql (c@1.0.0 is loaded at this revision)",
        "c@1.0.0",
        "0003 -> 0004: 1 revision by sql (over the rows of c@1.0.0)",
    ]


@pytest.mark.parametrize(
    ("since", "left"),
    [
        ("0001", "0001 -> 0004: 3 revisions by sql (found)"),
        ("0003", "0003 -> 0004: 1 revision by sql (found)"),
        ("0004", "nothing"),
        ("sql", "nothing"),  # a tool that does not go step by step has done all
    ],
)
def test_from_a_state_that_is_there_the_rest_is_left(since: str, left: str) -> None:
    assert said(history.beyond(whole(), since, "found")) == left


def test_what_begins_later_anyway_is_left_as_it_is() -> None:
    *_, last = history.halting(whole(), {"0003": [load("c", "0003")]})
    assert isinstance(last, Migrate)
    assert history.beyond(last, "0002", "found") == last


def test_of_a_long_history_the_first_and_the_last_are_named() -> None:
    ids = tuple(f"{number:04}" for number in range(1, 21))
    assert said(whole(ids)).startswith("0001, 0002, 0003, 0004, 0005, ..., 0019, 0020: 20 revisions by sql")
