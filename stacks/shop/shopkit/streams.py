"""Create the JetStream streams: `python -m shopkit.streams`. Safe to repeat."""

from __future__ import annotations

import asyncio

import nats
from nats.js.api import StreamConfig

from shopkit.events import STREAMS
from shopkit.settings import setting


async def create() -> None:
    connection = await nats.connect(setting("NATS_URL"), reconnect_time_wait=0.25, max_reconnect_attempts=120)
    stream = connection.jetstream()
    there = {info.config.name for info in await stream.streams_info()}
    for name in STREAMS:
        config = StreamConfig(name=name, subjects=[f"{name}.>"])
        await (stream.update_stream(config) if name in there else stream.add_stream(config))
    await connection.close()


if __name__ == "__main__":
    asyncio.run(create())
