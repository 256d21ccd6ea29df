"""The ledger: written before the call, confirmed after it, read as it was last, whatever cut it short."""

from __future__ import annotations

from pathlib import Path

import pytest

from seeder.steps import ledger
from seeder.steps.ledger import Entry, Ledger


def entry(name: str, *after: str) -> Entry:
    return Entry(name, "customers.create", "1", "a-team", "services", given={"region": "EU"}, after=after)


def test_an_entry_is_on_the_disk_before_the_call_and_confirmed_after_it(tmp_path: Path) -> None:
    book = Ledger(tmp_path)
    book.begin(entry("customer"))
    assert [(one.id, one.state) for one in ledger.read(tmp_path)] == [("customer", "begun")]
    book.ended("customer", "confirmed", made={"id": 5})
    (found,) = ledger.read(tmp_path)
    assert (found.state, found.made, found.given) == ("confirmed", {"id": 5}, {"region": "EU"})
    assert (tmp_path / ledger.FILE).stat().st_mode & 0o777 == 0o600


def test_a_line_that_was_cut_short_counts_as_not_written(tmp_path: Path) -> None:
    book = Ledger(tmp_path)
    book.begin(entry("a"))
    with (tmp_path / ledger.FILE).open("a") as file:
        file.write('{"id": "b", "capab')
    assert [one.id for one in ledger.read(tmp_path)] == ["a"]


@pytest.mark.parametrize("cut", [b'{"id": "b", "capab', '{"id": "b", "reason": "ö'.encode()[:-1]])
def test_what_is_written_after_a_line_that_was_cut_short_does_not_continue_it(tmp_path: Path, cut: bytes) -> None:
    Ledger(tmp_path).begin(entry("a"))
    with (tmp_path / ledger.FILE).open("ab") as file:
        file.write(cut)
    assert [one.id for one in ledger.read(tmp_path)] == ["a"]
    again = Ledger(tmp_path)
    again.begin(entry("c", "a"))
    again.ended("c", "unknown", reason="nobody answered")
    assert [(one.id, one.state) for one in ledger.read(tmp_path)] == [("a", "begun"), ("c", "unknown")]


def test_nothing_was_created_where_there_is_no_ledger(tmp_path: Path) -> None:
    assert ledger.read(tmp_path) == []
