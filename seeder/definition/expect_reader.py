"""Reads what a scenario expects, and says what is wrong with its queries."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from seeder.definition.expect_file import EventItem, ExpectItem, HttpItem, QueryItem, StubItem
from seeder.definition.expectation import Expectation
from seeder.definition.references import named_parameters
from seeder.definition.yaml import Document
from seeder.errors import Collector, nearest

Way = tuple[str | int, ...]


def expectations(items: Sequence[ExpectItem | None], way: Way, document: Document) -> tuple[Expectation, ...]:
    """Those that are sound, read at the way."""
    return tuple(_expectation(item, (*way, number), document) for number, item in enumerate(items) if item)


def _expectation(item: ExpectItem, way: Way, document: Document) -> Expectation:
    mark = document.mark(way)
    if isinstance(item, QueryItem):
        return Expectation(
            "query", mark, item.store, query=item.query, parameters=item.with_, equals=item.equals, compares=True, within=item.within
        )
    compares = "equals" in item.model_fields_set
    if isinstance(item, HttpItem):
        return Expectation(
            "http", mark, service=item.http, method=item.method, path=item.path, status=item.status,
            equals=item.equals, compares=compares, within=item.within,
        )  # fmt: skip
    if isinstance(item, EventItem):
        where, least = item.where, item.at_least
        return Expectation("event", mark, item.store or "", subject=item.event, where=where, at_least=least, within=item.within)
    if isinstance(item, StubItem):
        where = item.where.model_dump(exclude_unset=True)
        return Expectation("stub", mark, item.stub, where=where, at_least=item.at_least, count=item.count, within=item.within)
    return Expectation(
        "key", mark, item.store or "", key=item.key, equals=item.equals, exists=item.exists, compares=compares, within=item.within
    )


def check_queries(items: Sequence[ExpectItem | None], way: Way, named: Collection[str], document: Document, problems: Collector) -> None:
    """Parameters of queries have values: of their own, or those that are `named` so."""
    for number, item in enumerate(items):
        if isinstance(item, QueryItem):
            _check_query(item, (*way, number), named, document, problems)


def _check_query(item: QueryItem, way: Way, named: Collection[str], document: Document, problems: Collector) -> None:
    subject, mark = ".".join(map(str, (*way, "query"))), document.mark((*way, "query"))
    if "${" in item.query:
        problems.add(subject, "a query takes parameters, not references", "write :name in it, and name: ${inputs.NAME} in `with`", mark)
    names = named_parameters(item.query)
    for name in names:
        if name not in {*item.with_, *named}:
            problems.add(subject, f"the parameter :{name} has no value", f"add it: with: {{{name}: ...}}", mark)
    for name in item.with_:
        if name not in names:
            cause = f"the query has no parameter :{name}"
            problems.add(".".join(map(str, (*way, "with"))), cause, nearest(name, names), document.mark((*way, "with", name)))
