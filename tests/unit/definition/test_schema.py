"""The published schemas accept what seeder accepts and refuse what it refuses."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import jsonschema
import pytest

from seeder.definition.dataset import Part
from seeder.definition.schema import KINDS, schema
from seeder.definition.yaml import load
from seeder.errors import DefinitionError
from seeder.events import Cleaned, Journal, Loaded, Progress, RunEnded, RunStarted
from seeder.loaders.keys import KeysLoader
from seeder.loaders.messages import MessagesLoader

REPOSITORY = Path(__file__).parents[3]
AS_OF = datetime.datetime(2026, 1, 15, tzinfo=datetime.UTC)


def _accepts(kind: str, data: object) -> bool:
    return bool(jsonschema.Draft202012Validator(schema(kind)).is_valid(data))


@pytest.mark.parametrize("kind", KINDS)
def test_every_schema_is_one_of_the_dialect_that_it_names(kind):
    made = schema(kind)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(made)
    assert not _accepts(kind, [])
    assert json.loads(json.dumps(made)) == made


def test_another_kind_is_refused_with_the_nearest():
    with pytest.raises(DefinitionError, match="did you mean 'manifest'"):
        schema("manifst")


def _plain(path: Path) -> object:
    return json.loads(json.dumps(load(path).data))


def test_the_files_of_this_repository_fit():
    assert _accepts("manifest", _plain(REPOSITORY / "manifest.yaml"))
    scenarios = sorted((REPOSITORY / "testdata/scenarios").glob("*.yaml"))
    assert scenarios
    assert [path.name for path in scenarios if not _accepts("scenario", _plain(path))] == []


@pytest.mark.parametrize("data", [{"migrate": {"alembic": "a.ini", "as": "orders"}}, {"references": ["a.b.c -> d.e.f"]}])
def test_x_seeder_stands_on_a_service_or_at_the_top(data):
    assert _accepts("x-seeder", data)
    assert not _accepts("x-seeder", {**data, "wrong": 1})


KEYS = [
    ({"key": "a", "value": "b"}, True),
    ({"key": "a", "type": "hash", "value": {"f": "1"}, "ttl": 300}, True),
    ({"key": "a", "type": "list", "value": ["x", 1]}, True),
    ({"key": "a", "type": "set", "value": ["x", "y"], "ttl": None}, True),
    ({"key": "a", "type": "zset", "value": {"m": 1.5}}, True),
    ({"key": "", "value": "b"}, False),
    ({"key": "a"}, False),
    ({"key": "a", "value": {"f": 1}}, False),
    ({"key": "a", "type": "hash", "value": []}, False),
    ({"key": "a", "type": "list", "value": []}, False),
    ({"key": "a", "type": "set", "value": ["x", "x"]}, False),
    ({"key": "a", "type": "zset", "value": {"m": "1"}}, False),
    ({"key": "a", "type": "tree", "value": "b"}, False),
    ({"key": "a", "value": "b", "ttl": 0}, False),
    ({"key": "a", "value": "b", "tll": 1}, False),
]
MESSAGES = [
    ({"subject": "orders.placed", "payload": {"id": 1}}, True),
    ({"subject": "orders", "headers": {"a": "b"}, "payload": None}, True),
    ({"subject": "orders"}, False),
    ({"subject": "orders.*", "payload": 1}, False),
    ({"subject": "orders..a", "payload": 1}, False),
    ({"subject": "orders placed", "payload": 1}, False),
    ({"subject": "orders", "headers": {"a": 1}, "payload": 1}, False),
    ({"subject": "orders", "payload": 1, "key": 1}, False),
]


@pytest.mark.parametrize(("kind", "data", "good"), [*(("keys", *case) for case in KEYS), *(("messages", *case) for case in MESSAGES)])
def test_lines_of_data_fit_the_schema_when_the_loader_reads_them(tmp_path, kind, data, good):
    path = tmp_path / f"{kind}.jsonl"
    path.write_text(json.dumps(data) + "\n")
    loader = KeysLoader() if kind == "keys" else MessagesLoader()
    try:
        loader.read(Part(loader.kind, "store", kind, path, "jsonl"), AS_OF)
        read = True
    except DefinitionError:
        read = False
    assert (read, _accepts(kind, data)) == (good, good)


def test_every_line_of_a_journal_fits(tmp_path):
    journal = Journal(tmp_path / "events.jsonl")
    journal(RunStarted("a1", "shop", "shop", "local", None, 42, AS_OF.isoformat(), "ci"))
    journal(Progress("start", "orders", "ready", seconds=0.5))
    journal(Loaded("checkout", "3.2.0", "orders-db", 12))
    journal(Cleaned(3, ("a port",)))
    journal(RunEnded(0, "success", 1.5, {"start": 1.0}))
    journal.close()
    lines = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines if _accepts("event", line)] == [
        "run.started",
        "progress",
        "dataset.loaded",
        "cleaned",
        "run.ended",
    ]
    assert not _accepts("event", {**lines[0], "seed": "42"})
    assert not _accepts("event", {**lines[0], "event": "run.begun"})
