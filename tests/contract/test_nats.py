"""NATS keeps the engines' contract; streams, message ids, consumers and its configuration file."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from seeder.engines import _nats_client
from seeder.errors import DefinitionError, EnvironmentFailed
from seeder.passed.content import Post, Records
from seeder.passed.target import Target
from seeder.protocols import Finality
from tests.contract.engine_contract import RUNTIMES, EngineContract, load, read
from tests.contract.serving import Server, serving

ORDERS = """\
{"subject": "orders.placed", "headers": {"Nats-Msg-Id": "o-1", "Trace": "a b"}, "payload": {"id": 1, "name": "Zoë"}}
{"subject": "orders.placed", "headers": {"Nats-Msg-Id": "o-2"}, "payload": [1, 2.50]}
{"subject": "orders.eu.cancelled", "payload": "plain text"}
{"subject": "orders.eu.cancelled", "payload": "plain text"}
"""
PAYMENTS = '{"subject": "payments.done", "payload": null}\n'


def ask(target: Target, *requests: tuple[str, dict[str, Any] | None]) -> list[dict[str, Any]]:
    async def work(link: _nats_client.Link) -> list[dict[str, Any]]:
        return [await link.ask(what, body) for what, body in requests]

    return _nats_client.run(target, work)


def make_streams(server: Server, **config: Any) -> None:
    orders = {"name": "ORDERS", "subjects": ["orders.>"], **config}
    ask(server.target(), ("STREAM.CREATE.ORDERS", orders), ("STREAM.CREATE.PAYMENTS", {"name": "PAYMENTS", "subjects": ["payments.*"]}))


def make_consumer(target: Target, done: int) -> None:
    """A durable consumer of ORDERS that has acknowledged so many messages."""

    async def work(link: _nats_client.Link) -> None:
        stream = link.connection.jetstream()
        subscription = await stream.pull_subscribe("orders.placed", durable="mailer")
        for message in await subscription.fetch(done, timeout=5) if done else []:
            await message.ack_sync()
        await subscription.unsubscribe()

    _nats_client.run(target, work)


def consumer(target: Target) -> dict[str, Any]:
    return ask(target, ("CONSUMER.INFO.ORDERS.mailer", None))[0]


@contextmanager
def connected(target: Target) -> Iterator[Callable[[Any], Any]]:
    """A client in a loop of its own, as a service is; what it gives runs a piece of work with its connection."""
    import nats

    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(
        nats.connect(f"nats://{target.address}", allow_reconnect=False, user=target.user, password=target.password)
    )
    yield lambda work: loop.run_until_complete(work(connection))
    loop.run_until_complete(connection.close())
    loop.close()


class TestNats(EngineContract):
    compose = """
services:
  events:
    image: nats:2
    command: ["-js", "-m", "8222", "--user", "app", "--pass", "s3cret"]
"""

    def make(self, server: Server) -> None:
        make_streams(server)

    def records(self, folder: Path) -> list[Records]:
        return [read(folder, "events/orders.jsonl", ORDERS), read(folder, "events/payments.jsonl", PAYMENTS)]

    def counts(self) -> dict[str, int]:
        return {"orders": 4, "payments": 1}

    def bad(self, folder: Path) -> tuple[list[Records], tuple[str, ...]]:
        file = read(folder, "events/bad.jsonl", '{"subject": "orders.ok", "payload": 1}\n{"subject": "payments.a.b", "payload": 1}\n')
        return [file], ("bad.jsonl:2", "payments.a.b: no stream takes this subject", "'payments.*'")

    def alter(self, server: Server) -> None:
        ask(server.target(), ("STREAM.MSG.DELETE.ORDERS", {"seq": 2}))

    @contextmanager
    def client(self, target: Target) -> Iterator[Callable[[], object]]:
        """A connection that lives in a loop of its own, as a service's does."""
        import nats

        loop = asyncio.new_event_loop()
        login = {"user": target.user, "password": target.password}
        connection = loop.run_until_complete(nats.connect(f"nats://{target.address}", allow_reconnect=False, **login))
        yield lambda: loop.run_until_complete(connection.flush(timeout=5))
        loop.run_until_complete(connection.close())
        loop.close()

    def test_messages_are_found_by_subject_in_order(self, loaded: Server) -> None:
        placed = loaded.engine.messages(loaded.target(), "orders.placed")
        assert [(m.subject, m.payload) for m in placed] == [("orders.placed", {"id": 1, "name": "Zoë"}), ("orders.placed", [1, 2.5])]
        assert placed[0].headers == {"Nats-Msg-Id": "o-1", "Trace": "a b"}
        assert [m.payload for m in loaded.engine.messages(loaded.target(), "*.eu.>")] == ["plain text", "plain text"]
        assert loaded.engine.messages(loaded.target(), "orders") == []

    def test_who_looks_for_messages_takes_none_from_the_consumers_of_services(self, loaded: Server) -> None:
        make_consumer(loaded.target(), done=1)
        before = consumer(loaded.target())
        assert len(loaded.engine.messages(loaded.target(), "orders.placed")) == 2
        every = ask(loaded.target(), ("CONSUMER.LIST.ORDERS", {"offset": 0}))[0]["consumers"]
        after = consumer(loaded.target())
        assert [one["name"] for one in every] == ["mailer"]
        standing = ("delivered", "ack_floor", "num_pending", "num_ack_pending", "num_redelivered", "num_waiting")
        assert {name: after.get(name) for name in standing} == {name: before.get(name) for name in standing}
        assert after["num_pending"] == 1

    def test_a_message_that_is_known_is_left_out_unless_it_is_wanted_again(self, server: Server) -> None:
        self.make(server)
        target = server.target()
        window = ask(target, ("STREAM.INFO.ORDERS", None))[0]["config"]["duplicate_window"]
        posts = [Post(name, "orders.placed", {"Trace": name}, name.encode()) for name in ("a", "b")]
        for again, ids in ((False, ["a", "b"]), (False, ["a", "b"]), (True, ["a", "b", "a", "b"])):
            server.engine.publish(target, posts, again=again)
            found = server.engine.messages(target, "orders.placed")
            assert [message.headers for message in found] == [{"Nats-Msg-Id": one, "Trace": one} for one in ids]
        assert ask(target, ("STREAM.INFO.ORDERS", None))[0]["config"]["duplicate_window"] == window
        with pytest.raises(EnvironmentFailed, match=r"no stream takes nobody\.asks"):
            server.engine.publish(target, [Post("c", "nobody.asks", {}, b"")])

    def test_the_order_of_messages_counts_in_the_digest(self, loaded: Server, tmp_path: Path) -> None:
        before = loaded.engine.digest(loaded.target(), ()).parts
        loaded.empty()
        self.make(loaded)
        turned = "".join(reversed(ORDERS.splitlines(keepends=True)))
        load(
            loaded.engine,
            loaded.target(),
            [read(tmp_path, "events/orders.jsonl", turned), read(tmp_path, "events/payments.jsonl", PAYMENTS)],
        )
        after = loaded.engine.digest(loaded.target(), ()).parts
        assert before["ORDERS"][0] == after["ORDERS"][0] == 4
        assert before["ORDERS"] != after["ORDERS"]
        assert before["PAYMENTS"] == after["PAYMENTS"]

    def test_a_message_id_that_is_there_is_refused_and_nothing_is_published(self, loaded: Server, tmp_path: Path) -> None:
        before = self.digest(loaded)
        again = read(tmp_path, "events/again.jsonl", '{"subject": "orders.new", "payload": 1}\n' + ORDERS.splitlines()[1] + "\n")
        with pytest.raises(DefinitionError, match=r"again.jsonl:2: Nats-Msg-Id o-2: the stream ORDERS holds a message with this id"):
            load(loaded.engine, loaded.target(), [again])
        assert self.digest(loaded) == before

    def test_an_upsert_cannot_change_a_message(self, loaded: Server, tmp_path: Path) -> None:
        other = read(tmp_path, "events/o.jsonl", '{"subject": "orders.placed", "headers": {"Nats-Msg-Id": "o-2"}, "payload": 3}\n')
        with pytest.raises(DefinitionError, match="another content"):
            load(loaded.engine, loaded.target(), [other], upsert=True)

    def test_an_upsert_adds_what_is_missing(self, loaded: Server, tmp_path: Path) -> None:
        three = read(tmp_path, "events/o.jsonl", '{"subject": "orders.eu.cancelled", "payload": "plain text"}\n' * 3)
        load(loaded.engine, loaded.target(), [three], upsert=True)
        assert len(loaded.engine.messages(loaded.target(), "orders.eu.*")) == 3

    def test_an_id_twice_in_one_load_is_refused(self, server: Server, tmp_path: Path) -> None:
        twice = read(tmp_path, "events/o.jsonl", (ORDERS.splitlines()[0] + "\n") * 2)
        with pytest.raises(DefinitionError, match=r"o.jsonl:2: Nats-Msg-Id o-1"):
            load(server.engine, server.target(), [twice])

    def test_a_load_after_a_reset_is_not_taken_for_a_repetition(self, loaded: Server, tmp_path: Path) -> None:
        before = self.digest(loaded)
        loaded.empty()
        self.make(loaded)
        load(loaded.engine, loaded.target(), self.records(tmp_path))
        assert self.digest(loaded) == before

    def test_consumers_come_back_where_they_stood(self, loaded: Server, tmp_path: Path) -> None:
        make_consumer(loaded.target(), done=1)
        before = consumer(loaded.target())
        loaded.engine.save(loaded.target(), tmp_path / "saved")
        loaded.empty()
        loaded.engine.restore(loaded.target(), tmp_path / "saved")
        after = consumer(loaded.target())
        assert (after["num_pending"], after["num_ack_pending"]) == (before["num_pending"], before["num_ack_pending"]) == (1, 0)
        assert {**after["config"], "metadata": 0} == {**before["config"], "metadata": 0}

    def test_a_client_to_which_the_broker_pushes_hears_again_only_what_it_has_not_done(self, loaded: Server, tmp_path: Path) -> None:
        async def subscribe(connection: Any) -> Any:
            return await connection.jetstream().subscribe("orders.placed", durable="pushed", manual_ack=True)

        with connected(loaded.target()) as run:
            inbox = run(subscribe)
            first, _ = (run(lambda _: inbox.next_msg(timeout=5)) for _ in range(2))
            run(lambda _: first.ack_sync())
            loaded.engine.save(loaded.target(), tmp_path / "saved")
            assert loaded.engine.restore(loaded.target(), tmp_path / "saved") == ""
            again = run(lambda _: inbox.next_msg(timeout=5))
            assert again.headers["Nats-Msg-Id"] == "o-2"

    def test_a_client_that_waits_at_a_stream_has_to_be_restarted(self, loaded: Server, tmp_path: Path) -> None:
        make_consumer(loaded.target(), done=2)
        loaded.engine.save(loaded.target(), tmp_path / "saved")

        async def wait(connection: Any) -> None:
            await connection.publish("$JS.API.CONSUMER.MSG.NEXT.ORDERS.mailer", b'{"expires":60000000000}', reply="nobody")
            await connection.flush()

        with connected(loaded.target()) as run:
            run(lambda connection: connection.subscribe("nobody"))
            run(wait)
            restart = loaded.engine.restore(loaded.target(), tmp_path / "saved")
            assert restart == "consumer mailer of ORDERS had a pull request waiting"

    def test_a_store_has_settled_when_its_consumers_have_caught_up(self, loaded: Server) -> None:
        store = loaded.stack.stores["events"]
        assert loaded.engine.settled(loaded.target(), store).state == "ready"
        make_consumer(loaded.target(), done=0)
        assert loaded.engine.settled(loaded.target(), store).reason == "consumer mailer of ORDERS has 2 messages to go"
        make_consumer(loaded.target(), done=2)
        assert loaded.engine.settled(loaded.target(), store).state == "ready"

    def test_a_gap_between_messages_is_no_message(self, loaded: Server, tmp_path: Path) -> None:
        self.alter(loaded)
        before = loaded.engine.digest(loaded.target(), ())
        assert before.parts["ORDERS"][0] == 3
        loaded.engine.save(loaded.target(), tmp_path / "saved")
        loaded.engine.restore(loaded.target(), tmp_path / "saved")
        assert loaded.engine.digest(loaded.target(), ()) == before

    def test_limits_of_a_stream_count_and_are_saved(self, server: Server, tmp_path: Path) -> None:
        before = self.digest(server)
        server.empty()
        make_streams(server, max_msgs=10, metadata={"owner": "orders-team"})
        limited = self.digest(server)
        assert limited != before
        server.engine.save(server.target(), tmp_path / "saved")
        server.engine.restore(server.target(), tmp_path / "saved")
        config = ask(server.target(), ("STREAM.INFO.ORDERS", None))[0]["config"]
        assert (config["max_msgs"], config["metadata"]["owner"]) == (10, "orders-team")

    def test_a_message_that_is_refused_takes_those_before_it_along(self, server: Server, tmp_path: Path) -> None:
        server.empty()
        make_streams(server, max_msgs=2, discard="new")
        before = self.digest(server)
        with pytest.raises(EnvironmentFailed, match=r"orders.jsonl:3: events: orders.eu.cancelled: maximum messages exceeded"):
            load(server.engine, server.target(), self.records(tmp_path))
        assert self.digest(server) == before

    @pytest.mark.parametrize("config", [{"deny_delete": True}, {"republish": {"src": "orders.>", "dest": "copy.>"}}, None])
    def test_messages_that_nobody_can_take_back_are_made_last(self, server: Server, tmp_path: Path, config: dict[str, Any] | None) -> None:
        server.empty()
        make_streams(server, **(config or {}))
        if config is None:
            ask(server.target(), ("STREAM.CREATE.ALL", {"name": "ALL", "sources": [{"name": "ORDERS"}]}))
        session = server.engine.begin(server.target(), upsert=False, natural_keys={})
        orders, payments = self.records(tmp_path)
        session.load([payments])
        assert session.finality == Finality.REVOCABLE
        session.load([orders])
        assert session.finality == Finality.FINAL

    def test_many_messages_arrive_whole_and_in_order(self, server: Server, tmp_path: Path) -> None:
        lines = "".join(f'{{"subject": "orders.n", "payload": {number}}}\n' for number in range(1234))
        load(server.engine, server.target(), [read(tmp_path, "events/n.jsonl", lines)])
        assert [message.payload for message in server.engine.messages(server.target(), "orders.n")] == list(range(1234))
        assert server.engine.digest(server.target(), ()).parts["ORDERS"][0] == 1234

    async def _from_a_loop(self, server: Server) -> int:
        return len(server.engine.messages(server.target(), ">"))

    def test_it_can_be_asked_from_within_a_running_loop(self, loaded: Server) -> None:
        assert asyncio.run(self._from_a_loop(loaded)) == 5


def test_a_server_that_still_removes_an_older_stream_is_waited_for(tmp_path: Path) -> None:
    """It would forget to remove this one, and give its messages to the next stream of that name."""
    with serving("local", TestNats.compose, tmp_path) as server:
        make_streams(server)
        load(server.engine, server.target(), [read(tmp_path, "events/orders.jsonl", ORDERS)])
        (stream,) = server.folder.rglob("streams/ORDERS")
        being_removed = stream.with_name(".ORDERS")
        (being_removed / "msgs").mkdir(parents=True)
        removal = threading.Timer(0.5, lambda: shutil.rmtree(being_removed))
        removal.start()
        server.empty()
        removal.join()
        make_streams(server)
        assert server.engine.messages(server.target(), ">") == []


CONFIGURED = """
services:
  events:
    image: nats:2
    command: ["-c", "/etc/nats/server.conf"]
    environment: {TOKEN: t0ken}
    configs: [{source: nats, target: /etc/nats/server.conf}]
configs:
  nats:
    content: |
      # our broker
      server_name: "one"
      http_port: 8222
      max_payload: 64KB
      jetstream { store_dir: /data/js, max_mem: 64M }
      authorization { token: %s }
"""


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_mounted_configuration_is_honoured(runtime: str, tmp_path: Path) -> None:
    with serving(runtime, CONFIGURED % '"secret token"', tmp_path) as server:
        assert server.target().url() == f"nats://secret%20token@{server.address}"
        make_streams(server)
        big = read(tmp_path, "events/big.jsonl", '{"subject": "orders.big", "payload": "' + "x" * 70_000 + '"}\n')
        with pytest.raises(EnvironmentFailed, match=r"big.jsonl:1: events: orders.big: the server takes 65536 bytes at most"):
            load(server.engine, server.target(), [big])


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_without_jetstream_the_remedy_is_named(runtime: str, tmp_path: Path) -> None:
    with serving(runtime, "services: {events: {image: 'nats:2'}}", tmp_path) as server, pytest.raises(EnvironmentFailed, match="JetStream"):
        server.engine.digest(server.target(), ())
