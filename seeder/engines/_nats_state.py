"""What a NATS store holds: its digest, its portable form, and whether its consumers have caught up.

The digest is over each stream's subjects, retention and limits, and over subject, headers and payload of its messages in order;
sequence numbers, times and consumers do not count, which are the broker's and the clients' own. Saved are configurations, messages and
durable consumers, each with the number of its messages that it has acknowledged without a gap. Volatile entries are stream names.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seeder.engines import _nats_client, _nats_consumers, _nats_reset, _nats_streams, _saved_store
from seeder.engines._nats_client import Link
from seeder.engines._nats_streams import MESSAGE_ID, Stored, Stream
from seeder.errors import EnvironmentFailed
from seeder.passed.content import Message, StoreDigest
from seeder.passed.target import Target
from seeder.wait import READY, Verdict, not_yet

_FORM = _saved_store.Form("nats", 1)
_COUNTED = ("subjects", "retention", "discard", "max_msgs", "max_bytes", "max_age", "max_msgs_per_subject", "max_msg_size", "storage")


def digest(target: Target, volatile: Sequence[str]) -> StoreDigest:
    async def work(link: Link) -> dict[str, tuple[int, str]]:
        return {
            stream.name: await _stream_digest(link, stream) for stream in await _nats_streams.streams(link) if stream.name not in volatile
        }

    return StoreDigest.of(_nats_client.run(target, work))


async def _stream_digest(link: Link, stream: Stream) -> tuple[int, str]:
    config = {name: stream.config.get(name) for name in _COUNTED}
    config["subjects"] = sorted(config["subjects"] or ())
    found, count = hashlib.sha256(json.dumps(config, sort_keys=True).encode() + b"\n"), 0
    async for message in _nats_streams.messages(link, stream):
        line = json.dumps([message.subject, sorted(message.headers.items()), message.payload.hex()], separators=(",", ":"))
        found.update(line.encode() + b"\n")
        count += 1
    return count, found.hexdigest()


def save(target: Target, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    entries = _nats_client.run(target, lambda link: _saved(link, folder))
    _FORM.write(folder, {"streams": entries})


async def _saved(link: Link, folder: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for place, stream in enumerate(await _nats_streams.streams(link), 1):
        entries.append(await save_stream(link, stream, folder / f"{place:04d}.jsonl"))
    return entries


async def save_stream(link: Link, stream: Stream, path: Path) -> dict[str, Any]:
    """Write its messages; answer what is to be known of it to make it again."""
    held = []
    with _saved_store.writing(path) as lines:
        async for message in _nats_streams.messages(link, stream):
            lines.write(json.dumps(_written(message), ensure_ascii=False).encode() + b"\n")
            held.append((message.sequence, message.subject))
    consumers = [_nats_consumers.saved(entry, held) for entry in await _nats_streams.consumers(link, stream.name)]
    return {"config": _nats_streams.clean(stream.config), "messages": len(held), **lines.entry, "consumers": consumers}


def _written(message: Stored) -> dict[str, Any]:
    try:
        return {"subject": message.subject, "headers": dict(message.headers), "text": message.payload.decode()}
    except UnicodeDecodeError:
        data = base64.b64encode(message.payload).decode()
        return {"subject": message.subject, "headers": dict(message.headers), "base64": data}


def restore(target: Target, folder: Path) -> str:
    """Streams are made anew, since a broker remembers the ids of messages that it no longer holds. Answers why clients cannot go on."""
    saved = [(_saved_store.file(folder, entry), entry) for entry in _FORM.read(folder, "streams")["streams"]]
    before = _nats_client.run(target, _nats_consumers.of_all)
    _nats_reset.reset(target)
    _nats_client.run(target, lambda link: _restored(link, saved))
    return _nats_client.run(target, lambda link: _nats_consumers.broken_off(link, before))


async def _restored(link: Link, saved: Sequence[tuple[Path, Mapping[str, Any]]]) -> None:
    for file, entry in saved:
        await restore_stream(link, file.read_bytes(), entry)


async def restore_stream(link: Link, lines: bytes, entry: Mapping[str, Any]) -> None:
    """Make a stream that is not there; its messages get new times and numbers."""
    config = entry["config"]
    await link.ask(f"STREAM.CREATE.{config['name']}", config)
    for line in lines.splitlines():
        message = json.loads(line)
        payload = message["text"].encode() if "text" in message else base64.b64decode(message["base64"])
        if (await link.publish(message["subject"], message["headers"], payload)).get("duplicate"):
            raise EnvironmentFailed(config["name"], f"the saved stream holds {message['headers'].get(MESSAGE_ID)} twice")
    for consumer in entry["consumers"]:
        await _nats_consumers.restore(link, config["name"], consumer)


def messages(target: Target, subject: str) -> list[Message]:
    async def work(link: Link) -> list[Stored]:
        return [found for stream in await _nats_streams.streams(link) async for found in _nats_streams.matching(link, stream, subject)]

    found = sorted(_nats_client.run(target, work), key=lambda message: (message.time, message.sequence))
    return [Message(message.sequence, message.subject, message.headers, _nats_streams.decoded(message.payload)) for message in found]


def settled(target: Target) -> Verdict:
    """Ready when no durable consumer has messages waiting or unacknowledged."""

    async def work(link: Link) -> Verdict:
        for stream in await _nats_streams.streams(link):
            for consumer in await _nats_streams.consumers(link, stream.name):
                if behind := consumer["num_pending"] + consumer["num_ack_pending"]:
                    return not_yet(f"consumer {consumer['name']} of {stream.name} has {behind} messages to go")
        return READY

    return _nats_client.run(target, work)
