"""What a broker's streams hold, in their order, as a dataset's `STREAM.jsonl` have it. Payloads that are no text cannot be written so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from seeder.engines import _nats_client, _nats_streams
from seeder.engines._nats_client import Link
from seeder.engines._nats_streams import Stored
from seeder.passed.content import Held, encoded
from seeder.passed.target import Target


def held(target: Target, volatile: Sequence[str]) -> Iterator[Held]:
    async def work(link: Link) -> dict[str, list[Stored]]:
        streams = [stream for stream in await _nats_streams.streams(link) if stream.name not in volatile]
        return {stream.name: [message async for message in _nats_streams.messages(link, stream)] for stream in streams}

    for name, messages in sorted(_nats_client.run(target, work).items()):
        lines = [_line(message) for message in messages]
        left = [f"message {message.sequence} of {name}" for message, line in zip(messages, lines, strict=True) if line is None]
        yield Held(name, "messages", tuple(line for line in lines if line), left=tuple(left))


def _line(message: Stored) -> bytes | None:
    """As JSON where the bytes come back from it, else as text; None where they come back from neither."""
    for payload in (_nats_streams.decoded(message.payload), message.payload.decode("utf-8", "replace")):
        if encoded(payload) == message.payload:
            found = {"subject": message.subject, "headers": dict(sorted(message.headers.items())), "payload": payload}
            return json.dumps(found if message.headers else {**found, "headers": {}}, ensure_ascii=False).encode() + b"\n"
    return None
