"""Publishes messages as clients do: in order, each acknowledged by its stream before the next.

A stream drops a message whose id it knows for its window of ids, two minutes mostly. Where it is to take one again, as it would after that
time, the window is as short as the server allows for a moment (100 ms); what it was is put back.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from seeder.engines import _nats_client, _nats_streams
from seeder.engines._nats_client import Link
from seeder.engines._nats_streams import MESSAGE_ID
from seeder.frozen import frozen
from seeder.passed.content import Post
from seeder.passed.target import Target
from seeder.wait import READY, Verdict, not_yet, wait_for

_SHORTEST = 100_000_000  # ns; a shorter window is refused
_WITHIN = 10.0  # seconds that a server takes at most to forget ids


@frozen
class _Known:
    """A message that its stream had already."""

    place: int
    stream: str


def publish(target: Target, posts: Sequence[Post], *, again: bool) -> None:
    left = list(posts)
    while left:
        known = _nats_client.run(target, lambda link, now=tuple(left): _until_known(link, now, again=again))  # type: ignore[misc]
        if known is None:
            return
        _once_more(target, known.stream, left[known.place])
        left = left[known.place + 1 :]


async def _until_known(link: Link, posts: Sequence[Post], *, again: bool) -> _Known | None:
    """Publish one after another, up to one that is to be taken again and was not."""
    for place, post in enumerate(posts):
        answer = await _sent(link, post)
        if again and answer.get("duplicate"):
            return _Known(place, answer["stream"])
    return None


async def _sent(link: Link, post: Post) -> dict[str, Any]:
    return await link.publish(post.subject, {MESSAGE_ID: post.id, **post.headers}, post.payload)


def _once_more(target: Target, stream: str, post: Post) -> None:
    """The server looks for ids that are too old when the window changes, and now and then by the old one still, to look again only after
    that: so the window is another one for each look."""
    config = _nats_client.run(target, lambda link: _config(link, stream))
    windows = itertools.count(_SHORTEST)

    async def once_more(link: Link) -> bool:
        await link.ask(f"STREAM.UPDATE.{stream}", {**config, "duplicate_window": next(windows)})
        return not (await _sent(link, post)).get("duplicate")

    def look() -> Verdict:
        return READY if _nats_client.run(target, once_more) else not_yet(f"stream {stream} still knows the id {post.id}")

    try:
        wait_for(f"{target.store}: {post.subject}", look, within=_WITHIN, first=_SHORTEST / 1e9)
    finally:
        _nats_client.run(target, lambda link: link.ask(f"STREAM.UPDATE.{stream}", config))


async def _config(link: Link, stream: str) -> dict[str, Any]:
    return _nats_streams.clean((await link.ask(f"STREAM.INFO.{stream}"))["config"])
