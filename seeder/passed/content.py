"""What a store holds: rows, scripts, keys, messages and mappings as files give them, and tables and digests as engines see them."""

from __future__ import annotations

import hashlib
import json
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from seeder.definition.dataset import Part, PartKind
from seeder.frozen import frozen


@frozen
class Row:
    """One record of a table file; values are text, None, numbers, booleans, or lists and dicts for structured columns."""

    line: int
    values: tuple[Any, ...]


@frozen
class Table:
    """A table's file. `rows()` may be called again and reads the file anew."""

    part: Part
    columns: tuple[str, ...]
    source: Any = field(repr=False)  # a callable that returns an iterator of Row

    @property
    def name(self) -> str:
        return self.part.name

    def rows(self) -> Iterator[Row]:
        result: Iterator[Row] = self.source()
        return result


@frozen
class Script:
    """A file of SQL."""

    part: Part


@frozen
class Held:
    """What a store holds of one table, of its keys or of one stream, as the lines of the dataset's file that would put it there, in an
    order that is the same each time. `key`: by which a line is recognised, columns of a table's. `left`: what cannot be written so."""

    name: str
    kind: PartKind
    lines: tuple[bytes, ...] = field(repr=False)
    header: bytes = b""
    key: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        ending = {"table": "csv", "sql": "sql"}.get(self.kind, "jsonl")
        return f"{self.name}.{ending}"


@frozen
class Key:
    """A key with its type (string, hash, list, set, zset), value and time to live in seconds (None: for ever)."""

    line: int
    key: str
    type: str
    value: Any
    ttl: float | None = None


@frozen
class Keys:
    """A file of keys."""

    part: Part
    keys: tuple[Key, ...]


@frozen
class Message:
    """A message as a file gives it."""

    line: int
    subject: str
    headers: Mapping[str, str]
    payload: Any  # JSON, or text


@frozen
class Post:
    """A message on its way to a store, as a client publishes it. The broker knows it again by its `id`."""

    id: str
    subject: str
    headers: Mapping[str, str]
    payload: bytes


def encoded(payload: Any) -> bytes:
    """A payload as bytes: text as it is, everything else as compact JSON, nothing for null."""
    if payload is None:
        return b""
    return payload.encode() if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


@frozen
class Messages:
    """A file of messages, in order."""

    part: Part
    messages: tuple[Message, ...]


@frozen
class StubMapping:
    """What a stub answers to which requests, as WireMock writes it; it has an id."""

    line: int
    mapping: Mapping[str, Any]


@frozen
class Mappings:
    """A file of mappings, in order."""

    part: Part
    mappings: tuple[StubMapping, ...]


Records = Table | Script | Keys | Messages | Mappings


@frozen
class Received:
    """A call that a stub received. `url` is path and query as they were sent; names of headers are in small letters; `body` is JSON, or
    text where it is none; `matched`: a mapping answered it."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Any
    matched: bool

    @property
    def path(self) -> str:
        return self.url.partition("?")[0]

    @property
    def query(self) -> dict[str, list[str]]:
        return urllib.parse.parse_qs(self.url.partition("?")[2], keep_blank_values=True)


@frozen
class Answer:
    """What one statement answers: rows with values as the store writes them, if it returns any; how many rows it changed, if any could."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str | None, ...]]
    changed: int | None
    returns: bool


@frozen
class ColumnInfo:
    """`filled`: a default, an identity or a generated expression gives the value when a row does not say."""

    name: str
    type: str
    nullable: bool
    filled: bool = False


@frozen
class TableInfo:
    """A table as the database sees it; `name` carries the schema unless it is the default one."""

    name: str
    columns: tuple[ColumnInfo, ...]
    key: tuple[str, ...]  # primary key columns
    constraints: Mapping[str, str] = field(default_factory=dict)  # the others and unique indexes: name -> definition


@frozen
class RowKeys:
    """By what a table's rows are told: the types of its columns (of a domain: what it is based on), its primary key, columns
    that are unique together, and where columns lead in their store (table, column)."""

    types: Mapping[str, str]
    primary: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    foreign: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@frozen
class StoreDigest:
    """SHA-256 (hex) over the store's content as text, as architecture.md defines it, and over its parts: table, key type or
    stream -> (records, digest)."""

    digest: str
    parts: Mapping[str, tuple[int, str]]

    @classmethod
    def of(cls, parts: Mapping[str, tuple[int, str]]) -> StoreDigest:
        """The digest of a store by those of its parts, whatever their order."""
        lines = (f"{name}\t{records}\t{digest}\n" for name, (records, digest) in sorted(parts.items()))
        return cls(hashlib.sha256("".join(lines).encode()).hexdigest(), parts)
