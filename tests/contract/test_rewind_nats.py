"""Streams come back as they were marked: numbers, ack floors and remembered ids; those that did not change are left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import note
from hypothesis import strategies as st

from seeder.engines import _nats_client
from seeder.engines._nats_client import Link
from seeder.errors import EnvironmentFailed
from seeder.passed.target import Target
from tests.contract.engine_contract import load, read
from tests.contract.rewind_contract import RewindContract
from tests.contract.rewind_examples import rounds, tell
from tests.contract.serving import Server, serving
from tests.contract.test_nats import ORDERS, PAYMENTS, ask, connected, consumer, make_consumer, make_streams


def publish(target: Target, subject: str, id_: str | None = None) -> dict[str, Any]:
    return _nats_client.run(target, lambda link: link.publish(subject, {"Nats-Msg-Id": id_} if id_ else {}, b"new"))


def stream(target: Target, name: str) -> dict[str, Any]:
    return ask(target, (f"STREAM.INFO.{name}", None))[0]


class TestNats(RewindContract):
    replaced = "in place"
    compose = """
services:
  events:
    image: nats:2
    command: ["-js", "--user", "app", "--pass", "s3cret"]
"""

    def fill(self, server: Server, folder: Path) -> None:
        make_streams(server)
        load(server.engine, server.target(), [read(folder, "events/orders.jsonl", ORDERS), read(folder, "events/payments.jsonl", PAYMENTS)])
        make_consumer(server.target(), done=1)

    def work(self, server: Server) -> None:
        publish(server.target(), "orders.placed", "o-3")
        ask(
            server.target(),
            ("STREAM.MSG.DELETE.ORDERS", {"seq": 2}),
            ("STREAM.CREATE.NEW", {"name": "NEW", "subjects": ["new"]}),
        )

    def worked(self) -> tuple[str, ...]:
        return ("NEW", "ORDERS")

    @contextmanager
    def client(self, server: Server) -> Iterator[Callable[[], object]]:
        with connected(server.target()) as run:
            yield lambda: run(lambda connection: connection.flush(timeout=5))

    def test_numbers_and_ack_floors_come_back(self, server: Server, rewinder: Any) -> None:
        before = consumer(server.target())
        make_consumer(server.target(), done=1)
        assert publish(server.target(), "orders.placed")["seq"] == 5
        assert rewinder.rewind("in place").changed == ("ORDERS",)
        after = consumer(server.target())
        assert [after[part]["stream_seq"] for part in ("delivered", "ack_floor")] == [1, 1]
        assert (after["num_pending"], after["config"]) == (before["num_pending"], before["config"])
        assert publish(server.target(), "orders.placed")["seq"] == 5

    def test_a_consumer_that_went_on_is_set_back(self, server: Server, rewinder: Any) -> None:
        make_consumer(server.target(), done=1)
        assert consumer(server.target())["num_pending"] == 0
        assert rewinder.rewind("in place").changed == ("ORDERS",)
        assert consumer(server.target())["num_pending"] == 1

    def test_ids_of_later_messages_are_forgotten(self, server: Server, rewinder: Any) -> None:
        for _ in range(3):
            assert "duplicate" not in publish(server.target(), "orders.placed", "o-9")
            rewinder.rewind("in place")

    def test_an_unchanged_stream_is_left_alone(self, server: Server, rewinder: Any) -> None:
        before = stream(server.target(), "PAYMENTS")["created"]
        self.work(server)
        rewinder.rewind("in place")
        assert stream(server.target(), "PAYMENTS")["created"] == before

    def test_a_deleted_stream_and_one_that_takes_its_subjects(self, server: Server, rewinder: Any) -> None:
        before = self.digest(server)
        taken = {"name": "TAKEN", "subjects": ["orders.>"]}
        ask(server.target(), ("STREAM.DELETE.ORDERS", None), ("STREAM.CREATE.TAKEN", taken))
        assert rewinder.rewind("in place").changed == ("TAKEN", "ORDERS")
        assert self.digest(server) == before

    def test_a_stream_that_was_purged_or_configured_otherwise(self, server: Server, rewinder: Any) -> None:
        before = self.digest(server), stream(server.target(), "ORDERS")["config"]
        ask(server.target(), ("STREAM.PURGE.ORDERS", None), ("STREAM.UPDATE.ORDERS", {"name": "ORDERS", "subjects": ["orders.>", "more"]}))
        rewinder.rewind("in place")
        assert (self.digest(server), stream(server.target(), "ORDERS")["config"]) == before

    def test_a_client_whose_request_waits_has_to_be_restarted(self, server: Server, rewinder: Any) -> None:
        async def wait(connection: Any) -> None:
            await connection.publish("$JS.API.CONSUMER.MSG.NEXT.PAYMENTS.idle", b'{"batch":1,"expires":30000000000}', reply="nobody")
            await connection.flush()

        idle = {"stream_name": "PAYMENTS", "config": {"durable_name": "idle", "ack_policy": "explicit", "deliver_policy": "new"}}
        ask(server.target(), ("CONSUMER.DURABLE.CREATE.PAYMENTS.idle", idle))
        rewinder.mark()
        with connected(server.target()) as run:
            run(lambda connection: connection.subscribe("nobody"))
            run(wait)
            assert rewinder.rewind("in place").way == "untouched"
            publish(server.target(), "orders.placed")
            assert rewinder.rewind("in place").restart == ""
            ask(server.target(), ("STREAM.PURGE.PAYMENTS", None))
            assert rewinder.rewind("in place").restart == "consumer idle of PAYMENTS had a pull request waiting"

    def test_a_client_to_which_the_broker_pushes_goes_on(self, server: Server, rewinder: Any) -> None:
        async def subscribe(connection: Any) -> Any:
            return await connection.jetstream().subscribe("payments.*", durable="pushed", stream="PAYMENTS")

        with connected(server.target()) as run:
            inbox = run(subscribe)
            run(lambda _: inbox.next_msg(timeout=5))
            rewinder.mark()
            publish(server.target(), "payments.done")
            run(lambda _: inbox.next_msg(timeout=5))
            assert rewinder.rewind("in place").restart == ""
            publish(server.target(), "payments.later")

            async def until_later(_: Any) -> None:
                while (await inbox.next_msg(timeout=5)).subject != "payments.later":
                    pass

            run(until_later)

    def test_a_client_whose_lasting_consumer_came_after_the_mark_has_to_be_restarted(self, server: Server, rewinder: Any) -> None:
        async def subscribe(connection: Any) -> None:
            await connection.jetstream().subscribe("payments.*", durable="pushed", stream="PAYMENTS")

        with connected(server.target()) as run:
            run(subscribe)
            assert rewinder.rewind("in place").restart == "consumer pushed of PAYMENTS is gone"

    def test_a_client_whose_stream_came_after_the_mark_has_to_be_restarted(self, server: Server, rewinder: Any) -> None:
        lasting = {"stream_name": "NEW", "config": {"durable_name": "reader", "ack_policy": "explicit"}}
        ask(
            server.target(),
            ("STREAM.CREATE.NEW", {"name": "NEW", "subjects": ["new"]}),
            ("CONSUMER.DURABLE.CREATE.NEW.reader", lasting),
        )
        found = rewinder.rewind("in place")
        assert (found.changed, found.restart) == (("NEW",), "consumer reader of NEW is gone")

    def test_a_stream_in_memory_is_published_again_and_that_is_said(self, server: Server, rewinder: Any) -> None:
        ask(server.target(), ("STREAM.CREATE.MEMORY", {"name": "MEMORY", "subjects": ["memory.*"], "storage": "memory"}))
        for number in range(3):
            publish(server.target(), f"memory.{number}")
        rewinder.mark()
        before = self.digest(server)
        assert rewinder.rewind("in place").way == "untouched"
        ask(server.target(), ("STREAM.PURGE.MEMORY", None))
        found = rewinder.rewind("in place")
        assert (found.way, found.changed) == ("anew", ("MEMORY",))
        assert found.notes == ("stream MEMORY is kept in memory: its messages were published again, with new numbers and times",)
        assert self.digest(server) == before
        assert rewinder.rewind("in place").way == "untouched"

    def test_messages_that_are_past_their_age_are_published_again(self, server: Server, rewinder: Any) -> None:
        ask(server.target(), ("STREAM.CREATE.SHORT", {"name": "SHORT", "subjects": ["short"], "max_age": 1_500_000_000}))
        publish(server.target(), "short")
        rewinder.mark()
        before = self.digest(server)
        _wait_until_empty(server.target(), "SHORT")
        found = rewinder.rewind("in place")
        assert (found.way, found.changed) == ("anew", ("SHORT",))
        assert self.digest(server) == before

    def test_keys_and_objects_are_streams_too(self, server: Server, rewinder: Any) -> None:
        with connected(server.target()) as run:

            async def put(connection: Any, value: bytes) -> None:
                bucket = await connection.jetstream().key_value("settings")
                await bucket.put("colour", value)

            async def got(connection: Any) -> bytes:
                return (await (await connection.jetstream().key_value("settings")).get("colour")).value

            run(lambda connection: connection.jetstream().create_key_value(bucket="settings"))
            run(lambda connection: put(connection, b"red"))
            rewinder.mark()
            run(lambda connection: put(connection, b"blue"))
            assert rewinder.rewind("in place").changed == ("KV_settings",)
            assert run(got) == b"red"

    def test_a_connection_that_was_ended_is_made_again(self, server: Server, rewinder: Any) -> None:
        rewinder.rewind("in place")
        rewinder.close()
        self.work(server)
        assert rewinder.rewind("in place").changed == self.worked()


def _wait_until_empty(target: Target, name: str) -> None:
    from seeder.wait import READY, not_yet, wait_for

    wait_for(name, lambda: READY if not stream(target, name)["state"]["messages"] else not_yet("it holds messages"), within=20)


NUMBERS = st.integers(1, 8)
STREAMS = st.sampled_from(["ORDERS", "PAYMENTS", "MEMORY", "NEW"])
SUBJECTS = st.sampled_from(["orders.placed", "orders.eu.x", "payments.done", "memory.a", "new.b"])
OPERATIONS = st.one_of(
    st.tuples(st.just("publish"), SUBJECTS, st.none() | st.sampled_from(["o-1", "o-2", "o-7"])),
    st.tuples(st.just("MSG.DELETE"), STREAMS, st.builds(dict, seq=NUMBERS)),
    st.tuples(st.just("PURGE"), STREAMS, st.none() | st.builds(dict, keep=st.integers(1, 3))),
    st.tuples(st.just("DELETE"), STREAMS, st.none()),
    st.tuples(st.just("CREATE"), STREAMS, st.builds(dict, subjects=st.sampled_from([["new.*"], ["orders.>"], ["memory.a", "new.b"]]))),
    st.tuples(st.just("UPDATE"), STREAMS, st.builds(dict, subjects=st.sampled_from([["orders.placed"], ["payments.>"]]), max_msgs=NUMBERS)),
    st.tuples(st.just("take"), st.sampled_from(["mailer", "late"]), NUMBERS),
    st.tuples(st.just("forget"), st.sampled_from(["mailer", "late"]), st.none()),
)


async def _do(link: Link, what: str, name: str, about: Any) -> None:
    if what == "publish":
        await link.publish(name, {"Nats-Msg-Id": about} if about else {}, b"payload")
    elif what == "forget":
        await link.attempt(f"CONSUMER.DELETE.ORDERS.{name}")
    elif what == "take":
        subscription = await link.connection.jetstream().pull_subscribe("orders.placed", durable=name, stream="ORDERS")
        for place, message in enumerate(await subscription.fetch(about, timeout=0.2)):
            if place % 2 == 0:
                await message.ack_sync()
        await subscription.unsubscribe()
    else:
        body = {"name": name, **about} if what in {"CREATE", "UPDATE"} else about
        await link.attempt(f"STREAM.{what}.{name}", body)


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Any]]:
    folder = tmp_path_factory.mktemp("any")
    with serving("local", TestNats.compose, folder) as server:
        TestNats().fill(server, folder)
        ask(server.target(), ("STREAM.CREATE.MEMORY", {"name": "MEMORY", "subjects": ["memory.*"], "storage": "memory"}))
        publish(server.target(), "memory.a", "m-1")
        rewinder = server.engine.rewinder(server.target(), folder / "mark")
        rewinder.mark()
        yield server, rewinder
        rewinder.close()


def _state(server: Server) -> dict[str, Any]:
    """The digest and what it does not see: numbers, configurations and where consumers stand."""

    async def work(link: Link) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in (await link.ask("STREAM.NAMES"))["streams"]:
            about = await link.ask(f"STREAM.INFO.{name}", {"deleted_details": True})
            found[name] = about["config"], {part: about["state"].get(part) for part in ("messages", "first_seq", "last_seq", "deleted")}
            for one in (await link.ask(f"CONSUMER.LIST.{name}"))["consumers"]:
                places = [one[part]["stream_seq"] for part in ("delivered", "ack_floor")]
                found[f"{name}/{one['name']}"] = one["config"], places, one["num_pending"], one["num_ack_pending"]
        return found

    return {"digest": server.engine.digest(server.target(), ()), **_nats_client.run(server.target(), work)}


@rounds(OPERATIONS)
def test_whatever_was_done_the_streams_come_back(marked: tuple[Server, Any], items: list[tuple[str, str, Any]]) -> None:
    import nats.errors

    server, rewinder = marked
    tell()
    before = _state(server)

    async def work(link: Link) -> None:
        for what, name, about in items:
            try:
                await _do(link, what, name, about)
            except (EnvironmentFailed, nats.errors.Error, TimeoutError):
                continue

    _nats_client.run(server.target(), work)
    note(str(rewinder.rewind("in place")))
    assert _state(server) == before
