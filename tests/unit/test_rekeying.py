"""Rows of datasets get keys of the run's own, and lead to each other as before, also across stores."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from seeder.definition.dataset import Part
from seeder.definition.stack import Column, Reference
from seeder.errors import DefinitionError
from seeder.loading.rekeying import RANGES, Rekeying, Sharing
from seeder.passed.content import Row, RowKeys, Table

MARK = "sd-abcdefgh"
UUID = "af74d488-aa9b-5951-b7d2-6f58ae53f69e"
CUSTOMERS = RowKeys({"id": "bigint", "email": "text", "name": "text"}, ("id",), (("email",),))
ORDERS = RowKeys(
    {"id": "integer", "customer_id": "bigint", "product_id": "uuid", "first_id": "integer"}, ("id",), (), {"first_id": ("orders", "id")}
)
ITEMS = RowKeys({"order_id": "integer", "line": "integer"}, ("order_id", "line"), (), {"order_id": ("orders", "id")})
REFERENCES = (
    Reference(Column("b", "orders", "customer_id"), Column("a", "customers", "id")),
    Reference(Column("b", "orders", "product_id"), Column("c", "products", "id")),
)


def table(name: str, columns: Sequence[str], *rows: Sequence[object]) -> Table:
    part = Part("table", "a", name, Path(f"{name}.csv"), "csv")
    return Table(part, tuple(columns), lambda: iter([Row(number, tuple(values)) for number, values in enumerate(rows, 2)]))


def shop(mark: str = MARK, free: object = None, **more: object) -> Rekeying:
    files = {
        ("a", "customers"): (table("customers", ["id", "email", "name"], ["7", "ada@x.org", "Ada"], ["9", "bob@x.org", "Bob"]), CUSTOMERS),
        ("b", "orders"): (
            table("orders", ["id", "customer_id", "product_id", "first_id"], [1, "9", UUID, None], [2, "5", UUID, 1]),
            ORDERS,
        ),
        ("b", "items"): (table("items", ["order_id", "line"], [1, 1], [2, 1]), ITEMS),
    }
    return Rekeying(files, Sharing(REFERENCES, mark, **more), free or (lambda *_: True))  # type: ignore[arg-type]


def rows(made: Rekeying, store: str, name: str) -> list[tuple[object, ...]]:
    return [row.values for row in made.table((store, name)).rows()]


def test_keys_are_the_runs_own_and_lead_where_they_led() -> None:
    made = shop()
    (ada, email, name), (bob, *_) = rows(made, "a", "customers")
    (first, of_bob, product, none), (second, of_another, _, back) = rows(made, "b", "orders")
    assert (email, name, product, none, of_another) == (f"{MARK}-ada@x.org", "Ada", UUID, None, "5")  # what is not of the data stays
    assert (of_bob, back) == (bob, first)
    assert int(str(bob)) - int(str(ada)) == 2
    assert rows(made, "b", "items") == [(first, 1), (second, 1)]
    assert made.keys(("b", "items")) == (("order_id", "line"), [[first, "1"], [second, "1"]])
    for value, kind in ((ada, "bigint"), (first, "integer")):
        low, high = RANGES[kind]
        assert low <= int(str(value)) <= high


def test_two_runs_meet_nowhere_and_one_is_the_same_each_time() -> None:
    assert shop().new == shop().new
    one, other = shop(), shop("sd-ijklmnop")
    for column, values in one.new.items():
        assert not set(values.values()) & set(other.new[column].values())


def test_a_range_is_free_or_another_one_is_taken_and_may_be_declared() -> None:
    asked: list[tuple[Column, int, int]] = []

    def free(column: Column, low: int, high: int) -> bool:
        asked.append((column, low, high))
        return len([one for one in asked if one[0] == column]) > 1

    made = shop(free=free)
    assert len(asked) == 4
    assert rows(made, "a", "customers")[0][0] != rows(shop(), "a", "customers")[0][0]
    narrow = shop(ranges={"b.orders.id": (50_000, 99_999)})
    assert 50_000 <= int(str(rows(narrow, "b", "orders")[0][0])) <= 99_999
    with pytest.raises(DefinitionError, match="no range of numbers is free for id"):
        shop(free=lambda *_: False)


def test_a_column_that_shows_the_mark_shows_it_in_rows_of_data_too() -> None:
    shown = shop(shown=(Column("a", "customers", "name"),))
    assert [row[2] for row in rows(shown, "a", "customers")] == [f"{MARK}-Ada", f"{MARK}-Bob"]


def test_what_cannot_be_told_from_others_is_refused_all_at_once() -> None:
    files = {
        ("c", "stock"): (
            table("stock", ["product_id"], [UUID]),
            RowKeys({"product_id": "uuid"}, ("product_id",), (), {"product_id": ("products", "id")}),
        ),
        ("c", "log"): (table("log", ["text"], ["a"]), RowKeys({"id": "bigint", "text": "text"}, ("id",))),
        ("c", "tills"): (table("tills", ["id", "place"], ["a", 3]), RowKeys({"id": "text", "place": "integer"}, ("id",), (("place",),))),
    }
    with pytest.raises(DefinitionError) as refused:
        Rekeying(files, Sharing((), MARK), lambda *_: True)
    told = {problem.subject: problem.cause for problem in refused.value.problems}
    assert "key of rows that others use" in told["c.stock"]
    assert "the file lacks id" in told["c.log"]
    assert "place must be unique" in told["c.tills"]


def test_a_number_or_uuid_is_one_however_it_is_written() -> None:
    ids = RowKeys({"id": "bigint"}, ("id",))
    lines = RowKeys({"id": "uuid", "till": "bigint", "before": "uuid"}, ("id",), (), {"till": ("tills", "id"), "before": ("lines", "id")})
    files = {
        ("a", "tills"): (table("tills", ["id"], ["007"], [8]), ids),
        ("a", "lines"): (table("lines", ["id", "till", "before"], [UUID.upper(), "7", None], [UUID[::-1], "+8", f"{{{UUID}}}"]), lines),
    }
    made = Rekeying(files, Sharing((), MARK), lambda *_: True)
    (seven,), (eight,) = rows(made, "a", "tills")
    (first, of_seven, _), (_, of_eight, before) = rows(made, "a", "lines")
    assert (of_seven, of_eight, before) == (seven, eight, first)
    assert int(str(seven)) >= RANGES["bigint"][0]
    assert made.new[Column("a", "tills", "id")].keys() == {"7", "8"}


def test_what_is_no_key_of_its_type_is_told_with_its_line() -> None:
    files = {("a", "tills"): (table("tills", ["id"], [1], ["one"], [2.0]), RowKeys({"id": "bigint"}, ("id",)))}
    with pytest.raises(DefinitionError) as refused:
        Rekeying(files, Sharing((), MARK), lambda *_: True)
    told = [(problem.mark.line if problem.mark else 0, problem.cause) for problem in refused.value.problems]
    assert told == [(3, "id is bigint, and 'one' is none"), (4, "id is bigint, and 2.0 is none")]


@pytest.mark.parametrize("kind", ["date", "numeric(10,2)", "boolean", "timestamp with time zone"])
def test_a_key_that_can_have_no_other_value_is_refused_unless_another_column_of_it_can(kind: str) -> None:
    days = table("days", ["day", "shop"], ["1", "berlin"])
    with pytest.raises(DefinitionError, match=re.escape(f"day can be given no other value: day is {kind}")):
        Rekeying({("a", "days"): (days, RowKeys({"day": kind, "shop": "text"}, ("day",)))}, Sharing((), MARK), lambda *_: True)
    types = {"day": kind, "shop": "character varying(80)"}
    both = Rekeying({("a", "days"): (days, RowKeys(types, ("day", "shop")))}, Sharing((), MARK), lambda *_: True)
    assert rows(both, "a", "days") == [("1", f"{MARK}-berlin")]
