"""Events on NATS JetStream: published from the outbox, delivered to durable consumers; at least once, in order."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from shopkit import clock
from shopkit.database import transaction
from shopkit.http import stopping
from shopkit.settings import setting
from shopkit.tables import OutboxColumns

if TYPE_CHECKING:  # the client takes a tenth of a second to import; the events thread does it while the service starts
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

STREAMS = ("orders", "payments", "deliveries")  # each holds the subjects below its name
Handler = Callable[[str, str, dict[str, Any]], None]  # message id, subject, payload
log = logging.getLogger("shop")


def enqueue(session: Session, outbox: type[OutboxColumns], message_id: str, subject: str, payload: dict[str, Any]) -> None:
    """Let `subject` be published once the transaction of `session` is through; a known `message_id` changes nothing."""
    if session.scalar(select(outbox.id).where(outbox.message_id == message_id)) is None:
        session.add(outbox(message_id=message_id, subject=subject, payload=payload, created_at=clock.now()))


def forget(session: Session, outbox: type[OutboxColumns], order_id: int) -> None:
    """Of an order that is erased nothing waits to be published, nor is remembered. What was published stays with the broker."""
    session.execute(delete(outbox).where(outbox.payload["order_id"].as_integer() == order_id))


class Events:
    """The broker side of one service: run it as a background thread."""

    def __init__(self, outbox: type[OutboxColumns] | None = None, durable: str = "") -> None:
        self.outbox, self.durable = outbox, durable
        self.handlers: dict[str, Handler] = {}

    def on(self, subject: str) -> Callable[[Handler], Handler]:
        """Let the decorated function handle `subject`. It may see a message twice and must bear it."""

        def register(handler: Handler) -> Handler:
            self.handlers[subject] = handler
            return handler

        return register

    def run(self) -> None:
        asyncio.run(self.until_stopped())

    async def until_stopped(self) -> None:
        work = asyncio.create_task(self.work())
        while not stopping.is_set() and not work.done():
            await asyncio.wait([work], timeout=0.2)
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work

    async def work(self) -> None:
        import nats

        connection = await nats.connect(
            setting("NATS_URL"), max_reconnect_attempts=-1, reconnect_time_wait=0.25, connect_timeout=2, error_cb=quiet
        )
        stream = connection.jetstream(timeout=2)
        jobs = [forever(self.consume, stream, subject) for subject in self.handlers]
        if self.outbox is not None:
            jobs.append(forever(self.publish, stream))
        try:
            await asyncio.gather(*jobs)
        finally:
            await connection.close()

    async def publish(self, stream: JetStreamContext) -> None:
        """Publish what waits, oldest first; stop at the first that the broker does not take."""
        for row in await asyncio.to_thread(self.waiting):
            await stream.publish(row.subject, json.dumps(row.payload).encode(), headers={"Nats-Msg-Id": row.message_id})
            await asyncio.to_thread(self.published, row.id)
        await asyncio.sleep(0.2)

    def waiting(self) -> list[OutboxColumns]:
        assert self.outbox is not None
        with transaction() as session:
            waits = select(self.outbox).where(self.outbox.published_at.is_(None)).order_by(self.outbox.id).limit(100)
            return list(session.scalars(waits))

    def published(self, key: int) -> None:
        assert self.outbox is not None
        with transaction() as session:
            session.execute(update(self.outbox).where(self.outbox.id == key).values(published_at=clock.now()))

    async def consume(self, stream: JetStreamContext, subject: str) -> None:
        name = f"{self.durable}-{subject.replace('.', '-')}"
        subscription = await stream.pull_subscribe(subject, durable=name, stream=subject.partition(".")[0])
        try:
            while True:
                with suppress(TimeoutError):
                    # A request dies silently with its stream, when the stream is replaced: none is long.
                    for message in await subscription.fetch(20, timeout=0.2):
                        await self.handle(message)
        finally:
            with suppress(Exception):
                await subscription.unsubscribe()

    async def handle(self, message: Msg) -> None:
        message_id = (message.headers or {}).get("Nats-Msg-Id") or f"{message.subject}:{message.metadata.sequence.stream}"
        try:
            payload = json.loads(message.data)
            await asyncio.to_thread(self.handlers[message.subject], message_id, message.subject, payload)
        except (ValueError, KeyError, TypeError):
            log.exception("%s %s cannot be read; it is dropped", message.subject, message_id)
            await message.term()
        except Exception as error:  # noqa: BLE001 - whatever it is, the broker keeps the message
            log.warning("%s %s failed, is delivered again: %s", message.subject, message_id, error)
            await message.nak(delay=1)
        else:
            await message.ack()


async def forever(work: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
    """Repeat `work`; after a failure (broker away, stream not created yet, database away) wait a little."""
    while True:
        try:
            await work(*arguments)
        except Exception as error:  # noqa: BLE001 - whatever it is, the service goes on without events
            log.info("events: %s: %s", type(error).__name__, error)
            await asyncio.sleep(0.5)


async def quiet(_: Exception) -> None:
    """A broker that is away is no news: the client goes on trying, and says so each time."""
