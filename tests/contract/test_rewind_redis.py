"""Keys come back as they were marked, with times to live that count anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import note
from hypothesis import strategies as st

from seeder.engines import _redis_client
from tests.contract.engine_contract import load, read
from tests.contract.rewind_contract import RewindContract
from tests.contract.rewind_examples import rounds, tell
from tests.contract.serving import Server, serving
from tests.contract.test_redis import KEYS

LIBRARY = "#!lua name={0}\nredis.register_function('{0}', function() return 1 end)"


class TestRedis(RewindContract):
    replaced = "anew"
    compose = """
services:
  cache:
    image: redis:8
    command: ["redis-server", "--requirepass", "pa\\"ss wörd"]
"""

    def fill(self, server: Server, folder: Path) -> None:
        load(server.engine, server.target(), [read(folder, "cache/keys.jsonl", KEYS)])
        with _redis_client.connect(server.target()) as client:
            client.xadd("log", {"a": "1"}, id="5-1")
            client.xadd("log", {"a": "2"}, id="6-1")
            client.xgroup_create("log", "readers", id="0")
            client.xreadgroup("readers", "ann", {"log": ">"}, count=1)
            client.set(b"\xff\x00", b"\xfe\n")

    def work(self, server: Server) -> None:
        with _redis_client.connect(server.target()) as client:
            client.set("greeting", "changed")
            client.delete("colours")
            client.set("new", "1")

    def worked(self) -> tuple[str, ...]:
        return ("colours", "greeting", "new")

    @contextmanager
    def client(self, server: Server) -> Iterator[Callable[[], object]]:
        with _redis_client.connect(server.target()) as client:
            yield lambda: client.set("alive", "yes")

    def test_times_to_live_begin_again(self, server: Server, rewinder: Any) -> None:
        with _redis_client.connect(server.target()) as client:
            client.pexpire("price:1:EUR", 5000)
            client.pexpire("greeting", 100_000)
            client.persist("ranking")
            found = rewinder.rewind("in place")
            assert found.changed == ("greeting", "ranking")
            assert 290_000 < client.pttl("price:1:EUR") <= 300_000
            assert 50_000 < client.pttl("ranking") <= 60_500
            assert client.pttl("greeting") == -1

    def test_a_key_whose_time_was_over_comes_back(self, server: Server, rewinder: Any) -> None:
        with _redis_client.connect(server.target()) as client:
            client.pexpireat("price:1:EUR", 1)
            assert rewinder.rewind("in place").changed == ("price:1:EUR",)
            assert client.get("price:1:EUR") == b"8.90"

    def test_groups_of_a_stream_stand_where_they_stood(self, server: Server, rewinder: Any) -> None:
        with _redis_client.connect(server.target()) as client:
            assert client.xreadgroup("readers", "bob", {"log": ">"}) == [[b"log", [(b"6-1", {b"a": b"2"})]]]
            client.xack("log", "readers", "5-1", "6-1")
            assert rewinder.rewind("in place").changed == ("log",)
            assert client.xpending("log", "readers")["pending"] == 1
            assert client.xreadgroup("readers", "bob", {"log": ">"}) == [[b"log", [(b"6-1", {b"a": b"2"})]]]

    def test_fields_of_a_hash_have_times_of_their_own(self, server: Server, rewinder: Any) -> None:
        with _redis_client.connect(server.target()) as client:
            client.execute_command("HPEXPIRE", "basket", 300_000, "FIELDS", 1, "a")
            rewinder.mark()
            client.execute_command("HPEXPIRE", "basket", 1000, "FIELDS", 2, "a", "b")
            client.hset("basket", "c", "3")
            rewinder.rewind("in place")
            left = client.execute_command("HPTTL", "basket", "FIELDS", 3, "a", "b", "c")
            assert (290_000 < left[0] <= 300_000, left[1:]) == (True, [-1, -2])

    def test_functions_come_back(self, server: Server, rewinder: Any) -> None:
        with _redis_client.connect(server.target()) as client:
            client.function_load(LIBRARY.format("kept"))
            rewinder.mark()
            client.function_flush()
            client.function_load(LIBRARY.format("other"))
            assert rewinder.rewind("in place").changed == ("functions",)
            assert client.fcall("kept", 0) == 1
            with pytest.raises(redis.ResponseError):
                client.fcall("other", 0)
            client.function_flush()

    def test_scripts_that_a_client_knows_by_their_hash_stay(self, server: Server, rewinder: Any) -> None:
        with _redis_client.connect(server.target()) as client:
            known = client.script_load("return 7")
            self.work(server)
            rewinder.rewind("swap")
            assert client.evalsha(known, 0) == 7

    def test_all_databases_of_a_server_belong_to_its_store(self, server: Server, rewinder: Any) -> None:
        with _redis_client.connect(server.target(), database=2) as second:
            second.set("second", "1")
            rewinder.mark()
            second.flushdb()
            with _redis_client.connect(server.target(), database=3) as third:
                third.set("third", "1")
                assert rewinder.rewind("in place").changed == ("second", "third")
                assert (second.get("second"), third.dbsize()) == (b"1", 0)

    def test_a_store_that_is_one_database_leaves_the_others_alone(self, server: Server, tmp_path: Path) -> None:
        second = server.engine.rewinder(replace(server.target(), database="2"), tmp_path / "second")
        second.mark()
        with _redis_client.connect(server.target(), database=2) as client:
            client.set("new", "1")
            self.work(server)
            assert second.rewind("in place").changed == ("new",)
            assert client.dbsize() == 0
        second.close()
        assert server.engine.lookup(server.target(), "greeting") == "changed"

    def test_a_client_that_waits_does_not_take_what_is_given_back(self, server: Server, rewinder: Any) -> None:
        with _redis_client.connect(server.target()) as client, _redis_client.connect(server.target()) as waiting:
            client.delete("queue")
            connection = waiting.connection_pool.get_connection()
            connection.send_command("BLPOP", "queue", 0)
            found = rewinder.rewind("in place")
            assert found.restart == "1 of them waited in a blocking command, and lost the connection"
            assert client.lrange("queue", 0, -1) == [b"x", b"y", b"x"]
            connection.disconnect()

    def test_a_transaction_that_a_client_began_is_not_carried_out_later(self, server: Server, rewinder: Any) -> None:
        with _redis_client.connect(server.target()) as client:
            connection = client.connection_pool.get_connection()
            for words in (("MULTI",), ("SET", "greeting", "late")):
                connection.send_command(*words)
                connection.read_response()
            rewinder.rewind("in place")
            with pytest.raises(redis.ConnectionError):
                _executed(connection)
            connection.disconnect()
        assert server.engine.lookup(server.target(), "greeting") == "hällo\nworld"

    def test_a_connection_that_was_ended_is_made_again(self, server: Server, rewinder: Any) -> None:
        with _redis_client.connect(server.target()) as client:
            self.work(server)
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        assert rewinder.rewind("in place").changed == self.worked()


def _executed(connection: Any) -> Any:
    connection.send_command("EXEC")
    return connection.read_response()


NAMES = st.sampled_from(["a", "b", "greeting", "price:1:EUR", "basket", "queue", "colours", "ranking", "log", "gone"])
COMMANDS = st.one_of(
    st.tuples(st.sampled_from(["DEL", "PERSIST", "INCR", "LPOP", "SPOP", "ZPOPMIN", "UNLINK", "XLEN", "DUMP"]), NAMES),
    st.tuples(st.sampled_from(["SET", "APPEND", "RPUSH", "SADD", "PFADD", "RENAME", "LPUSH"]), NAMES, NAMES),
    st.tuples(st.sampled_from(["HSET", "ZINCRBY", "SETEX", "HINCRBY", "EXPIRE", "PEXPIRE"]), NAMES, st.integers(1, 500).map(str), NAMES),
    st.tuples(st.sampled_from(["EXPIRE", "PEXPIRE", "XTRIM"]), NAMES, st.integers(0, 3).map(str)),
    st.tuples(st.just("XADD"), NAMES, st.just("*"), NAMES, NAMES),
    st.tuples(st.just("XGROUP"), st.sampled_from(["CREATE", "SETID"]), NAMES, NAMES, st.sampled_from(["0", "$"])),
    st.tuples(st.just("XREADGROUP"), st.just("GROUP"), st.just("readers"), NAMES, st.just("STREAMS"), st.just("log"), st.just(">")),
    st.tuples(st.just("XACK"), st.just("log"), st.just("readers"), st.sampled_from(["5-1", "6-1"])),
    st.tuples(st.sampled_from(["MULTI", "EXEC", "DISCARD", "FLUSHDB", "SAVE"])),
    st.tuples(st.just("SELECT"), st.sampled_from(["0", "1", "5"])),
)


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Any]]:
    folder = tmp_path_factory.mktemp("any")
    with serving("local", TestRedis.compose, folder) as server:
        TestRedis().fill(server, folder)
        rewinder = server.engine.rewinder(server.target(), folder / "mark")
        rewinder.mark()
        yield server, rewinder
        rewinder.close()


def _state(server: Server) -> dict[str, Any]:
    """The digest and what it does not see: the very bytes of each key, and what is left of their time, near enough."""
    with _redis_client.connect(server.target()) as client:
        keys = {key: (client.dump(key), round(client.pttl(key) / 20_000)) for key in client.scan_iter()}
    return {"digest": server.engine.digest(server.target(), ()), **keys}


@rounds(COMMANDS, most=25)
def test_whatever_was_done_the_keys_come_back(marked: tuple[Server, Any], items: list[tuple[str, ...]]) -> None:
    server, rewinder = marked
    tell()
    rewinder.rewind("in place")
    before = _state(server)
    with _redis_client.connect(server.target()) as client:
        connection = client.connection_pool.get_connection()
        for words in items:
            connection.send_command(*words)
            try:
                connection.read_response()
            except redis.ResponseError:
                continue
        note(str(rewinder.rewind("in place")))
        connection.disconnect()
    assert _state(server) == before
