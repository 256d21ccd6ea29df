"""Keys, messages and SQL files: what is read, and what is refused with its line."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from seeder.definition.dataset import Part
from seeder.errors import DefinitionError
from seeder.loaders.keys import KeysLoader
from seeder.loaders.messages import MessagesLoader
from seeder.loaders.sql import SqlLoader
from seeder.passed.content import Key, Message

AS_OF = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)


def file(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def keys(folder: Path, content: str) -> tuple[Key, ...]:
    return KeysLoader().read(Part("keys", "cache", "keys", file(folder, "keys.jsonl", content), "jsonl"), AS_OF).keys


def messages(folder: Path, content: str) -> tuple[Message, ...]:
    return MessagesLoader().read(Part("messages", "events", "orders", file(folder, "orders.jsonl", content), "jsonl"), AS_OF).messages


def test_keys_of_every_type(tmp_path: Path) -> None:
    lines = [
        '{"key": "a", "value": "text", "ttl": 300}',
        '{"key": "b", "type": "hash", "value": {"price": 19.9, "seen": "as_of-1d", "sold": true}}',
        '{"key": "c", "type": "list", "value": ["x", 1, "x"]}',
        '{"key": "d", "type": "set", "value": ["x", "y"]}',
        '{"key": "e", "type": "zset", "value": {"m": 1.5}, "ttl": 0.5}',
        '{"key": "f", "value": 7}',
    ]
    assert keys(tmp_path, "\n".join(lines)) == (
        Key(1, "a", "string", "text", 300.0),
        Key(2, "b", "hash", {"price": "19.9", "seen": "2026-01-14T12:00:00Z", "sold": "true"}),
        Key(3, "c", "list", ["x", "1", "x"]),
        Key(4, "d", "set", ["x", "y"]),
        Key(5, "e", "zset", {"m": 1.5}, 0.5),
        Key(6, "f", "string", "7"),
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"value": "x"}', "key: the field is missing"),
        ('{"key": "a"}', "value: the field is missing"),
        ('{"key": "a", "vlaue": "x"}', "did you mean 'value'?"),
        ('{"key": "a", "type": "hsah", "value": {}}', "did you mean 'hash'?"),
        ('{"key": "a", "value": {"b": 1}}', "write JSON in it as text"),
        ('{"key": "a", "value": "x", "ttl": "5m"}', "no number of seconds"),
        ('{"key": "a", "value": "x", "ttl": 0}', "no number of seconds"),
        ('{"key": "a", "type": "set", "value": ["x", "x"]}', "member twice"),
        ('{"key": "a", "type": "list", "value": []}', "empty"),
        ('{"key": "a", "type": "zset", "value": {"m": "1"}}', "scores"),
        ('{"key": "a", "value": "as_of-soon"}', "no relative date"),
    ],
)
def test_a_bad_key_is_refused_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        keys(tmp_path, f'{{"key": "good", "value": "x"}}\n{line}\n')
    assert message in str(caught.value)
    assert f"{tmp_path / 'keys.jsonl'}:2:" in str(caught.value)


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r":3: a: the key stands in line 1 already"):
        keys(tmp_path, '{"key": "a", "value": "x"}\n{"key": "b", "value": "x"}\n{"key": "a", "value": "y"}\n')


def test_messages_keep_their_order_headers_and_payload(tmp_path: Path) -> None:
    lines = [
        '{"subject": "orders.placed", "headers": {"Nats-Msg-Id": "1"}, "payload": {"at": "as_of", "lines": [{"on": "as_of+1d"}]}}',
        '{"subject": "orders.paid", "payload": "plain"}',
    ]
    assert messages(tmp_path, "\n".join(lines)) == (
        Message(1, "orders.placed", {"Nats-Msg-Id": "1"}, {"at": "2026-01-15T12:00:00Z", "lines": [{"on": "2026-01-16T12:00:00Z"}]}),
        Message(2, "orders.paid", {}, "plain"),
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"payload": 1}', "subject: the field is missing"),
        ('{"subject": "a b", "payload": 1}', "nothing can be published"),
        ('{"subject": "orders.*", "payload": 1}', "nothing can be published"),
        ('{"subject": "orders..x", "payload": 1}', "nothing can be published"),
        ('{"subject": "a"}', "payload: the field is missing"),
        ('{"subject": "a", "payload": 1, "headers": {"n": 1}}', "mapping of names to text"),
        ('{"subject": "a", "payload": 1, "header": {}}', "did you mean 'headers'?"),
    ],
)
def test_a_bad_message_is_refused_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        messages(tmp_path, line)
    assert message in str(caught.value)
    assert ":1:" in str(caught.value)


def test_sql_is_handed_over_and_what_is_no_sql_text_is_refused(tmp_path: Path) -> None:
    part = Part("sql", "orders-db", "010-fill", file(tmp_path, "010-fill.sql", "select 'ä';\n"), "sql")
    assert SqlLoader().read(part, AS_OF).part is part
    part.path.write_bytes(b"select 1;\nselect '\xe9';\n")
    with pytest.raises(DefinitionError, match=r"010-fill.sql:2: .*0xe9 is not UTF-8"):
        SqlLoader().read(part, AS_OF)
    part.path.write_bytes(b"PGDMP\x01\x0e")
    with pytest.raises(DefinitionError, match="pg_restore"):
        SqlLoader().read(part, AS_OF)
