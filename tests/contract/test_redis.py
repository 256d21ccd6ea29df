"""Redis keeps the engines' contract; its types, times to live and several databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from seeder.definition.stack import Shared
from seeder.engines import _redis_client
from seeder.errors import DefinitionError, EnvironmentFailed
from seeder.passed.content import Records
from seeder.passed.target import Target
from seeder.session import Session
from seeder.wait import READY, not_yet, wait_for
from tests.contract.engine_contract import EngineContract, load, read
from tests.contract.serving import Server

KEYS = """\
{"key": "greeting", "type": "string", "value": "hällo\\nworld"}
{"key": "price:1:EUR", "type": "string", "value": "8.90", "ttl": 300}
{"key": "basket", "type": "hash", "value": {"b": "2", "a": "1"}}
{"key": "queue", "type": "list", "value": ["x", "y", "x"]}
{"key": "colours", "type": "set", "value": ["red", "blue"]}
{"key": "ranking", "type": "zset", "value": {"ann": 1.5, "bob": -2}, "ttl": 60.5}
"""


class TestRedis(EngineContract):
    compose = """
services:
  cache:
    image: redis:8
    command: ["redis-server", "--requirepass", "pa\\"ss wörd", "--maxmemory", "64mb"]
"""

    def records(self, folder: Path) -> list[Records]:
        return [read(folder, "cache/keys.jsonl", KEYS)]

    def counts(self) -> dict[str, int]:
        return {"keys": 6}

    def bad(self, folder: Path) -> tuple[list[Records], tuple[str, ...]]:
        one = read(folder, "cache/one.jsonl", '{"key": "a", "value": "1"}\n')
        two = read(folder, "cache/two.jsonl", '{"key": "b", "value": "1"}\n{"key": "a", "value": "2"}\n')
        return [one, two], ("two.jsonl:2", "a: the key stands in", "one.jsonl:1")

    def alter(self, server: Server) -> None:
        with _redis_client.connect(server.target()) as client:
            client.set("greeting", "changed")

    @contextmanager
    def client(self, target: Target) -> Iterator[Callable[[], object]]:
        with _redis_client.connect(target) as client:
            yield lambda: client.set("alive", "yes")

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("greeting", "hällo\nworld"),
            ("basket", {"a": "1", "b": "2"}),
            ("queue", ["x", "y", "x"]),
            ("colours", ["blue", "red"]),
            ("ranking", {"bob": -2.0, "ann": 1.5}),
            ("nothing", None),
        ],
    )
    def test_keys_hold_what_the_file_says(self, loaded: Server, key: str, value: object) -> None:
        assert loaded.engine.lookup(loaded.target(), key) == value

    def test_a_time_to_live_is_set_and_survives_a_restore(self, loaded: Server, tmp_path: Path) -> None:
        loaded.engine.save(loaded.target(), tmp_path / "saved")
        loaded.engine.restore(loaded.target(), tmp_path / "saved")
        with _redis_client.connect(loaded.target()) as client:
            assert 290_000 < client.pttl("price:1:EUR") <= 300_000
            assert client.pttl("greeting") == -1

    def test_a_client_that_waits_does_not_take_what_is_restored(self, loaded: Server, tmp_path: Path) -> None:
        loaded.engine.save(loaded.target(), tmp_path / "saved")
        with _redis_client.connect(loaded.target()) as client, _redis_client.connect(loaded.target()) as waiting:
            client.delete("queue")
            connection = waiting.connection_pool.get_connection()
            connection.send_command("BLPOP", "queue", 0)
            restart = loaded.engine.restore(loaded.target(), tmp_path / "saved")
            assert restart == "1 of them waited in a blocking command, and lost the connection"
            assert client.lrange("queue", 0, -1) == [b"x", b"y", b"x"]
            connection.disconnect()

    def test_whether_a_key_lives_for_ever_counts_in_the_digest(self, loaded: Server) -> None:
        before = self.digest(loaded)
        with _redis_client.connect(loaded.target()) as client:
            client.expire("price:1:EUR", 100)
            assert self.digest(loaded) == before
            client.persist("price:1:EUR")
        assert self.digest(loaded) != before

    def test_volatile_keys_do_not_count(self, loaded: Server) -> None:
        before = loaded.engine.digest(loaded.target(), ["greet*"])
        self.alter(loaded)
        assert loaded.engine.digest(loaded.target(), ["greet*"]) == before
        assert before.parts["string"][0] == 1

    def test_a_key_that_is_there_with_another_value_is_refused(self, loaded: Server, tmp_path: Path) -> None:
        load(loaded.engine, loaded.target(), self.records(tmp_path))  # the same values clash with nothing
        other = read(tmp_path, "cache/other.jsonl", '{"key": "new", "value": "1"}\n{"key": "queue", "type": "set", "value": ["x"]}\n')
        with pytest.raises(DefinitionError, match=r"other.jsonl:2: queue: the key is there already, with another value \(a list\)"):
            load(loaded.engine, loaded.target(), [other])
        assert loaded.engine.lookup(loaded.target(), "new") is None
        load(loaded.engine, loaded.target(), [other], upsert=True)
        assert loaded.engine.lookup(loaded.target(), "queue") == ["x"]

    def test_keys_that_a_commit_replaced_come_back_as_they_were(self, loaded: Server, tmp_path: Path) -> None:
        other = '{"key": "queue", "type": "set", "value": ["x"]}\n{"key": "price:1:EUR", "value": "9"}\n{"key": "new", "value": "1"}\n'
        before = self.digest(loaded)
        session = loaded.engine.begin(loaded.target(), upsert=True, natural_keys={})
        session.load([read(tmp_path, "cache/other.jsonl", other)])
        session.verify()
        session.commit()
        assert loaded.engine.lookup(loaded.target(), "price:1:EUR") == "9"
        session.rollback()
        assert self.digest(loaded) == before
        with _redis_client.connect(loaded.target()) as client:
            assert 290_000 < client.pttl("price:1:EUR") <= 300_000

    def test_a_server_without_memory_takes_nothing(self, loaded: Server, tmp_path: Path) -> None:
        before = self.digest(loaded)
        more = read(tmp_path, "cache/more.jsonl", '{"key": "queue", "value": "1"}\n')
        with _redis_client.connect(loaded.target()) as client:
            client.config_set("maxmemory", 1)
            try:
                with pytest.raises(EnvironmentFailed, match=r"cache: redis at .* used memory > 'maxmemory'"):
                    load(loaded.engine, loaded.target(), [more], upsert=True)
            finally:
                client.config_set("maxmemory", 0)
        assert self.digest(loaded) == before

    def test_all_databases_of_a_server_belong_to_its_store(self, loaded: Server, tmp_path: Path) -> None:
        second = replace(loaded.target(), database="2")
        load(loaded.engine, second, [read(tmp_path, "cache/more.jsonl", '{"key": "second", "value": "1"}\n')])
        before = self.digest(loaded)
        loaded.engine.save(loaded.target(), tmp_path / "saved")
        loaded.empty()
        assert loaded.engine.lookup(second, "second") is None
        loaded.engine.restore(loaded.target(), tmp_path / "saved")
        assert self.digest(loaded) == before
        assert loaded.engine.lookup(second, "second") == "1"

    def test_a_store_that_is_one_database_leaves_the_others_alone(self, loaded: Server, tmp_path: Path) -> None:
        second = replace(loaded.target(), database="2")
        load(loaded.engine, second, [read(tmp_path, "cache/more.jsonl", '{"key": "second", "value": "1"}\n')])
        assert loaded.engine.digest(second, ()).parts["string"][0] == 1
        loaded.empty(second)
        assert loaded.engine.lookup(loaded.target(), "greeting") == "hällo\nworld"

    def test_bytes_and_streams_are_saved_too(self, server: Server, tmp_path: Path) -> None:
        with _redis_client.connect(server.target()) as client:
            client.set(b"\xff\x00", b"\xfe\n")
            client.xadd("log", {"a": "1"}, id="5-1")
            client.xadd("log", {"a": "2"}, id="6-1")
            client.xgroup_create("log", "readers", id="5-1")
            before = self.digest(server)
            server.engine.save(server.target(), tmp_path / "saved")
            client.flushall()
            server.engine.restore(server.target(), tmp_path / "saved")
            assert self.digest(server) == before
            assert client.get(b"\xff\x00") == b"\xfe\n"
            assert client.xreadgroup("readers", "me", {"log": ">"}) == [[b"log", [(b"6-1", {b"a": b"2"})]]]

    def test_a_database_without_a_number_is_refused(self, server: Server) -> None:
        with pytest.raises(EnvironmentFailed, match="redis numbers its databases"):
            server.engine.lookup(replace(server.target(), database="orders"), "a")

    def test_the_address_carries_the_password_and_no_database(self, server: Server) -> None:
        assert server.target().url() == f"redis://:pa%22ss%20w%C3%B6rd@{server.address}"

    def test_keys_end_when_they_are_told_to(self, server: Server, tmp_path: Path) -> None:
        target, engine = server.target(), server.engine
        load(engine, target, self.records(tmp_path))
        assert {"greeting", "queue"} <= engine.keys(target, "*").keys()
        assert engine.keys(target, "*")["greeting"] is None
        left = engine.keys(target, "price:*")["price:1:EUR"]
        assert 290 < left <= 300
        engine.expire(target, ["price:1:EUR"], 20.0)
        assert 19 < engine.keys(target, "price:*")["price:1:EUR"] <= 20
        engine.expire(target, ["price:1:EUR", "nobody"], 0)
        wait_for("price", lambda: READY if engine.lookup(target, "price:1:EUR") is None else not_yet("there"), within=1, first=0.001)
        engine.drop(target, ["queue", "nobody"])
        engine.drop(target, [])
        with _redis_client.connect(target) as client:
            client.set(b"price:\xff", b"1")
        (odd,) = engine.keys(target, "price:\udcff")
        engine.expire(target, [odd], 20.0)
        assert engine.lookup(target, odd) == "1"
        engine.drop(target, list(engine.keys(target, "price:*")))
        assert engine.keys(target, "price:*") == {}
        assert engine.keys(target, "queue") == {}

    def test_a_test_changes_no_key_in_a_system_that_others_use(self, loaded: Server) -> None:
        stack = replace(loaded.stack, shared=Shared("staging", "prefix", {}))
        environment = SimpleNamespace(stack=stack, target=loaded.target)
        cache = Session(cast("Any", environment), cast("Any", None), {}).cache(loaded.name)
        before = self.digest(loaded)
        assert "greeting" in cache.keys("*")
        for change in (cache.invalidate, lambda key: cache.ttl(key, "1s"), cache.expire, lambda key: cache.stale(key, "0.01")):
            with pytest.raises(EnvironmentFailed, match="the environment is attached to staging, which others use"):
                change("price:1:EUR")
        assert self.digest(loaded) == before

    def test_a_key_gets_another_value_and_keeps_its_time_to_live(self, server: Server, tmp_path: Path) -> None:
        target, engine = server.target(), server.engine
        load(engine, target, self.records(tmp_path))
        for key, value, seen in (("price:1:EUR", 9.5, "9.5"), ("basket", {"a": 2}, {"a": "2"}), ("queue", ["z"], ["z"])):
            before = engine.keys(target, key)[key]
            engine.replace(target, key, value)
            assert engine.lookup(target, key) == seen
            after = engine.keys(target, key)[key]
            assert (after is None) == (before is None)
            assert before is None or before - 5 < after <= before
        with pytest.raises(EnvironmentFailed, match="there is no key nobody"):
            engine.replace(target, "nobody", "x")
