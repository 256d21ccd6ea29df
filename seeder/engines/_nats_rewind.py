"""Takes the streams of a NATS server back to their mark. What did not change is left alone; what did is deleted and given back.

A stream is never purged: it would go on remembering message ids, and drop the next messages that have them. Streams in memory have no
copy; their messages are published again.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seeder.engines import _nats_consumers, _nats_reset, _nats_snapshot, _nats_state, _nats_streams
from seeder.engines._nats_client import Link
from seeder.engines._nats_kept import Kept
from seeder.engines._nats_streams import Stream
from seeder.errors import EnvironmentFailed
from seeder.machine import atomic
from seeder.passed.rewound import NO_MARK, UNTOUCHED, Rewound, Way
from seeder.passed.target import Target

FORMAT = 1
_MARK = "mark.json"
_LOOKS = 1000  # at a stream that the server still removes
_STATE = ("messages", "bytes", "first_seq", "last_seq", "num_deleted")
_CONSUMER = ("created", "delivered", "ack_floor", "num_ack_pending", "num_redelivered", "paused")

Streams = dict[str, Any]  # by name: what is known of each when it was marked, `looks` as of now


class NatsRewinder:
    def __init__(self, target: Target, folder: Path) -> None:
        self._target, self._folder = target, folder
        self._kept = Kept(target)
        self._streams: Streams | None = None

    def mark(self) -> str:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._streams = self._kept.run(self._take)
        self._write()
        return ""

    def rewind(self, way: Way) -> Rewound:
        if self._streams is None:
            self._streams = _read(self._folder)
        streams = self._streams
        return self._kept.run(lambda link: _Work(link, self._folder, streams).rewind(everything=way == "swap"))

    def close(self) -> None:
        self._kept.close()
        if self._streams is not None:
            self._write()

    def _write(self) -> None:
        atomic.write(self._folder / _MARK, json.dumps({"engine": "nats", "format": FORMAT, "streams": self._streams}) + "\n")

    async def _take(self, link: Link) -> Streams:
        found: Streams = {}
        for place, stream in enumerate(await _nats_streams.streams(link), 1):
            about: dict[str, Any] = {"copy": None, "messages": None}
            path = self._folder / f"{place:04d}"
            if stream.config.get("storage") != "memory":
                about["copy"] = {**await _nats_snapshot.take(link, stream.name, path.with_suffix(".copy")), "file": f"{path.name}.copy"}
            if about["copy"] is None or stream.config.get("max_age"):  # given back later, its messages would be too old
                about["messages"] = await _nats_state.save_stream(link, stream, path.with_suffix(".jsonl"))
            about["looks"] = await _looks(link, stream)
            found[stream.name] = about
        return found


def _read(folder: Path) -> Streams:
    try:
        about = json.loads((folder / _MARK).read_text(encoding="utf-8"))
        made, streams = (about["engine"], about["format"]), about["streams"]
    except (OSError, ValueError, KeyError) as error:
        raise EnvironmentFailed(str(folder), f"no state was marked there: {error}", NO_MARK) from error
    if made != ("nats", FORMAT):
        raise EnvironmentFailed(str(folder), f"it was marked by {made[0]} in format {made[1]}", "use the seeder that marked it")
    found: Streams = streams
    return found


async def _looks(link: Link, stream: Stream) -> dict[str, Any]:
    """As long as this is the same nothing happened to the stream or its durable consumers: numbers only grow."""
    consumers = {
        entry["name"]: {"config": _nats_streams.clean(entry["config"]), **{name: _still(entry.get(name)) for name in _CONSUMER}}
        for entry in await _nats_streams.consumers(link, stream.name)
    }
    state = {name: stream.state.get(name) for name in _STATE}
    return {"created": stream.created, "config": _nats_streams.clean(stream.config), "state": state, "consumers": consumers}


def _still(value: Any) -> Any:
    """Without the time of the last look."""
    return {name: part for name, part in value.items() if name != "last_active"} if isinstance(value, Mapping) else value


def _is_past(copy: Mapping[str, Any]) -> bool:
    """Whether the oldest message has lived for half of the time that it is given: given back it would soon be gone."""
    age = copy["config"].get("max_age") or 0
    if not age or not copy["state"]["messages"]:
        return False
    first = datetime.datetime.fromisoformat(copy["state"]["first_ts"][:19]).replace(tzinfo=datetime.UTC)
    return (datetime.datetime.now(datetime.UTC) - first).total_seconds() * 1e9 > age / 2


class _Work:
    """One rewind."""

    def __init__(self, link: Link, folder: Path, streams: Streams) -> None:
        self._link, self._folder, self._streams = link, folder, streams
        self._notes: list[str] = []

    async def rewind(self, *, everything: bool) -> Rewound:
        here = {stream.name: stream for stream in await _nats_streams.streams(self._link)}
        strange = sorted(here.keys() - self._streams.keys())
        changed = [name for name in sorted(self._streams) if everything or not await self._is_untouched(here.get(name), name)]
        if not (strange or changed):
            return UNTOUCHED
        gone = [*strange, *(name for name in changed if name in here)]
        before = {name: await _nats_streams.all_consumers(self._link, name) for name in gone}
        for name in gone:
            await self._link.ask(f"STREAM.DELETE.{name}")
        for name in changed:
            await self._give_back(name)
        await self._look_again(changed)
        restart = await _nats_consumers.broken_off(self._link, before)
        return Rewound("anew" if self._notes else "in place", (*strange, *changed), restart=restart, notes=tuple(self._notes))

    async def _is_untouched(self, stream: Stream | None, name: str) -> bool:
        return stream is not None and self._streams[name]["looks"] == await _looks(self._link, stream)

    async def _give_back(self, name: str) -> None:
        about = self._streams[name]
        copy = about["copy"]
        if copy is not None and not _is_past(copy):
            state = await _nats_snapshot.give_back(self._link, name, copy, self._folder / copy["file"])
            if state["messages"] == copy["state"]["messages"]:
                return
            await self._link.ask(f"STREAM.DELETE.{name}")
        saved = about["messages"]
        if saved is None:
            raise EnvironmentFailed(name, "the broker did not give back all messages of its copy", "mark the state again")
        why = "is kept in memory" if copy is None else "holds messages that are, or soon would be, past their age"
        self._notes.append(f"stream {name} {why}: its messages were published again, with new numbers and times")
        await self._let_go(name)
        await _nats_state.restore_stream(self._link, (self._folder / saved["file"]).read_bytes(), saved)

    async def _let_go(self, name: str) -> None:
        verdict = await _nats_reset.gone(self._link, name)
        for _ in range(_LOOKS):
            if verdict.state == "ready":
                return
            verdict = await _nats_reset.gone(self._link, name)
        raise EnvironmentFailed(name, verdict.reason)

    async def _look_again(self, changed: Sequence[str]) -> None:
        here = {stream.name: stream for stream in await _nats_streams.streams(self._link)}
        for name in changed:
            self._streams[name]["looks"] = await _looks(self._link, here[name])
