"""Durable consumers: where each stands, told as the number of its messages that it has done with, and brought there again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seeder.engines._nats_client import Link
from seeder.engines._nats_streams import all_consumers, clean, matches, streams
from seeder.errors import EnvironmentFailed

Consumers = Mapping[str, Sequence[Mapping[str, Any]]]  # by stream

_BATCH = 100
_SECONDS = 5.0


async def of_all(link: Link) -> Consumers:
    """Those of every stream, those of the moment too."""
    return {stream.name: await all_consumers(link, stream.name) for stream in await streams(link)}


async def broken_off(link: Link, before: Consumers) -> str:
    """Why clients cannot go on with streams that were deleted and made again: those whose request was waiting there, or whose consumer
    is gone, hear nothing of it."""
    now, found = await of_all(link), list[str]()
    for stream, consumers in before.items():
        there = {entry["name"] for entry in now.get(stream, ())}
        for entry in consumers:
            lasting = entry["config"].get("durable_name")
            if entry["name"] not in there:
                found.append(f"consumer {lasting} of {stream} is gone" if lasting else f"a consumer of the moment of {stream} is gone")
            elif entry.get("num_waiting"):
                found.append(f"consumer {entry['name']} of {stream} had a pull request waiting")
    return "; ".join(found)


def saved(consumer: Mapping[str, Any], held: Sequence[tuple[int, str]]) -> dict[str, Any]:
    """The consumer with how many of the stream's messages (sequence, subject) lie at or below its floor."""
    config = consumer["config"]
    floor = consumer["ack_floor"]["stream_seq"]
    done = sum(1 for number, subject in held if number <= floor and _wants(config, subject))
    return {"config": clean(config), "done": done}


def _wants(config: Mapping[str, Any], subject: str) -> bool:
    filters = [*(config.get("filter_subjects") or ()), *filter(None, [config.get("filter_subject")])]
    return not filters or any(matches(pattern, subject) for pattern in filters)


async def restore(link: Link, stream: str, entry: Mapping[str, Any]) -> None:
    """Make the consumer and let it take as many messages as it had; it is then as its client left it."""
    config = entry["config"]
    name = config["durable_name"]
    create = {"stream_name": stream, "config": config}
    if not config.get("deliver_subject"):
        await link.ask(f"CONSUMER.DURABLE.CREATE.{stream}.{name}", create)
        await _pull(link, stream, name, entry["done"], acknowledges=config.get("ack_policy") != "none")
        return
    inbox = await link.connection.subscribe(link.connection.new_inbox(), queue=config.get("deliver_group", ""))
    aside = {"stream_name": stream, "config": {**config, "deliver_subject": inbox.subject}}  # its client may be listening
    await link.ask(f"CONSUMER.DURABLE.CREATE.{stream}.{name}", aside)
    await _take(inbox, entry["done"], name, acknowledges=config.get("ack_policy") != "none")
    await inbox.unsubscribe()
    await link.ask(f"CONSUMER.DURABLE.CREATE.{stream}.{name}", create)


async def _pull(link: Link, stream: str, name: str, count: int, *, acknowledges: bool) -> None:
    while count > 0:
        batch = min(count, _BATCH)
        inbox = await link.connection.subscribe(link.connection.new_inbox())
        await link.connection.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}", b'{"batch":%d}' % batch, reply=inbox.subject)
        await _take(inbox, batch, name, acknowledges=acknowledges)
        await inbox.unsubscribe()
        count -= batch


async def _take(inbox: Any, count: int, name: str, *, acknowledges: bool) -> None:
    import asyncio

    for taken in range(count):
        try:
            message = await asyncio.wait_for(inbox.next_msg(timeout=_SECONDS), _SECONDS)
        except TimeoutError as error:
            raise EnvironmentFailed(name, f"the consumer got {taken} of the {count} messages that it had done with") from error
        if acknowledges:
            await message.ack_sync(timeout=_SECONDS)
