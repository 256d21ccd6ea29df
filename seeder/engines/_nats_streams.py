"""Streams of a server: their configuration, their messages in order, and where consumers stand."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import field
from typing import Any

from seeder.engines._nats_client import Link
from seeder.frozen import frozen

MESSAGE_ID = "Nats-Msg-Id"
_AT_ONCE = 100
_NO_MESSAGE = 10037


@frozen
class Stored:
    """A message as the stream holds it; `time` is the broker's."""

    sequence: int
    subject: str
    headers: Mapping[str, str]
    payload: bytes
    time: str = ""

    @property
    def content(self) -> tuple[str, tuple[tuple[str, str], ...], bytes]:
        return self.subject, tuple(sorted(self.headers.items())), self.payload


@frozen
class Stream:
    name: str
    config: Mapping[str, Any]
    state: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""

    def takes(self, subject: str) -> bool:
        return any(matches(pattern, subject) for pattern in self.config.get("subjects") or ())


def matches(pattern: str, subject: str) -> bool:
    """Whether the broker's wildcards let the subject through: `*` is one word, `>` at the end one or more."""
    wanted, words = pattern.split("."), subject.split(".")
    for place, word in enumerate(wanted):
        if word == ">" and place == len(wanted) - 1:
            return len(words) > place
        if place >= len(words) or word not in ("*", words[place]):
            return False
    return len(wanted) == len(words)


def clean(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration without what the server notes for itself."""
    noted = {name: value for name, value in (config.get("metadata") or {}).items() if not name.startswith("_nats.")}
    rest = {name: value for name, value in config.items() if name != "metadata"}
    return {**rest, "metadata": noted} if noted else rest


async def streams(link: Link) -> list[Stream]:
    """Every stream, by name."""
    pages = _pages(link, "STREAM.LIST", "streams")
    found = [Stream(entry["config"]["name"], entry["config"], entry["state"], entry["created"]) async for entry in pages]
    return sorted(found, key=lambda stream: stream.name)


async def consumers(link: Link, stream: str) -> list[dict[str, Any]]:
    """The durable consumers of a stream, by name."""
    return [entry for entry in await all_consumers(link, stream) if entry["config"].get("durable_name")]


async def all_consumers(link: Link, stream: str) -> list[dict[str, Any]]:
    """Those of the moment too, which end with their clients."""
    return sorted([entry async for entry in _pages(link, f"CONSUMER.LIST.{stream}", "consumers")], key=lambda entry: str(entry["name"]))


async def _pages(link: Link, what: str, key: str) -> AsyncIterator[dict[str, Any]]:
    offset = 0
    while True:
        page = await link.ask(what, {"offset": offset})
        entries = page.get(key) or []
        for entry in entries:
            yield entry
        offset += len(entries)
        if not entries or offset >= page["total"]:
            return


async def messages(link: Link, stream: Stream) -> AsyncIterator[Stored]:
    """Every message in order; what was deleted leaves a gap."""
    import asyncio

    if not stream.state.get("messages"):
        return
    first, last = stream.state["first_seq"], stream.state["last_seq"]
    for start in range(first, last + 1, _AT_ONCE):
        asked = [_get(link, stream.name, {"seq": number}) for number in range(start, min(start + _AT_ONCE, last + 1))]
        for found in await asyncio.gather(*asked):
            if found:
                yield found


async def matching(link: Link, stream: Stream, subject: str) -> AsyncIterator[Stored]:
    """The messages whose subject the pattern lets through, in order; the broker does the looking."""
    number = 1
    while found := await _get(link, stream.name, {"seq": number, "next_by_subj": subject}):
        yield found
        number = found.sequence + 1


async def _get(link: Link, stream: str, body: Mapping[str, Any]) -> Stored | None:
    answer = await link.attempt(f"STREAM.MSG.GET.{stream}", body)
    if answer.get("error", {}).get("err_code") == _NO_MESSAGE:
        return None
    if "error" in answer:
        await link.ask(f"STREAM.MSG.GET.{stream}", body)
    found = answer["message"]
    headers = _headers(base64.b64decode(found.get("hdrs", "")))
    return Stored(found["seq"], found["subject"], headers, base64.b64decode(found.get("data", "")), found["time"])


def _headers(block: bytes) -> dict[str, str]:
    """The first line is the protocol's version; of a repeated header the last value counts."""
    lines = block.decode("utf-8", "replace").split("\r\n")[1:]
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines) if name}


def decoded(payload: bytes) -> Any:
    """JSON where it is JSON, else text."""
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")
